/** Runs the rules over one configuration and its meaning. */

import type { Config } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Exposure, LineUse } from "../policy/answer.ts";
import { locate } from "../policy/exposure.ts";
import { positionAt } from "../source/source.ts";
import type { AllowedForwarding, Audit, Draft, Finding, Rule, Severity } from "./rule.ts";

export interface AuditOptions {
  readonly allowed?: AllowedForwarding;
  readonly lineUses?: readonly LineUse[];
  readonly accounts?: readonly Account[] | null;
  /** a drop-in without its main file: what no line sets is unknown, and no finding */
  readonly fragment?: boolean;
}

export const SEVERITIES: readonly Severity[] = ["error", "high", "medium", "low", "info"];

/** Findings in the order of the files as sshd reads them, then by line, severity and rule. */
export function audit(
  config: Config,
  exposure: Exposure,
  rules: readonly Rule[],
  options: AuditOptions = {},
): Finding[] {
  const looked: Audit = {
    config,
    exposure: options.fragment === true ? withoutDefaults(exposure) : exposure,
    lineUses: options.lineUses ?? [],
    allowed: options.allowed ?? "none",
    at: (capability, connection) => locate(config, exposure.answers, capability, connection),
    accounts: options.accounts ?? null,
  };
  const findings = rules.flatMap((rule) => rule.check(looked).map((draft) => complete(rule, draft)));
  return findings.sort(compareBy(config));
}

/** Answers that a written line opens: what only defaults open is unknown in a fragment. */
function withoutDefaults(exposure: Exposure): Exposure {
  const answers = exposure.answers.filter(({ decidedBy }) => decidedBy[0]?.directive !== null);
  return { ...exposure, answers };
}

function complete(rule: Rule, draft: Draft): Finding {
  return {
    severity: rule.severity,
    label: "",
    related: [],
    witness: null,
    grant: "",
    capability: null,
    login: null,
    notes: [],
    fix: null,
    ...draft,
    rule: rule.id,
  };
}

function compareBy(config: Config): (a: Finding, b: Finding) => number {
  const fileOrder = new Map(config.files.map(({ source }, index) => [source, index]));
  const orderOf = ({ place }: Finding): number => fileOrder.get(place.source) ?? -1;
  return (a, b) =>
    orderOf(a) - orderOf(b) ||
    positionAt(a.place.source, a.place.span.start).line -
      positionAt(b.place.source, b.place.span.start).line ||
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    (a.rule < b.rule ? -1 : Number(a.rule > b.rule));
}
