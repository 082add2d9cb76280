/**
 * Families of files, each a mutation of the one before, audited in one run and each alone: what is said of them must be
 * the same. `npm run fuzz-many -- [seed] [seconds]` runs it for long, test/fleet.test.ts for short.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Chalk } from "chalk";
import { RULES } from "../../rules/index.ts";
import { auditTargets } from "../../src/cli/audit-targets.ts";
import type { AuditCommandOptions } from "../../src/cli/prepare-audit.ts";
import { json } from "../../src/report/json.ts";
import { pretty } from "../../src/report/pretty.ts";
import type { TargetReport } from "../../src/report/report.ts";
import { sarif } from "../../src/report/sarif.ts";
import { writeTree } from "../sshd/server-tree.ts";
import type { Random } from "./random.ts";

const LINES: readonly string[] = [
  "# server web1",
  "#AllowTcpForwarding yes",
  "# sshd-policy: allow tcp-forwarding -- web1",
  "# sshd-policy: allow-file x11-forwarding -- web1",
  "AllowTcpForwarding yes",
  "AllowTcpForwarding no",
  "AllowTcpForwarding local # web1",
  "X11Forwarding yes",
  "GatewayPorts clientspecified",
  "PermitTunnel yes",
  "PermitOpen web1:22 db:5432",
  "PermitOpen localhost6:25",
  "PermitListen 8080",
  "AllowUsers web1 root",
  "DenyUsers web2",
  "AllowGroups ops1",
  "Match User web1",
  "Match User web1,!ops2",
  "Match Group ops1 User web2",
  "Match User web1,root User web2,web1,root",
  "Match Address 10.0.0.1",
  "Match all",
  "Include /etc/ssh/sshd_config.d/*.conf",
  "Include more/*",
  "Banner /etc/issue.web1",
  "HostKey /etc/ssh/key.web1",
  "HostCertificate /etc/ssh/key.web1-cert.pub",
  "ListenAddress 10.0.0.1",
  "ListenAddress 10.0.0.2:2222",
  "AddressFamily inet6",
  "ForceCommand /bin/web1",
  "NoSuchKeyword web1",
];

/** What may stand for each other: names and values of the same length, and of others. */
const WORDS: readonly (readonly string[])[] = [
  ["web1", "web2", "web3", "ops1", "ops2", "user1", "root", "web*", "deploy"],
  ["10.0.0.1", "10.0.0.2", "10.0.0.17", "0.0.0.1", "10.0.0.256"],
  ["yes", "no", "local", "all"],
  ["localhost6", "localhost7", "localhost"],
];

const INSERTED: readonly string[] = [
  '"',
  "'",
  "=",
  "\t",
  "\r",
  "\f",
  "\v",
  "\0",
  "#",
  " ",
  "\\",
  "\xa0",
  "\xe0",
  "\xff",
  "\n",
  ",",
];

/** One change, as people and hostile files make it. */
function mutated(text: string, random: Random): string {
  const lines = text.split("\n");
  const at = random.int(lines.length);
  const line = lines[at] ?? "";
  const column = random.int(line.length + 1);
  const put = (...written: string[]): string => lines.toSpliced(at, 1, ...written).join("\n");
  const insert = random.pick(INSERTED);
  return random.pick<() => string>([
    () => put(`${line.slice(0, column)}${insert}${line.slice(column)}`),
    () => put(line.slice(0, column) + line.slice(column + 1)),
    () => put(line.replace(/[A-Za-z]+/, (word) => `${word.slice(0, column)}"${word.slice(column)}"`)),
    () => put(line.replace(/[A-Za-z]+/, (word) => `"${word}"`)),
    () => put(random.chance(50) ? line.toUpperCase() : line.toLowerCase()),
    () => put(line.replace(" ", random.pick(["=", " = ", "\t", "  ", ' "" ', "\r"]))),
    () => put(line, random.pick(LINES)),
    () => put(),
    () => put(`#${random.pick(["", " ", '"', "="])}${line}`),
    () => otherComments(text, random),
    () => otherComments(text, random),
    () => otherWords(text, random),
    () => otherWords(text, random),
    () => otherWords(text, random),
  ])();
}

/** Where only words of comments seem to differ. */
function otherComments(text: string, random: Random): string {
  return text.replace(
    /^#.*/gm,
    () =>
      `#${random.pick(["", '"', "'", " ", "=", " sshd-policy: "])}${random.pick(["web1", "ops2 x", 'a"', "PermitTunnel no"])}`,
  );
}

/** Everywhere, as a template does it. */
function otherWords(text: string, random: Random): string {
  const words = random.pick(WORDS);
  return text.replaceAll(random.pick(words), random.pick(words));
}

export type Family = Readonly<Record<string, string>>;

const POLICY =
  "version: 1\nallow:\n  - { users: web2, capability: tcp-local, reason: r }\nrules:\n  x11-forwarding: low\n";

/** Files by their place, asked for in this order; those beside them in a second one. */
export function familyOf(random: Random): { readonly asked: Family; readonly beside: Family } {
  let text = random.some(1, 8, () => random.pick(LINES)).join("\n") + random.pick(["", "\n", "\n", "\r\n"]);
  const asked: Record<string, string> = {};
  const beside: Record<string, string> = {};
  const members = 3 + random.int(5);
  for (let index = 0; index < members; index++) {
    const folder = random.chance(20) ? "/same" : `/${"abcdefgh".charAt(index)}`;
    const name = random.pick(["sshd_config", "sshd_config", `web${index}`]);
    asked[`${folder}/${name}`] = text;
    if (random.chance(10)) beside[`${folder}/more/x`] = "AllowTcpForwarding no\n";
    if (random.chance(10)) beside[`${folder}/sshd_config.d/a.conf`] = "X11Forwarding no\n";
    if (random.chance(10)) beside[`${folder}/.sshd-policy.yaml`] = POLICY;
    if (random.chance(80)) text = random.chance(50) ? otherWords(text, random) : mutated(text, random);
    else text = asked[random.pick(Object.keys(asked))] ?? text;
  }
  return { asked, beside };
}

const OPTIONS: AuditCommandOptions = { suppressions: true, openssh: "9.2", restart: true, validate: true };

/** Of releases whose words and comments differ. */
const RELEASES: readonly string[] = ["7.4", "8.4", "9.2", "10.0"];

/** What is said of the targets. */
function texts(targets: readonly TargetReport[]): readonly string[] {
  const report = { tool: { name: "sshd-policy", version: "0" }, targets, fixed: 0 };
  return [
    pretty(report, { paint: new Chalk({ level: 0 }) }),
    [...json(report)].join(""),
    [...sarif(report, RULES)].join(""),
  ];
}

export interface Difference {
  readonly together: string;
  readonly alone: string;
}

/** Null: each file is told the same in one run as alone. */
export async function differenceOf(
  { asked, beside }: ReturnType<typeof familyOf>,
  openssh: string,
): Promise<Difference | null> {
  const root = mkdtempSync(join(tmpdir(), "sshd-policy-"));
  writeTree(root, { ...asked, ...beside });
  const options = { ...OPTIONS, openssh };
  const paths = Object.keys(asked).map((path) => join(root, path));
  const together = await audited(paths, options);
  const alone = (await Promise.all(paths.map((path) => audited([path], options)))).flat();
  rmSync(root, { recursive: true });
  const [mine, theirs] = [texts(together), texts(alone)];
  const index = mine.findIndex((text, at) => text !== theirs[at]);
  return index === -1 ? null : { together: mine[index] ?? "", alone: theirs[index] ?? "" };
}

async function audited(
  files: readonly string[],
  options: AuditCommandOptions,
): Promise<readonly TargetReport[]> {
  const found = await auditTargets(files, options, { count: () => {}, keep: (report) => report });
  if ("misuse" in found) throw new Error(found.misuse);
  return found.targets;
}

export interface FoundFamily {
  readonly family: ReturnType<typeof familyOf>;
  readonly openssh: string;
  readonly difference: Difference;
}

/** The first family of which a file is told something else, with as few files as show it. */
export async function nextDifference(
  random: Random,
  isOver: (families: number) => boolean,
): Promise<FoundFamily | number> {
  for (let families = 0; ; families++) {
    if (isOver(families)) return families;
    const family = familyOf(random);
    const openssh = random.pick(RELEASES);
    const difference = await differenceOf(family, openssh);
    if (difference !== null) return shrunk({ family, openssh, difference });
  }
}

async function shrunk(found: FoundFamily): Promise<FoundFamily> {
  const { asked, beside } = found.family;
  for (const path of Object.keys(asked)) {
    const fewer = {
      asked: Object.fromEntries(Object.entries(asked).filter(([other]) => other !== path)),
      beside,
    };
    const difference = await differenceOf(fewer, found.openssh);
    if (difference !== null) return shrunk({ ...found, family: fewer, difference });
  }
  return found;
}
