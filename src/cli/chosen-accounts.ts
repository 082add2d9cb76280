/** --accounts: who may exist on a target, and who is known there today. */
import type { Config } from "../config/config.ts";
import {
  accountsOf,
  furtherAccountSources,
  hasAccounts,
  MOST_LINES,
  readAccounts,
} from "../files/accounts.ts";
import type { Account, FileTree } from "../files/tree.ts";
import { asksFor } from "../policy/specification.ts";
import { absolute, latin1 } from "./paths.ts";
import type { Misuse, Target, TargetOptions } from "./target.ts";

/** Who may exist, and who is known today. */
export interface People {
  readonly known: readonly Account[] | null;
  readonly world: readonly Account[] | null;
  readonly text: string;
  readonly limits: readonly string[];
}

const TOO_LONG = `a passwd or group file has more than ${MOST_LINES} lines, a limit of sshd-policy`;

/** Why no accounts were found in it. */
function reasonIn(tree: FileTree): string {
  const content = tree.read("/etc/passwd");
  return content.kind === "unreadable" ? `/etc/passwd: ${content.reason}` : TOO_LONG;
}

/** What is not known of the target beside its configuration. A passwd file alone does not tell who is in which group. */
export function targetLimitsOf({ config, world, limits }: Target): readonly string[] {
  const groupsUnknown = world?.every(({ groups }) => groups.length === 0) ?? false;
  if (!groupsUnknown || !asksForGroups(config)) return limits;
  return [...limits, "who is in which group is not known: --accounts needs the group file, too"];
}

function asksForGroups(config: Config): boolean {
  return (
    asksFor(config, "group") ||
    config.directives.some(({ keyword }) => keyword === "allowgroups" || keyword === "denygroups")
  );
}

/**
 * `system`: the root, the image or the live host that is asked about, null for a FILE, whose server nobody knows.
 * Accounts of a root or an image are labels even in an open world.
 */
export function choosePeople(
  options: TargetOptions,
  host: FileTree,
  system: FileTree | "live" | null,
): People | Misuse {
  const given = options.accounts ?? ["open"];
  const [only] = given.length === 1 ? given : [];
  if (only === "open") return anybody(system === "live" ? null : system);
  if (given.includes("open")) return { misuse: "--accounts open and other accounts exclude each other" };
  if (only === "host") return accountsIn(host, "host");
  if (only === "target" && system !== null) return accountsIn(system === "live" ? host : system, "target");
  if (only === "target")
    return {
      misuse:
        "--accounts target: nobody knows the accounts of the server that a FILE is for; give its passwd and group files, or host",
    };
  return accountsOfFiles(given, host);
}

function anybody(tree: FileTree | null): People {
  const known = tree === null ? null : accountsOf(tree);
  const isUnread = known === null && tree !== null && hasAccounts(tree);
  return {
    known,
    world: null,
    limits: isUnread ? [`accounts were not looked at: ${reasonIn(tree)}`] : [],
    text: "anybody may exist (--accounts open)",
  };
}

function accountsIn(tree: FileTree, whose: "host" | "target"): People | Misuse {
  const accounts = accountsOf(tree);
  if (accounts === null) return { misuse: `--accounts ${whose}: ${reasonIn(tree)}` };
  if (accounts.length === 0) return { misuse: `--accounts ${whose}: its /etc/passwd names no account` };
  const others = furtherAccountSources(tree);
  const limits = others.map((source) => `accounts may also come from ${source} (nsswitch.conf)`);
  return onlyThese(accounts, `the ${whose}`, limits);
}

/** `files`: passwd and group files on this machine. */
function accountsOfFiles(files: readonly string[], host: FileTree): People | Misuse {
  const texts: string[] = [];
  for (const file of files) {
    const content = host.read(absolute(file));
    if (content.kind !== "file")
      return {
        misuse: `--accounts ${latin1(file)}: ${content.kind === "folder" ? "a folder" : content.reason}`,
      };
    texts.push(Buffer.from(content.bytes).toString("latin1"));
  }
  const accounts = readAccounts(texts);
  const named = files.map(latin1).join(", ");
  if (accounts === null) return { misuse: `--accounts ${named}: ${TOO_LONG}` };
  if (accounts.length === 0)
    return {
      misuse: `--accounts ${named}: no line of passwd(5) in it, so nobody would exist; a group file needs its passwd file beside it`,
    };
  return onlyThese(accounts, named, []);
}

function onlyThese(accounts: readonly Account[], whose: string, limits: readonly string[]): People {
  return {
    known: accounts,
    world: accounts,
    limits,
    text: `only the ${accounts.length} accounts of ${whose} exist`,
  };
}
