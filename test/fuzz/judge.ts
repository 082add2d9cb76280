/** One tree before our reading and before a real sshd: what differs. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { atLeast, type Release } from "../../grammar/release.ts";
import type { Config } from "../../src/config/config.ts";
import { type Plan, type PlanRequest, planFix } from "../../src/fix/plan.ts";
import { compareIntent, type Intended } from "../../src/lint/intended.ts";
import type { Intent } from "../../src/lint/intent.ts";
import type { Exposure } from "../../src/policy/answer.ts";
import { type Comparison, comparePolicies } from "../../src/policy/compare.ts";
import type { Connection } from "../../src/policy/connection.ts";
import { exposure } from "../../src/policy/exposure.ts";
import { HOST_KEY, type Run, type Sshd } from "../sshd/driver.ts";
import { connectionOf, load, type Settings, settingsOf, type Verdict, verdictOf } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import type { FuzzCase } from "./generate.ts";

/** Our side; a test puts a faulty one here. */
export interface Reading {
  readonly verdict: (config: Config) => Verdict;
  /** what `sshd -t` prints, warnings too, in order; it may stop earlier */
  readonly messages: (config: Config) => readonly string[];
  readonly settings: (config: Config, connection: Connection) => Settings;
  /** who can forward, when anybody may exist */
  readonly exposure: (config: Config) => Exposure;
  readonly fix: (request: PlanRequest) => Plan;
  readonly intended: (config: Config, intent: Intent) => Intended;
  readonly compare: (before: Config, after: Config) => Comparison;
}

export const OURS: Reading = {
  exposure: (config) => exposure(config),
  fix: planFix,
  intended: (config, intent) => compareIntent(config, intent, { accounts: null, today: "2026-11-26" }),
  compare: (before, after) => comparePolicies(before, after),
  verdict: verdictOf,
  messages: ({ problems }) =>
    problems.filter(({ weight }) => weight !== "silent").map(({ sshdText }) => sshdText),
  settings: (config, connection) => {
    const settings = settingsOf(config, connection, { missing: "as-sshd" });
    const crashes = "error" in settings && String(settings.error).startsWith("sshd crashes");
    return crashes ? { error: "sshd crashes" } : settings;
  },
};

export interface Difference {
  readonly tree: ServerTree;
  /** null: the verdict differs */
  readonly connection: string | null;
  /** `verdict`, `messages`, `answer`, or a keyword */
  readonly what: string;
  readonly ours: string;
  readonly sshd: string;
}

export interface Judgement {
  /** runs of sshd compared: (configuration, connection) pairs; a tree that both refuse is one */
  readonly pairs: number;
  readonly accepted: boolean;
  /** regions without a witness */
  readonly unknown: number;
  readonly differences: readonly Difference[];
}

/** Nothing to compare. */
export const REFUSED: Judgement = { pairs: 0, accepted: false, unknown: 0, differences: [] };

export async function judge(
  sshd: Sshd,
  { tree, connections }: FuzzCase,
  reading: Reading,
): Promise<Judgement> {
  sshd.place(tree);
  const config = load(tree, sshd.release);
  const verdict = reading.verdict(config);
  const real = await realVerdict(sshd);
  if (real.error !== null && OF_THE_MACHINE.test(real.error) && verdict.accepted) return REFUSED;
  if (verdict.accepted !== real.accepted || verdict.error !== real.error) {
    const difference = { what: "verdict", ours: verdict.error ?? "accepted", sshd: real.error ?? "accepted" };
    return {
      pairs: 1,
      accepted: false,
      unknown: 0,
      differences: [{ tree, connection: null, ...difference }],
    };
  }
  const printed = reading.messages(config).slice(0, real.messages.length);
  const differences: Difference[] = [];
  if (printed.join("\n") !== real.messages.join("\n")) {
    const sides = { ours: printed.join("\n"), sshd: real.messages.join("\n") };
    differences.push({ tree, connection: null, what: "messages", ...sides });
  }
  if (!real.accepted) return { pairs: 1, accepted: false, unknown: 0, differences };
  for (const connection of connections) {
    const run = await sshd.run(["-T", ...HOST_KEY, "-C", connection]);
    const ours = reading.settings(config, connectionOf(connection));
    const found = compareSettings(ours, printedSettings(run)).filter(
      (sides) => !isOfBuild(sides, sshd.release),
    );
    for (const { what, ...sides } of found) differences.push({ tree, connection, what, ...sides });
  }
  return { pairs: connections.length, accepted: true, unknown: 0, differences };
}

/** Only a resolver knows host names, only passwd the home of `~name`; `check` lists what depends on the machine. */
export const OF_THE_MACHINE: RegExp =
  /^bad addr or host: .* \((Name or service not known|Temporary failure in name resolution)|^tilde_expand(?:_filename)?: No such user/;

interface RealVerdict extends Verdict {
  readonly messages: readonly string[];
}

async function realVerdict(sshd: Sshd): Promise<RealVerdict> {
  const { exit, stderr } = await sshd.run(["-t", ...HOST_KEY]);
  const messages = stderr.split(/\r?\n/).filter((line) => line !== "" && !NOT_OF_THE_FILES.test(line));
  return { accepted: exit === 0, error: exit === 0 ? null : firstError(stderr), messages };
}

/** The count at the end of a file, and lines about key files and agents of this machine. */
const NOT_OF_THE_FILES =
  /(: terminating, [0-9]+ bad configuration options$|^Unable to load host |^Could not load host |^key_load_|^Certificate file is not a certificate|^Could not connect to agent|^Missing privilege)/;

function firstError(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line !== "" && !NOT_OF_THE_FILES.test(line));
  return lines.find((line) => !WARNING.test(line)) ?? stderr;
}

const WARNING = /: (Deprecated|Unsupported) option /;

const SEGMENTATION_FAULT = 128 + 11;

/** The lines of `sshd -T` by keyword, in lower case. */
export function printedSettings({ exit, stdout, stderr }: Run): Settings {
  if (exit === SEGMENTATION_FAULT) return { error: "sshd crashes" };
  if (exit !== 0) return { error: firstError(stderr) };
  const settings = new Map<string, string[]>();
  for (const line of stdout.split("\n")) {
    if (line === "") continue;
    const blank = line.indexOf(" ");
    const key = lowerAscii(blank === -1 ? line : line.slice(0, blank));
    const value = blank === -1 ? "" : line.slice(blank + 1);
    settings.set(key, [...(settings.get(key) ?? []), plain(value)]);
  }
  return settings;
}

/** The working directory (`/`) before relative file names, and what the C library prints for no name at all. */
function plain(value: string): string {
  if (value === "(null)") return "none";
  return value
    .split(" ")
    .map((word) => (word.startsWith("//") ? word.slice(2) : word))
    .join(" ");
}

/** What the machine or the build decides, so that the file alone cannot tell. */
const MACHINE: ReadonlySet<string> = new Set(["hostkey"]);

/**
 * Upstream's default of XAuthLocation is what configure found; up to 10.2 PerSourceNetBlockSize without its second
 * part prints memory that was never set.
 */
function isOfBuild({ what, ours, sshd }: Sides, release: Release): boolean {
  if (what === "xauthlocation") return release.vendor === "upstream";
  const unset = what === "persourcenetblocksize" && !atLeast(release, "10.3") && ours.endsWith(":0");
  return unset && ours.split(":")[0] === sshd.split(":")[0];
}

interface Sides {
  readonly what: string;
  readonly ours: string;
  readonly sshd: string;
}

function compareSettings(ours: Settings, sshd: Settings): Sides[] {
  if ("error" in ours || "error" in sshd) {
    const [mine, real] = [ours, sshd].map((side) => ("error" in side ? String(side.error) : "an answer"));
    return mine === real ? [] : [{ what: "answer", ours: String(mine), sshd: String(real) }];
  }
  const keys = [...new Set([...ours.keys(), ...sshd.keys()])].filter((key) => !MACHINE.has(key));
  return keys
    .map((key) => ({ what: key, ours: joined(ours.get(key)?.map(plain)), sshd: joined(sshd.get(key)) }))
    .filter((sides) => sides.ours !== sides.sshd);
}

function joined(values: readonly string[] | undefined): string {
  return (values ?? []).join("\n");
}
