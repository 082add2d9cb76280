/** The account of a witness, as passwd(5), group(5), shadow(5) and hosts(5) hold it in the sandbox. */
import type { Account } from "../files/tree.ts";
import type { Connection } from "../policy/connection.ts";
import type { AccountTexts } from "./job.ts";

/** Numbers of accounts and groups that the sandbox makes up. */
const FIRST_ID = 60_100;

/** In the sandbox names of destinations lead here. */
export const OWN_DESTINATION = "127.0.0.1";

/**
 * `known`: the account where the target has it: its shell is kept, so is its number, and a password never works.
 * `names`: host names that must resolve to the probe. A user that does not exist (groups null) gets no account.
 */
export function accountTexts(
  { user, groups, host, addr }: Connection,
  known: Account | null,
  names: readonly string[],
): AccountTexts {
  const name = user ?? "";
  const uid = name === "root" ? 0 : (known?.uid ?? FIRST_ID);
  const gid = name === "root" ? 0 : (known?.gid ?? FIRST_ID);
  const home = homeOf(name, known);
  const exists = groups !== null;
  const own = exists ? `${name}:x:${uid}:${gid}::${home}:${known?.shell ?? "/bin/sh"}\n` : "";
  const others = SYSTEM_ACCOUNTS.filter(([other]) => other !== name).map(([, line]) => line);
  return {
    passwd: own + others.join(""),
    group: groupLines(groups ?? [], name, gid),
    shadow: exists ? `${name}:*:19000:0:99999:7:::\n` : "",
    hosts: hostLines({ host, addr }, names),
    home,
    uid,
    gid,
  };
}

const SYSTEM_ACCOUNTS: readonly (readonly [string, string])[] = [
  ["root", "root:x:0:0:root:/root:/bin/sh\n"],
  // the account of sshd's unprivileged process (OpenSSH pathnames.h SSH_PRIVSEP_USER)
  ["sshd", "sshd:x:60001:65534::/run/sshd:/usr/sbin/nologin\n"],
  ["nobody", "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n"],
];

/** A folder that the sandbox can make; programs' folders are read-only there. */
function homeOf(name: string, known: Account | null): string {
  if (name === "root") return "/root";
  const home = known?.home ?? "";
  return /^\/(home|srv|var)(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/.test(home) ? home : "/home/account";
}

/** The first group is the primary one; without any, the primary group's number has no name (groupaccess.c skips it). */
function groupLines(groups: readonly string[], user: string, gid: number): string {
  const lines = groups.map((group, index) =>
    index === 0 ? `${group}:x:${gid}:\n` : `${group}:x:${FIRST_ID + 1 + index}:${user}\n`,
  );
  return lines.join("");
}

function hostLines({ host, addr }: Pick<Connection, "host" | "addr">, names: readonly string[]): string {
  const client = host !== null && host !== addr && HOST_NAME.test(host) ? `${addr} ${host}\n` : "";
  const own = names.filter((name) => HOST_NAME.test(name)).map((name) => `${OWN_DESTINATION} ${name}\n`);
  return `${client}127.0.0.1 localhost\n::1 localhost\n${own.join("")}`;
}

/** What hosts(5) takes for one name: a configuration may name what no DNS could. */
const HOST_NAME = /^[^\s#\u0000]+$/;
