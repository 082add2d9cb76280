/** The targets of an audit, each with the rules, limits and wishes by which it is judged. */
import { RULES } from "../../rules/index.ts";
import { type Intent, withSettings } from "../lint/intent.ts";
import type { AllowedForwarding, Rule, Severity } from "../lint/rule.ts";
import type { ApplyOptions } from "./apply-options.ts";
import { type IntentOptions, makeIntentFinder } from "./intent.ts";
import type { OutputOptions } from "./output.ts";
import { latin1 } from "./paths.ts";
import type { ProgressOptions } from "./progress.ts";
import { openSources } from "./sources.ts";
import type { Absent, Target, Unreadable } from "./target.ts";

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

/** The targets of a call, each with what it is judged by, or why the call is wrong usage. */
export async function prepareAudit(
  files: readonly string[],
  options: AuditCommandOptions,
): Promise<PreparedAudit | { readonly misuse: string }> {
  const unknown = options.rule?.find((id) => RULES.every((rule) => rule.id !== id));
  if (unknown !== undefined)
    return { misuse: `there is no rule "${latin1(unknown)}". "sshd-policy rules" lists them.` };
  const found = await openSources(files, options);
  if ("misuse" in found) return found;
  const intentOf = makeIntentFinder(options);
  const judgings = new Map<Intent | null, Judging>();
  const opened: (Prepared | Unreadable | Absent)[] = [];
  for (const target of found) {
    const intent = "config" in target ? await intentOf(target) : null;
    if (intent !== null && "mistakes" in intent && options.config !== undefined)
      return { misuse: intent.mistakes.join("\n") };
    if (!("config" in target)) opened.push(target);
    else if (intent !== null && "mistakes" in intent)
      opened.push({ name: target.name, error: intent.mistakes.join("\n") });
    else {
      const judging = judgings.get(intent) ?? judgingOf(options, intent);
      judgings.set(intent, judging);
      opened.push({ target, judging });
    }
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

function chooseRules(ids: readonly string[] | undefined, profile: string): readonly Rule[] {
  if (ids !== undefined) return RULES.filter(({ id }) => ids.includes(id));
  return profile === "strict" ? RULES : RULES.filter(({ strict }) => strict !== true);
}
