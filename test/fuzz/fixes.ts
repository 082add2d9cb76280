/**
 * The fix of one tree before a real sshd, as `audit --fix` plans it: accepted, closed where a finding said so, nothing
 * else moved for any connection asked about, nothing left for a second run, no needless hunk, no file but its own.
 */
import { structuredPatch } from "diff";
import { RULES } from "../../rules/index.ts";
import { keywordOf } from "../../src/config/change.ts";
import type { Config } from "../../src/config/config.ts";
import { applyEdits } from "../../src/edit/edit.ts";
import { readAccounts } from "../../src/files/accounts.ts";
import type { Account } from "../../src/files/tree.ts";
import type { Audited, Plan, PlannedFile, PlanRequest } from "../../src/fix/plan.ts";
import { proveFix } from "../../src/fix/proof.ts";
import { audit } from "../../src/lint/audit.ts";
import { compareIntent } from "../../src/lint/intended.ts";
import type { Intent } from "../../src/lint/intent.ts";
import type { AllowedForwarding, Finding, Rule } from "../../src/lint/rule.ts";
import { requirements } from "../../src/policy/capabilities.ts";
import { comparePolicies } from "../../src/policy/compare.ts";
import { CAPABILITIES, type Capability, type Connection } from "../../src/policy/connection.ts";
import { exposure } from "../../src/policy/exposure.ts";
import { lineUses } from "../../src/policy/line-uses.ts";
import { accountFiles } from "../sshd/accounts.ts";
import { HOST_KEY, type Sshd } from "../sshd/driver.ts";
import { load, MAIN_FILE, type Settings } from "../sshd/reading.ts";
import { memoryTree, optionsOf, type ServerTree } from "../sshd/server-tree.ts";
import { askAll, connectionsFor, isOpen, type Printed, whoText } from "./asking.ts";
import type { DrawnCase, FuzzCase } from "./generate.ts";
import { type Difference, type Judgement, REFUSED, type Reading } from "./judge.ts";
import { makeRandom, type Random } from "./random.ts";
import { drawIntent, entryOf, intentOf, intentText, means, takenAway } from "./wishes.ts";

/** What a call of `audit --fix` chooses. */
export interface FixCall {
  readonly rules: readonly Rule[];
  readonly allowed: AllowedForwarding;
  readonly unsafe: boolean;
  /** the policy file */
  readonly intent: Intent | null;
  /** nobody else exists; null: anybody may */
  readonly accounts: readonly Account[] | null;
}

const DEFAULT_RULES = RULES.filter(({ strict }) => strict !== true);

/** `audit --fix --unsafe-fixes` */
export const FIX_ALL: FixCall = {
  rules: DEFAULT_RULES,
  allowed: "none",
  unsafe: true,
  intent: null,
  accounts: null,
};

export function judgeFixes(sshd: Sshd, fuzzCase: DrawnCase, reading: Reading): Promise<Judgement> {
  return judgeFix(sshd, fuzzCase, reading, drawCall(sshd, fuzzCase, reading));
}

function drawCall(sshd: Sshd, { tree, draw }: DrawnCase, reading: Reading): FixCall {
  const random = makeRandom(draw);
  if (random.chance(30)) return FIX_ALL;
  const fixing = RULES.filter(({ docs }) => !docs.fix.startsWith("None"));
  const call = {
    rules: random.pick([DEFAULT_RULES, RULES, random.some(1, 3, () => random.pick(fixing))]),
    unsafe: random.chance(60),
    accounts: random.chance(30) ? TEST_ACCOUNTS : null,
  };
  if (random.chance(60))
    return { ...call, intent: null, allowed: random.pick(["none", "none", "local", "remote"]) };
  return { ...call, allowed: "none", intent: wishFor(load(tree, sshd.release), random, reading) };
}

/** Drawn, or some of what is open. */
function wishFor(config: Config, random: Random, reading: Reading): Intent {
  const open = reading.exposure(config).answers.filter(({ allowed }) => allowed === true);
  if (open.length === 0 || random.chance(40)) return drawIntent(random);
  const some = random.some(1, 3, () => entryOf(random.pick(open)));
  return random.chance(70) ? intentOf(some, []) : intentOf(null, some);
}

const { passwd, group } = accountFiles();
const TEST_ACCOUNTS = readAccounts([`root:x:0:0::/root:/bin/sh\n${passwd}`, `root:x:0:\n${group}`]);

interface Fixing {
  readonly sshd: Sshd;
  readonly call: FixCall;
  readonly fix: Reading["fix"];
  readonly before: ServerTree;
  readonly after: ServerTree;
  readonly plan: Plan;
}

export async function judgeFix(
  sshd: Sshd,
  { tree, connections }: FuzzCase,
  reading: Reading,
  call: FixCall,
): Promise<Judgement> {
  const config = load(tree, sshd.release);
  if (!reading.verdict(config).accepted || !(await accepts(sshd, tree))) return REFUSED;
  const plan = reading.fix(requestOf(tree, sshd, call));
  const written = Object.fromEntries(plan.files.map(({ realPath, after }) => [realPath, after]));
  const fixing = { sshd, call, fix: reading.fix, before: tree, after: { ...tree, ...written }, plan };
  const said = [
    ...whatPlanSays(fixing),
    ...((await accepts(sshd, fixing.after)) ? [] : [{ what: "refused", sshd: "refuses the result" }]),
    ...(await needlessHunks(fixing)),
  ];
  const anybody = connectionsFor([config], connections, witnessesOf(plan));
  const asked = anybody.filter(({ user, groups }) => exists(call, user, groups));
  const old = await askAll(sshd, tree, asked);
  const now = await askAll(sshd, fixing.after, asked);
  for (const [index, connection] of asked.entries()) {
    const [before, after] = [old[index], now[index]];
    if (before === undefined || after === undefined || "error" in before) continue;
    said.push(...whatMoved(fixing, connection, { before, after }));
  }
  const differences = said.map(
    (one): Difference => ({ tree, connection: null, what: one.what, ours: callText(call), sshd: one.sshd }),
  );
  return { pairs: asked.length * 2, accepted: true, unknown: 0, differences };
}

function exists({ accounts }: FixCall, user: Connection["user"], groups: Connection["groups"]): boolean {
  if (accounts === null) return true;
  const account = accounts.find(({ name }) => name === user);
  return account !== undefined && joined([...account.groups].sort()) === joined([...(groups ?? [])].sort());
}

interface Said {
  readonly what: string;
  readonly sshd: string;
}

export function requestOf(
  tree: ServerTree,
  { release }: Pick<Sshd, "release">,
  { rules, allowed, unsafe, intent, accounts }: FixCall,
): PlanRequest {
  const audited = (config: Config): Audited => {
    const intended = intent === null ? null : compareIntent(config, intent, { accounts, today: TODAY });
    const found = intended?.everything ?? exposure(config, { answers: "open", accounts });
    const options = { lineUses: lineUses(config, { accounts }), allowed, intended, accounts };
    const losses = intended?.losses.length ?? 0;
    return { findings: audit(config, found, rules, options), answers: found.answers, losses };
  };
  return {
    tree: memoryTree(tree),
    path: MAIN_FILE,
    load: { release, commandLine: optionsOf(tree) },
    audit: audited,
    unsafe,
  };
}

const TODAY = "2026-11-26";

async function accepts(sshd: Sshd, tree: ServerTree): Promise<boolean> {
  sshd.place(tree);
  return (await sshd.run(["-t", ...HOST_KEY])).exit === 0;
}

/** What can be judged without sshd. */
function whatPlanSays({ plan, before, after, sshd, call, fix }: Fixing): Said[] {
  const said: Said[] = [];
  const { unasked, limits } = proveFix(plan, call.accounts);
  const again = fix(requestOf(after, sshd, call)).files;
  for (const { keyword } of plan.moved) said.push({ what: "stopped", sshd: `${keyword} would move` });
  for (const text of plan.broken) said.push({ what: "stopped", sshd: text });
  if (limits.length === 0) said.push(...unasked.map((text) => ({ what: "unasked", sshd: text })));
  for (const { realPath } of plan.files.filter(({ realPath }) => !(realPath in before)))
    said.push({ what: "outside", sshd: realPath });
  if (again.length > 0) said.push({ what: "second run", sshd: diffText(again) });
  return said;
}

function witnessesOf({ fixed, remaining }: Plan): Connection[] {
  return [...fixed, ...remaining].flatMap(({ witness }) => witness ?? []);
}

interface Sides {
  readonly before: ReadonlyMap<string, readonly string[]>;
  readonly after: Settings;
}

function whatMoved(fixing: Fixing, connection: Connection, { before, after }: Sides): Said[] {
  const who = whoText(connection);
  if ("error" in after) return [{ what: "ends", sshd: `${after.error} ${who}` }];
  const { plan } = fixing;
  const moved = [...before].filter(([keyword, values]) => joined(values) !== joined(after.get(keyword)));
  const unnamed = moved.filter(([keyword]) => !isWanted(plan, keyword, joined(after.get(keyword))));
  return [
    ...unnamed.map(([keyword, values]) => ({
      what: `moved ${keyword}`,
      sshd: `${joined(values)} -> ${joined(after.get(keyword))} ${who}`,
    })),
    ...CAPABILITIES.flatMap((capability) => {
      const wrong = whatBecame(fixing, { capability, connection }, { before, after });
      return wrong === null ? [] : [{ what: wrong, sshd: `${capability} ${who}` }];
    }),
    ...wantedAndGone(fixing, connection, { before, after }),
  ];
}

/** A safe fix leaves open what the policy file wants. */
function wantedAndGone(
  { call, plan, sshd }: Fixing,
  connection: Connection,
  sides: Sides & { readonly after: Printed },
): Said[] {
  if (call.intent === null || call.unsafe) return [];
  return [...(call.intent.allow ?? []), ...call.intent.keep]
    .filter(({ grant }) => means(grant, connection, plan.before))
    .flatMap(({ grant }) =>
      grant.capabilities.flatMap((capability) => {
        const gone = takenAway(grant, capability, { ...sides, sshd });
        return gone === null
          ? []
          : [{ what: "wanted and gone", sshd: `${capability} ${gone} ${whoText(connection)}` }];
      }),
    );
}

/** Null: as it should be. */
function whatBecame(
  fixing: Fixing,
  { capability, connection }: { readonly capability: Capability; readonly connection: Connection },
  { before, after }: Sides & { readonly after: ReadonlyMap<string, readonly string[]> },
): string | null {
  const { plan, call, sshd } = fixing;
  const [was, is] = [isOpen(before, capability, sshd), isOpen(after, capability, sshd)];
  if (!was) return is ? "opened" : null;
  const isMeant = capability === `tcp-${call.allowed}`;
  if (isMeant) return is ? null : "closed what is meant";
  const promised = plan.fixed.some(
    (finding) =>
      finding.capability === capability &&
      finding.witness !== null &&
      whoText(finding.witness) === whoText(connection) &&
      closing(finding, sshd),
  );
  if (is && promised) return "promised and open";
  return is && call === FIX_ALL && !isToldOfOption(fixing, capability) ? "left open" : null;
}

/** What an option of sshd's opens no edit of a file can close: it stays a finding, of all that the option opens. */
function isToldOfOption({ before, plan, sshd }: Fixing, capability: Capability): boolean {
  const keywords = optionsOf(before).map((text) => text.toLowerCase());
  const opens = requirements(capability, sshd.release).some(({ keyword }) =>
    keywords.some((text) => text.includes(keyword)),
  );
  return opens && plan.remaining.some(({ fix, capability: told }) => fix === null && told !== null);
}

/** Whether the fix, as it is told, closes the capability rather than a part of it. */
function closing({ fix, capability }: Finding, sshd: Sshd): boolean {
  if (fix === null || capability === null) return false;
  return fix.changes.some((change) =>
    requirements(capability, sshd.release).some(
      ({ keyword, closes }) => keyword === keywordOf(change) && closes(change.value.split(" ")),
    ),
  );
}

function isWanted({ changes }: Plan, keyword: string, value: string): boolean {
  return changes.some((change) => keywordOf(change) === keyword && change.value === value);
}

/** Each run of changed lines, taken back alone, must bring back a finding: else it was not needed. */
async function needlessHunks({ plan, sshd, call, fix, after }: Fixing): Promise<Said[]> {
  const said: Said[] = [];
  for (const file of plan.files) {
    for (const without of takenBack(file)) {
      const tree = { ...after, [file.realPath]: without };
      if (fix(requestOf(tree, sshd, call)).files.length > 0 || !(await accepts(sshd, tree))) continue;
      // what is open without it may be a finding of a rule that was not asked for
      if (comparePolicies(plan.after, load(tree, sshd.release), call).changes.length > 0) continue;
      said.push({ what: "needless", sshd: diffText([{ ...file, after: without }]) });
    }
  }
  return said;
}

type Changed = Pick<PlannedFile, "before" | "after">;

/** The new text with one edit left out, for each of them. */
function takenBack({ before, edits }: Pick<PlannedFile, "before" | "edits">): string[] {
  return edits.map((edit) =>
    applyEdits(
      before,
      edits.filter((other) => other !== edit),
    ),
  );
}

function diffText(files: readonly Changed[]): string {
  return files
    .flatMap(({ before, after }) => structuredPatch("a", "b", before, after, "", "", { context: 0 }).hunks)
    .flatMap(({ lines }) => lines)
    .join(" ⏎ ");
}

function callText({ rules, allowed, unsafe, intent, accounts }: FixCall): string {
  const named = rules.length > 3 ? `${rules.length} rules` : rules.map(({ id }) => id).join(" ");
  const wanted = intent === null ? `${allowed} allowed` : intentText(intent);
  return `${named}, ${wanted}${unsafe ? ", unsafe" : ""}${accounts === null ? "" : ", accounts"}`;
}

function joined(values: readonly string[] | undefined): string {
  return (values ?? []).join(" ");
}
