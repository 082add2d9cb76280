/** --accounts: who may exist on a target, and who is known there today. */
import { resolve } from "node:path";
import { accountsOf, furtherAccountSources, readAccounts } from "../files/accounts.ts";
import type { Account, FileTree } from "../files/tree.ts";
import { latin1 } from "./paths.ts";
import type { Misuse, TargetOptions } from "./target.ts";

/** Who may exist, and who is known today. */
export interface People {
  readonly known: readonly Account[] | null;
  readonly world: readonly Account[] | null;
  readonly text: string;
  readonly limits: readonly string[];
}

/** `system`: a root or an image, whose accounts are labels even in an open world. */
export function choosePeople(
  options: TargetOptions,
  host: FileTree,
  system: FileTree | null,
): People | Misuse {
  const given = options.accounts ?? ["open"];
  const open = { known: system === null ? null : accountsOf(system), world: null, limits: [] };
  if (given.length === 1 && given[0] === "open")
    return { ...open, text: "anybody may exist (--accounts open)" };
  if (given.includes("open")) return { misuse: "--accounts open and other accounts exclude each other" };
  if (given.length === 1 && (given[0] === "target" || given[0] === "host")) {
    const from = given[0] === "host" ? host : (system ?? host);
    const world = accountsOf(from);
    if (world === null) return { misuse: `--accounts ${given[0]}: there is no /etc/passwd to read` };
    const others = given[0] === "host" ? furtherAccountSources(host) : [];
    const limits = others.map((source) => `accounts may also come from ${source} (nsswitch.conf)`);
    return {
      known: world,
      world,
      limits,
      text: `only the ${world.length} accounts of the ${given[0]} exist`,
    };
  }
  const texts: string[] = [];
  for (const file of given) {
    const content = host.read(latin1(resolve(file)));
    if (content.kind !== "file")
      return { misuse: `--accounts ${file}: ${content.kind === "folder" ? "a folder" : content.reason}` };
    texts.push(Buffer.from(content.bytes).toString("latin1"));
  }
  const world = readAccounts(texts);
  return {
    known: world,
    world,
    limits: [],
    text: `only the ${world.length} accounts of ${given.join(", ")} exist`,
  };
}
