/** `audit`: rules over configurations, findings out. */
import { RULES } from "../../rules/index.ts";
import { planChanges } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import { type HostFacts, hostFacts } from "../files/host-facts.ts";
import { judge } from "../lint/audit.ts";
import type { AllowedForwarding, Finding, Rule, Severity } from "../lint/rule.ts";
import type { Judged } from "../lint/suppressions.ts";
import type { Answer } from "../policy/answer.ts";
import { exposure } from "../policy/exposure.ts";
import { lineUses } from "../policy/line-uses.ts";
import type { AuditReport, ReportedEdit, TargetReport } from "../report/report.ts";
import { visible } from "../report/text.ts";
import type { ApplyOptions } from "./apply.ts";
import { complain, type OutputOptions, refuse, renderAudit, writeAnswer } from "./output.ts";
import type { ProgressOptions } from "./progress.ts";
import { type Opened, openTargets, releaseText, type Target, type TargetOptions } from "./targets.ts";
import { ownVersion } from "./version.ts";

export interface AuditCommandOptions extends TargetOptions, OutputOptions, ApplyOptions, ProgressOptions {
  readonly rule?: readonly string[];
  readonly profile: string;
  readonly failOn: Severity;
  readonly allowForwarding: AllowedForwarding;
  /** false with --no-suppressions */
  readonly suppressions: boolean;
  readonly baseline?: string;
  readonly writeBaseline?: string;
  readonly fix?: boolean;
  readonly unsafeFixes?: boolean;
  readonly diff?: boolean;
}

export interface PreparedAudit {
  readonly opened: readonly Opened[];
  readonly rules: readonly Rule[];
}

export async function runAudit(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  const prepared = prepareAudit(files, options);
  if ("misuse" in prepared) return refuse(prepared.misuse);
  const { opened, rules } = prepared;
  const report: AuditReport = {
    tool: { name: "sshd-policy", version: ownVersion() },
    targets: opened.map((target) => auditTarget(target, rules, options)),
    fixed: 0,
  };
  const compared = await withBaseline(report, options);
  return typeof compared === "string" ? refuse(compared) : finish(compared, options);
}

/** The rules and targets of a call, or why it is wrong usage. */
export function prepareAudit(
  files: readonly string[],
  options: AuditCommandOptions,
): PreparedAudit | { readonly misuse: string } {
  const rules = chooseRules(options.rule, options.profile);
  if (typeof rules === "string") return { misuse: rules };
  const opened = openTargets(files, options);
  return "misuse" in opened ? opened : { opened, rules };
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
  for (const { error } of report.targets) if (error !== null) complain(visible(error));
  const failed = writeAnswer(await renderAudit(report, options), options);
  return failed !== null ? refuse(failed) : exitCode(report, options.failOn);
}

function chooseRules(ids: readonly string[] | undefined, profile: string): readonly Rule[] | string {
  if (ids === undefined) return profile === "strict" ? RULES : RULES.filter(({ strict }) => strict !== true);
  const unknown = ids.find((id) => RULES.every((rule) => rule.id !== id));
  if (unknown !== undefined) return `there is no rule "${unknown}". "sshd-policy rules" lists them.`;
  return RULES.filter(({ id }) => ids.includes(id));
}

function auditTarget(target: Opened, rules: readonly Rule[], options: AuditCommandOptions): TargetReport {
  if ("error" in target) return unreadable(target.name, target.error);
  return describe(target, target.config, findingsOf(target, target.config, rules, options));
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
  rules: readonly Rule[],
  options: Pick<AuditCommandOptions, "allowForwarding" | "suppressions">,
): Found {
  const world = { accounts: target.world };
  const found = exposure(config, world);
  const judged = judge(config, found, rules, {
    lineUses: lineUses(config, world),
    allowed: options.allowForwarding,
    accounts: target.accounts,
    fragment: target.fragment,
    facts: factsOf(target, config),
    ...(target.loadOptions.shownAs === undefined ? {} : { shownAs: target.loadOptions.shownAs }),
    suppressions: options.suppressions ? { today: today(), knownRules: RULES.map(({ id }) => id) } : null,
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
  const isServer = target.live || target.rootFolder !== "";
  return hostFacts(target.tree, {
    files: config.files.map(({ realPath }) => realPath),
    // a drop-in folder belongs to the sshd_config beside it, to no other file
    configFolder: target.path.endsWith("/sshd_config")
      ? (target.loadOptions.configFolder ?? "/etc/ssh")
      : null,
    owners: target.live,
    permissions: isServer,
  });
}

/** The date here, as people write it in a suppression. */
function today(): string {
  const now = new Date();
  const two = (part: number): string => String(part).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

export function describe(target: Target, config: Config, { judged, limits, answers }: Found): TargetReport {
  return {
    path: target.name,
    openssh: releaseText(target),
    opensshSource: target.releaseSource,
    accounts:
      target.startSource === null
        ? target.accountsText
        : `${target.accountsText}; with the options of ${target.startSource}`,
    complete: limits.length === 0,
    limits,
    checkCommand: target.checkCommand,
    error: null,
    answers,
    findings: judged.map(({ finding, suppressed }) => {
      const edits = editsOf(config, finding);
      return { finding: atInsertion(config, finding, edits), edits, suppressed };
    }),
  };
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

export function unreadable(path: string, error: string): TargetReport {
  const nothing = {
    openssh: "",
    opensshSource: "",
    accounts: "",
    checkCommand: "",
    limits: [],
    findings: [],
    answers: [],
  };
  return { path, complete: false, error, ...nothing };
}

const RANK: readonly Severity[] = ["info", "low", "medium", "high", "error"];

/** 3 before 2 before 1: an answer that is not complete must not be taken for a clean one. */
export function exitCode(report: AuditReport, failOn: Severity): number {
  const read = report.targets.filter(({ error }) => error === null);
  if (read.some(({ complete }) => !complete)) return 3;
  if (read.length < report.targets.length) return 2;
  const failing = read
    .flatMap(({ findings }) => findings)
    .some(
      ({ finding, suppressed }) =>
        suppressed === null && RANK.indexOf(finding.severity) >= RANK.indexOf(failOn),
    );
  return failing ? 1 : 0;
}
