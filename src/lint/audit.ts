/** Runs the rules over one configuration and its meaning. */

import { onceFor } from "../../grammar/remember.ts";
import type { Config } from "../config/config.ts";
import { keywordsOf } from "../config/keyword-lines.ts";
import type { Account } from "../files/tree.ts";
import type { Exposure, LineUse } from "../policy/answer.ts";
import { closingLine, locate } from "../policy/locate.ts";
import { loginThrough } from "../policy/login.ts";
import { openTo } from "../policy/open-to.ts";
import { oncePerPlace, positionAt } from "../source/source.ts";
import type { HostFacts } from "../start/host-facts.ts";
import { whatBreaks } from "./breaks.ts";
import type { Intended } from "./intended.ts";
import { withIntent } from "./intent-fixes.ts";
import {
  type AllowedForwarding,
  type Audit,
  DEAD_LINES,
  type Draft,
  type Finding,
  PROBLEMS,
  type Rule,
  type Severity,
} from "./rule.ts";
import { applySuppressions, type Judged, type Suppressed, type SuppressionOptions } from "./suppressions.ts";
import { cutWords } from "./wording.ts";

export interface AuditOptions {
  readonly allowed?: AllowedForwarding;
  readonly lineUses?: readonly LineUse[];
  readonly accounts?: readonly Account[] | null;
  readonly world?: readonly Account[] | null;
  readonly facts?: HostFacts | null;
  readonly shownAs?: (path: string) => string;
  /** a drop-in without its main file: what no line sets is unknown, and no finding */
  readonly fragment?: boolean;
  /** what the policy file wants, compared with this configuration; null, the default: there is none */
  readonly intended?: Intended | null;
  /** null, the default: suppressions in the files count for nothing */
  readonly suppressions?: Pick<SuppressionOptions, "today" | "knownRules"> | null;
}

export const SEVERITIES: readonly Severity[] = ["error", "high", "medium", "low", "info"];

/** The findings that no suppression holds back: files in sshd's order, then by line, severity and rule. */
export function audit(
  config: Config,
  exposure: Exposure,
  rules: readonly Rule[],
  options: AuditOptions = {},
): Finding[] {
  return judge(config, exposure, rules, options).flatMap(({ finding, suppressed }) =>
    suppressed === null ? [finding] : [],
  );
}

/** All findings, each with the suppression that holds it back, if any. */
export function judge(
  config: Config,
  exposure: Exposure,
  rules: readonly Rule[],
  options: AuditOptions = {},
): Judged[] {
  const intended = options.intended ?? null;
  const seen = intended?.unwanted ?? exposure;
  const looked: Audit = {
    config,
    exposure: options.fragment === true ? withoutDefaults(seen) : seen,
    everything: exposure,
    intended,
    lineUses: countedOnce(options.lineUses ?? []),
    allowed: options.allowed ?? "none",
    at: (capability, connection) => {
      const answer = locate(config, exposure.answers, capability, connection);
      return answer?.allowed === false ? null : answer;
    },
    closing: (capability, connection) => closingLine(config, capability, connection),
    openTo: (account, capabilities, from = null) =>
      openTo({ config, answers: exposure.answers }, account, { capabilities, from }),
    login: (connection) => loginThrough(config, connection),
    accounts: options.accounts ?? null,
    world: options.world ?? null,
    facts: options.facts ?? null,
    shownAs: options.shownAs ?? ((path) => path),
    complaints: [],
  };
  const { ids, early: first, late: last } = inOrder(rules);
  const early = runRules(first, looked)
    .map((finding) => (intended === null ? finding : withIntent(config, intended, finding)))
    .map((finding) =>
      finding.fix === null ? finding : { ...finding, breaks: whatBreaks(config.release, finding) },
    );
  const { judged, complaints } = suppress(config, early, ids, options);
  const late = runRules(last, { ...looked, complaints });
  const all = [...judged, ...late.map((finding) => ({ finding, suppressed: null }))];
  const compare = byPlace(config);
  return all.sort((a, b) => compare(a.finding, b.finding));
}

function runRules(rules: readonly Rule[], looked: Audit): Finding[] {
  const findings: Finding[] = [];
  const subjects = subjectsOf(looked);
  for (const rule of rules) {
    if (rule.about !== undefined && !holdsOne(subjects, rule.about)) continue;
    const drafts = rule.check(looked);
    // most rules find nothing
    if (drafts.length > 0) for (const draft of oncePerPlace(drafts)) findings.push(complete(rule, draft));
  }
  return findings;
}

/** What rules may be about, of what the configuration holds. */
function subjectsOf({ config, lineUses }: Audit): ReadonlySet<string> {
  const subjects = new Set(keywordsOf(config));
  if (config.matches.length > 0) subjects.add("match");
  if (config.includes.length > 0) subjects.add("include");
  if (config.problems.length > 0) subjects.add(PROBLEMS);
  if (lineUses.some(({ decides }) => decides === false)) subjects.add(DEAD_LINES);
  return subjects;
}

function holdsOne(subjects: ReadonlySet<string>, wanted: readonly string[]): boolean {
  for (const subject of wanted) if (subjects.has(subject)) return true;
  return false;
}

/** A file that is included again is read again: a line of it counts where one of its readings does. */
function countedOnce(uses: readonly LineUse[]): readonly LineUse[] {
  if (uses.every(({ decides }) => decides !== false)) return uses;
  const counting = new Set(uses.flatMap((use) => (use.decides === false ? [] : [use.directive.line])));
  return uses.filter(({ decides, directive }) => decides !== false || !counting.has(directive.line));
}

/** The rules of a run are the same for all its files. */
const inOrder = onceFor((rules: readonly Rule[]) => ({
  ids: new Set(rules.map(({ id }) => id)),
  early: rules.filter(({ late }) => late !== true),
  late: rules.filter(({ late }) => late === true),
}));

function suppress(
  config: Config,
  findings: readonly Finding[],
  ran: ReadonlySet<string>,
  { suppressions = null }: AuditOptions,
): Suppressed {
  if (suppressions === null)
    return { judged: findings.map((finding) => ({ finding, suppressed: null })), complaints: [] };
  return applySuppressions(config, findings, { ...suppressions, ran });
}

/** Answers that a written line opens: what only defaults open is unknown in a fragment. */
function withoutDefaults(exposure: Exposure): Exposure {
  const answers = exposure.answers.filter(({ decidedBy }) => decidedBy[0]?.directive !== null);
  return { ...exposure, answers };
}

const NONE: readonly never[] = [];

/** Spelled out, not spread: V8 shall see one shape. */
function complete(rule: Rule, draft: Draft): Finding {
  return {
    rule: rule.id,
    severity: draft.severity ?? rule.severity,
    message: cutWords(draft.message),
    place: draft.place,
    label: draft.label ?? "",
    related: draft.related ?? NONE,
    witness: draft.witness ?? null,
    grant: draft.grant ?? "",
    capability: draft.capability ?? null,
    login: draft.login ?? null,
    affected: draft.affected ?? NONE,
    permissionsOf: draft.permissionsOf ?? null,
    notes: draft.notes?.map(cutWords) ?? NONE,
    fix: draft.fix ?? null,
    breaks: null,
  };
}

/** The order of a report: files as sshd reads them, lines, then severity and rule. */
export function byPlace(config: Config): (a: Finding, b: Finding) => number {
  const fileOrder = new Map(config.files.map(({ source }, index) => [source, index]));
  const orderOf = ({ place }: Finding): number => fileOrder.get(place.source) ?? -1;
  return (a, b) =>
    orderOf(a) - orderOf(b) ||
    positionAt(a.place.source, a.place.start).line - positionAt(b.place.source, b.place.start).line ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    (a.rule < b.rule ? -1 : Number(a.rule > b.rule));
}
