/** What an administrator wants, as data: the content of a policy file (docs/policy-file.md). */
import type { Grant } from "../policy/grant.ts";
import type { Place } from "../source/source.ts";
import type { AllowedForwarding, Rule, Severity } from "./rule.ts";

export interface Intent {
  /** the policy file, as it is shown to people */
  readonly path: string;
  readonly profile: string | null;
  readonly failOn: Severity | null;
  readonly allowForwarding: AllowedForwarding | null;
  readonly rules: readonly RuleSetting[];
  /** null: the file does not say what is allowed, so the rules alone judge */
  readonly allow: readonly IntentEntry[] | null;
  /** what must keep working; it is allowed as well */
  readonly keep: readonly IntentEntry[];
}

/** Another severity for all findings of a rule, or a rule that is switched off with its reason. */
export interface RuleSetting {
  readonly rule: string;
  readonly set: { readonly severity: Severity } | { readonly off: string };
}

export interface IntentEntry {
  readonly grant: Grant;
  /** empty where none is given */
  readonly reason: string;
  readonly owner: string | null;
  /** ISO date of the last day; null: no end */
  readonly until: string | null;
  readonly place: Place;
}

export const PROFILES: readonly string[] = ["default", "strict"];

/** False for a file about rules alone: then nothing is compared. */
export function saysWhatIsWanted(intent: Intent | null): intent is Intent {
  return intent !== null && (intent.allow !== null || intent.keep.length > 0);
}

/** Rules that the file switches off, with the reasons. */
export function switchedOff({ rules }: Intent): { readonly rule: string; readonly reason: string }[] {
  return rules.flatMap(({ rule, set }) => ("off" in set ? [{ rule, reason: set.off }] : []));
}

/** The rules as the policy file wants them; `always`: rules that were asked for by name and run although it says off. */
export function withSettings(
  rules: readonly Rule[],
  settings: readonly RuleSetting[],
  always: readonly string[] = [],
): readonly Rule[] {
  const byRule = new Map(settings.map(({ rule, set }) => [rule, set]));
  return rules.flatMap((rule) => {
    const set = byRule.get(rule.id);
    if (set === undefined) return [rule];
    if ("off" in set) return always.includes(rule.id) ? [rule] : [];
    const { severity } = set;
    return [
      { ...rule, severity, check: (audit) => rule.check(audit).map((draft) => ({ ...draft, severity })) },
    ];
  });
}
