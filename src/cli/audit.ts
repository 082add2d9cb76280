/** `audit`: rules over configurations, findings out. */
import { RULES } from "../../rules/index.ts";
import { audit } from "../lint/audit.ts";
import type { AllowedForwarding, Rule, Severity } from "../lint/rule.ts";
import { exposure } from "../policy/plain-exposure.ts";
import { concise } from "../report/concise.ts";
import type { AuditReport, TargetReport } from "../report/report.ts";
import { visible } from "../report/text.ts";
import { chosenFormat, chosenPaint, complain, type OutputOptions, writeAnswer } from "./output.ts";
import { type Opened, openTargets, releaseText, type Target, type TargetOptions } from "./targets.ts";
import { ownVersion } from "./version.ts";

export interface AuditCommandOptions extends TargetOptions, OutputOptions {
  readonly rule?: readonly string[];
  readonly failOn: Severity;
  readonly allowForwarding: AllowedForwarding;
}

export async function runAudit(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  const rules = chooseRules(options.rule);
  if (typeof rules === "string") return refuse(rules);
  const opened = openTargets(files, options);
  if ("misuse" in opened) return refuse(opened.misuse);
  const report: AuditReport = {
    tool: { name: "sshd-policy", version: ownVersion() },
    targets: opened.map((target) => auditTarget(target, rules, options)),
    fixed: 0,
  };
  for (const { error } of report.targets) if (error !== null) complain(visible(error));
  const failed = writeAnswer(await render(report, options), options);
  if (failed !== null) return refuse(failed);
  return exitCode(report, options.failOn);
}

function refuse(text: string): number {
  complain(text);
  return 2;
}

function chooseRules(ids: readonly string[] | undefined): readonly Rule[] | string {
  if (ids === undefined) return RULES;
  const unknown = ids.find((id) => RULES.every((rule) => rule.id !== id));
  if (unknown !== undefined) return `there is no rule "${unknown}". "sshd-policy rules" lists them.`;
  return RULES.filter(({ id }) => ids.includes(id));
}

function auditTarget(target: Opened, rules: readonly Rule[], options: AuditCommandOptions): TargetReport {
  if ("error" in target) return unreadable(target.name, target.error);
  const found = exposure(target.config);
  const findings = audit(target.config, found, rules, {
    allowed: options.allowForwarding,
    accounts: target.accounts,
  });
  const limits = [...target.config.limits, ...found.limits];
  return {
    path: target.name,
    openssh: releaseText(target),
    opensshSource: target.releaseSource,
    accounts: target.accountsText,
    complete: limits.length === 0 && found.complete,
    limits,
    checkCommand: target.checkCommand,
    error: null,
    findings: findings
      .filter(({ place }) => isWanted(target, place.source.path))
      .map((finding) => ({ finding, edits: null, suppressed: null })),
  };
}

/** Of a drop-in given as FILE only its own findings are shown. */
function isWanted(target: Target, path: string): boolean {
  if (target.onlyRealPath === null) return true;
  return target.config.files.some(
    ({ source, realPath }) => source.path === path && realPath === target.onlyRealPath,
  );
}

function unreadable(path: string, error: string): TargetReport {
  const nothing = {
    openssh: "",
    opensshSource: "",
    accounts: "",
    checkCommand: "",
    limits: [],
    findings: [],
  };
  return { path, complete: false, error, ...nothing };
}

async function render(report: AuditReport, options: OutputOptions): Promise<string> {
  switch (chosenFormat(options)) {
    case "pretty": {
      const { pretty } = await import("../report/pretty.ts");
      return pretty(report, { paint: chosenPaint(options), quiet: options.quiet ?? false });
    }
    case "json": {
      const { json } = await import("../report/json.ts");
      return json(report);
    }
    default:
      return concise(report);
  }
}

const RANK: readonly Severity[] = ["info", "low", "medium", "high", "error"];

/** 3 before 2 before 1: an answer that is not complete must not be taken for a clean one. */
function exitCode(report: AuditReport, failOn: Severity): number {
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
