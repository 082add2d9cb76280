/** `audit`: rules over configurations, findings out. */
import { statSync } from "node:fs";
import { RULES } from "../../rules/index.ts";
import { planChanges } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import { accountsOf } from "../files/accounts.ts";
import { type HostFacts, hostFacts } from "../files/host-facts.ts";
import type { LayerOrigin } from "../files/image-manifest.ts";
import { byPlace, judge } from "../lint/audit.ts";
import { compareIntent } from "../lint/intended.ts";
import { type Intent, saysWhatIsWanted, switchedOff, withSettings } from "../lint/intent.ts";
import type { AllowedForwarding, Finding, Rule, Severity } from "../lint/rule.ts";
import type { Judged } from "../lint/suppressions.ts";
import type { Answer } from "../policy/answer.ts";
import { exposure } from "../policy/exposure.ts";
import { keyFilesOf } from "../policy/key-files.ts";
import { lineUses } from "../policy/line-uses.ts";
import type { AuditReport, ReportedEdit, TargetReport } from "../report/report.ts";
import { visible } from "../report/text.ts";
import { positionAt } from "../source/source.ts";
import type { ApplyOptions } from "./apply-options.ts";
import { type IntentOptions, makeIntentFinder } from "./intent.ts";
import { readingsElsewhere } from "./other-readings.ts";
import { complain, type OutputOptions, refuse, renderAudit, writeAnswer } from "./output.ts";
import type { ProgressOptions } from "./progress.ts";
import { openSources } from "./sources.ts";
import { type Absent, isServer, releaseText, type Target, type Unreadable, worldOf } from "./targets.ts";
import { ownVersion } from "./version.ts";

export interface AuditCommandOptions extends IntentOptions, OutputOptions, ApplyOptions, ProgressOptions {
  readonly rule?: readonly string[];
  readonly profile?: string;
  readonly failOn?: Severity;
  readonly allowForwarding?: AllowedForwarding;
  /** false with --no-suppressions */
  readonly suppressions: boolean;
  readonly baseline?: string;
  readonly writeBaseline?: string;
  readonly fix?: boolean;
  readonly unsafeFixes?: boolean;
  readonly diff?: boolean;
  /** worker threads; without it this one alone */
  readonly jobs?: number;
}

/** By what a target is judged: the options of the call, and its policy file where they say nothing. */
export interface Judging {
  readonly rules: readonly Rule[];
  readonly allowed: AllowedForwarding;
  readonly failOn: Severity;
  readonly suppressions: boolean;
  readonly intent: Intent | null;
}

export interface Prepared {
  readonly target: Target;
  readonly judging: Judging;
}

export interface PreparedAudit {
  readonly opened: readonly (Prepared | Unreadable | Absent)[];
}

export async function runAudit(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  const audited = await auditAll(files, options);
  if ("misuse" in audited) return misused(audited);
  const tool = { name: "sshd-policy", version: ownVersion() };
  const report: AuditReport = { tool, targets: audited.targets, fixed: 0 };
  const compared = await withBaseline(report, options);
  return typeof compared === "string" ? refuse(compared) : finish(compared, options);
}

type Audited = { readonly targets: readonly TargetReport[] } | { readonly misuse: string };

/** In this thread, or with --jobs in several: a call of few files is not worth a second one. */
async function auditAll(files: readonly string[], options: AuditCommandOptions): Promise<Audited> {
  const { jobs = 1, repo } = options;
  const counter = openCounter(options);
  const isRepository = repo !== undefined && files.length === 0 && isFolder(repo);
  try {
    if (jobs < 2 || files.includes("-") || (files.length < 2 && !isRepository))
      return await auditTargets(files, options, counter.count);
    const { auditInWorkers } = await import("./jobs.ts");
    if (!isRepository)
      return await auditInWorkers({ files, options }, Math.min(jobs, files.length), counter.count);
    const { repo: _, ...rest } = options;
    const { plain, skipped } = (await import("./repository.ts")).listRepository(repo);
    const audited = await auditInWorkers({ files: plain, options: rest }, jobs, counter.count);
    if ("misuse" in audited) return audited;
    return { targets: [...audited.targets, ...skipped.map(withoutFindings)] };
  } finally {
    counter.close();
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** `count` is told of each target that is done, and how many there are. */
export async function auditTargets(
  files: readonly string[],
  options: AuditCommandOptions,
  count: (done: number, of: number) => void,
): Promise<Audited> {
  const prepared = await prepareAudit(files, options);
  if ("misuse" in prepared) return prepared;
  const { opened } = prepared;
  const targets = opened.map((one) => {
    const report = auditTarget(one);
    count(1, opened.length);
    return report;
  });
  return { targets };
}

/** Fewer targets are done before anybody has read a line. */
const COUNTED_FROM = 50;

/** "120 of 1000 audited" on a terminal, on a line that is cleared at the end. */
function openCounter({ quiet }: OutputOptions): {
  readonly count: (done: number, of: number) => void;
  readonly close: () => void;
} {
  const isShown = quiet !== true && process.stderr.isTTY === true;
  let sum = 0;
  let shownAt = 0;
  return {
    count: (done, of) => {
      sum += done;
      if (!isShown || of < COUNTED_FROM || Date.now() - shownAt < 100) return;
      shownAt = Date.now();
      process.stderr.write(`\r${sum} of ${of} audited`);
    },
    close: () => {
      if (shownAt > 0) process.stderr.write("\r\x1b[K");
    },
  };
}

/** The targets of a call, each with what it is judged by, or why the call is wrong usage. */
export async function prepareAudit(
  files: readonly string[],
  options: AuditCommandOptions,
): Promise<PreparedAudit | { readonly misuse: string }> {
  const unknown = options.rule?.find((id) => RULES.every((rule) => rule.id !== id));
  if (unknown !== undefined)
    return { misuse: `there is no rule "${unknown}". "sshd-policy rules" lists them.` };
  const found = await openSources(files, options);
  if ("misuse" in found) return found;
  const intentOf = makeIntentFinder(options);
  const opened: (Prepared | Unreadable | Absent)[] = [];
  for (const target of found) {
    const intent = "config" in target ? await intentOf(target) : null;
    if (intent !== null && "mistakes" in intent && options.config !== undefined)
      return { misuse: intent.mistakes.join("\n") };
    if (!("config" in target)) opened.push(target);
    else if (intent !== null && "mistakes" in intent)
      opened.push({ name: target.name, error: intent.mistakes.join("\n") });
    else opened.push({ target, judging: judgingOf(options, intent) });
  }
  return { opened };
}

function judgingOf(options: AuditCommandOptions, intent: Intent | null): Judging {
  const rules = chooseRules(options.rule, options.profile ?? intent?.profile ?? "default");
  return {
    rules: withSettings(rules, intent?.rules ?? [], options.rule),
    allowed: options.allowForwarding ?? intent?.allowForwarding ?? "none",
    failOn: options.failOn ?? intent?.failOn ?? "low",
    suppressions: options.suppressions,
    intent,
  };
}

/** Findings of --baseline held back; with --write-baseline all of today's are, after they are written. */
async function withBaseline(
  report: AuditReport,
  options: AuditCommandOptions,
): Promise<AuditReport | string> {
  const { baseline, writeBaseline: written } = options;
  if (baseline === undefined && written === undefined) return report;
  const { applyBaseline, readBaseline, writeBaseline } = await import("./baseline.ts");
  const failed = written === undefined ? null : writeBaseline(report, written);
  if (failed !== null) return failed;
  const path = baseline ?? written ?? "";
  const known = readBaseline(path);
  return typeof known === "string" ? known : applyBaseline(report, known, path);
}

/** Prints the report and gives the exit code. */
export async function finish(report: AuditReport, options: AuditCommandOptions): Promise<number> {
  for (const { error, absent } of report.targets) complainOf(error ?? absent);
  const failed = writeAnswer(await renderAudit(report, options), options);
  return failed !== null ? refuse(failed) : exitCode(report);
}

/** Wrong usage: the exit code. */
export function misused({ misuse }: { readonly misuse: string }): number {
  complainOf(misuse);
  return 2;
}

/** The mistakes of a policy file are a line each. */
export function complainOf(error: string | null): void {
  for (const line of error?.split("\n") ?? []) complain(visible(line));
}

function chooseRules(ids: readonly string[] | undefined, profile: string): readonly Rule[] {
  if (ids !== undefined) return RULES.filter(({ id }) => ids.includes(id));
  return profile === "strict" ? RULES : RULES.filter(({ strict }) => strict !== true);
}

function auditTarget(prepared: Prepared | Unreadable | Absent): TargetReport {
  if (!("target" in prepared)) return withoutFindings(prepared);
  const { target, judging } = prepared;
  return describe(target, target.config, findingsOf(target, target.config, judging), judging);
}

export interface Found {
  readonly judged: readonly Judged[];
  readonly limits: readonly string[];
  readonly answers: readonly Answer[];
}

/** Of a drop-in given as FILE only its own findings. */
export function findingsOf(
  target: Target,
  config: Config,
  { rules, allowed, suppressions, intent }: Judging,
): Found {
  const world = worldOf(target);
  const intended = saysWhatIsWanted(intent)
    ? compareIntent(config, intent, { ...world, today: today() })
    : null;
  const found = intended?.everything ?? exposure(config, world);
  const judged = judge(config, found, rules, {
    lineUses: lineUses(config, world),
    allowed,
    intended,
    accounts: target.accounts,
    fragment: target.fragment,
    facts: factsOf(target, config),
    ...(target.loadOptions.shownAs === undefined ? {} : { shownAs: target.loadOptions.shownAs }),
    suppressions: suppressions ? { today: today(), knownRules: RULES.map(({ id }) => id) } : null,
  });
  const limits = [...new Set([...config.limits, ...found.limits, ...target.accountLimits])];
  if (target.onlyRealPath === null) return { judged, limits, answers: found.answers };
  const own = new Set(
    config.files.filter(({ realPath }) => realPath === target.onlyRealPath).map(({ source }) => source),
  );
  return {
    judged: judged.filter(({ finding }) => own.has(finding.place.source)),
    limits,
    answers: found.answers,
  };
}

/** Permissions count on this host and in a root, not in a checkout; owners where they are those of the server. */
function factsOf(target: Target, config: Config): HostFacts {
  return hostFacts(target.tree, {
    files: config.files.map(({ realPath }) => realPath),
    // a drop-in folder belongs to the sshd_config beside it, to no other file
    configFolder: target.path.endsWith("/sshd_config")
      ? (target.loadOptions.configFolder ?? "/etc/ssh")
      : null,
    owners: target.live || target.image !== null,
    permissions: isServer(target),
    running: target.live,
    // accounts of this host label nothing in the open world, but their keys are there
    keyFiles: isServer(target) ? keyFilesOf(config, target.accounts ?? accountsOf(target.tree) ?? []) : [],
  });
}

/** The date here, as people write it in a suppression. */
function today(): string {
  const now = new Date();
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

export function describe(
  target: Target,
  config: Config,
  { judged, limits, answers }: Found,
  { failOn, intent }: Judging,
): TargetReport {
  const inOrder = byPlace(config);
  return {
    failOn,
    policyFile: intent === null ? null : { path: intent.path, off: switchedOff(intent) },
    path: target.name,
    openssh: releaseText(target),
    opensshSource: target.releaseSource,
    otherReadings: readingsElsewhere(target),
    accounts:
      target.startSource === null
        ? target.accountsText
        : `${target.accountsText}; with the options of ${target.startSource}`,
    complete: limits.length === 0,
    limits,
    checkCommand: target.checkCommand,
    error: null,
    absent: null,
    answers,
    findings: judged
      .map(({ finding, suppressed }) => {
        const edits = editsOf(config, finding);
        const shown = atInsertion(config, finding, edits);
        return { finding: shown, edits, suppressed, layer: layerOf(target, config, shown) };
      })
      .sort((a, b) => inOrder(a.finding, b.finding)),
  };
}

/** The layer of an image that wrote the line of a finding. */
function layerOf({ image }: Target, config: Config, { place }: Finding): LayerOrigin | null {
  const file = config.files.find(({ source }) => source === place.source);
  if (image === null || file === undefined) return null;
  const { text, lineStarts } = place.source;
  const { line } = positionAt(place.source, place.span.start);
  const end = (lineStarts[line] ?? text.length + 1) - 1;
  return image.writerOf(file.realPath, text.slice(lineStarts[line - 1] ?? 0, end));
}

/** A finding without a line of its own points at where its fix inserts. */
function atInsertion(config: Config, finding: Finding, edits: readonly ReportedEdit[] | null): Finding {
  const { start, end } = finding.place.span;
  const [edit] = edits ?? [];
  if (start !== 0 || end !== 0 || edit === undefined) return finding;
  const source = config.files.find((file) => file.source.path === edit.path)?.source;
  return source === undefined
    ? finding
    : { ...finding, place: { source, span: { start: edit.start, end: edit.start } } };
}

/** The fix of one finding alone, as edits with the paths that people see. */
function editsOf(config: Config, { fix }: Finding): readonly ReportedEdit[] | null {
  if (fix === null) return null;
  const shown = new Map(config.files.map(({ realPath, source }) => [realPath, source.path]));
  return planChanges(config, fix.changes).edits.map(({ path, ...edit }) => ({
    path: shown.get(path) ?? path,
    ...edit,
  }));
}

/** A target that cannot be read, or a system without sshd. */
export function withoutFindings(opened: Unreadable | Absent): TargetReport {
  const nothing: Omit<TargetReport, "path" | "complete" | "error" | "absent"> = {
    failOn: "low",
    policyFile: null,
    openssh: "",
    opensshSource: "",
    otherReadings: [],
    accounts: "",
    checkCommand: "",
    limits: [],
    findings: [],
    answers: [],
  };
  const path = opened.name;
  return "absent" in opened
    ? { path, complete: true, error: null, absent: opened.absent, ...nothing }
    : { path, complete: false, error: opened.error, absent: null, ...nothing };
}

const RANK: readonly Severity[] = ["info", "low", "medium", "high", "error"];

/** 3 before 2 before 1: an answer that is not complete must not be taken for a clean one. */
export function exitCode(report: AuditReport): number {
  const read = report.targets.filter(({ error }) => error === null);
  if (read.some(({ complete }) => !complete)) return 3;
  if (read.length < report.targets.length) return 2;
  const failing = read.some(({ findings, failOn }) =>
    findings.some(
      ({ finding, suppressed }) =>
        suppressed === null && RANK.indexOf(finding.severity) >= RANK.indexOf(failOn),
    ),
  );
  return failing ? 1 : 0;
}
