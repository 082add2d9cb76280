/** Where each account keeps its authorized keys, by the configuration (OpenSSH auth.c, expand_authorized_keys). */
import type { Config } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import { readerOf } from "./reader.ts";
import { STRANGER } from "./samples.ts";

export interface KeyFile {
  readonly account: Account;
  /** absolute */
  readonly path: string;
}

/** For a login from anywhere; blocks for some addresses only are not looked into. */
export function keyFilesOf(config: Config, accounts: readonly Account[]): readonly KeyFile[] {
  const reader = readerOf(config);
  return accounts.flatMap((account) => {
    const connection = { ...STRANGER, user: account.name, groups: account.groups };
    const setting = reader.read(connection, "authorizedkeysfile");
    const patterns = setting?.values.flatMap((value) => value.split(" ")) ?? [];
    return patterns
      .filter((pattern) => pattern !== "" && pattern !== "none")
      .map((pattern) => ({ account, path: expand(pattern, account) }));
  });
}

/** %h home, %u user, %U user id, %% itself; relative to the home. */
function expand(pattern: string, { name, uid, home }: Account): string {
  const known: Readonly<Record<string, string>> = { h: home, u: name, U: String(uid), "%": "%" };
  const path = pattern.replace(/%(.)/g, (whole, letter: string) => known[letter] ?? whole);
  return path.startsWith("/") ? path : `${home}/${path}`;
}
