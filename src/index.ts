/**
 * The library: the same answers as the command line, as data, synchronous over a tree of files. Nothing here prints,
 * exits or reads the environment.
 */

import { parseText, printText } from "../grammar/parser.ts";
import { NEWEST, type Release } from "../grammar/release.ts";
import type { GrammarProblem, Tree } from "../grammar/tree.ts";
import { RULES } from "../rules/index.ts";
import type { Config } from "./config/config.ts";
import type { Account } from "./files/tree.ts";
import { audit as runRules } from "./lint/audit.ts";
import { compareIntent } from "./lint/intended.ts";
import { type Intent, PROFILES, saysWhatIsWanted, withSettings } from "./lint/intent.ts";
import type { AllowedForwarding, Finding, Rule } from "./lint/rule.ts";
import { exposure } from "./policy/exposure.ts";
import { lineUses } from "./policy/line-uses.ts";
import { decode, encode } from "./source/source.ts";

export { formatRelease, parseRelease, type Release } from "../grammar/release.ts";
export { type Line, type Span, type Token, type Tree, tokensOf, type Word } from "../grammar/tree.ts";
export { type CheckResult, checkConfig as check } from "./config/check.ts";
export type { Config, Directive, MatchBlock, Problem } from "./config/config.ts";
export { type LoadOptions, loadConfig } from "./config/load.ts";
export { folderTree } from "./files/folder.ts";
export type { Account, FileTree } from "./files/tree.ts";
export type { Intent } from "./lint/intent.ts";
export type { AllowedForwarding, Finding, Fix, Rule, Severity } from "./lint/rule.ts";
export type { Answer, Decider, Exposure } from "./policy/answer.ts";
export { type Comparison, comparePolicies as compare, type PolicyChange } from "./policy/compare.ts";
export type { Capability, Connection } from "./policy/connection.ts";
export { evaluate as effective } from "./policy/evaluate.ts";
export { type ExposureOptions, exposure } from "./policy/exposure.ts";
export { readSpecifications } from "./policy/specification.ts";

export const rules: readonly Rule[] = RULES;

export interface AuditRequest {
  /** default: those of the policy file's profile, or all but those of the strict one */
  readonly rules?: readonly Rule[];
  /** default: as the policy file says, or none */
  readonly allowForwarding?: AllowedForwarding;
  /** what is wanted, from `readPolicyFile`; null, the default: nobody said */
  readonly policyFile?: Intent | null;
  /** null, the default: anybody may exist; else nobody but these */
  readonly accounts?: readonly Account[] | null;
  /** ISO date: left out, suppressions in the files count for nothing, and no entry of a policy file ends */
  readonly today?: string;
}

/** The findings that no suppression holds back, in the order of the files. */
export function audit(config: Config, request: AuditRequest = {}): Finding[] {
  const world = { accounts: request.accounts ?? null };
  const { today, policyFile: intent = null } = request;
  const intended = saysWhatIsWanted(intent)
    ? compareIntent(config, intent, { ...world, today: today ?? "" })
    : null;
  return runRules(
    config,
    intended?.everything ?? exposure(config, { ...world, answers: "open" }),
    rulesFor(request),
    {
      lineUses: lineUses(config, world),
      allowed: request.allowForwarding ?? intent?.allowForwarding ?? "none",
      accounts: world.accounts,
      world: world.accounts,
      intended,
      suppressions:
        today === undefined ? null : { today: () => today, knownRules: RULES.map(({ id }) => id) },
    },
  );
}

function rulesFor({ rules: chosen, policyFile = null }: AuditRequest): readonly Rule[] {
  const ofProfile = policyFile?.profile === "strict" ? RULES : RULES.filter(({ strict }) => strict !== true);
  return withSettings(chosen ?? ofProfile, policyFile?.rules ?? []);
}

/** A policy file (docs/policy-file.md) to audit by; every mistake is a line "name:line:column: message". */
export async function readPolicyFile(
  name: string,
  bytes: Uint8Array,
): Promise<Intent | { readonly mistakes: readonly string[] }> {
  const reader = await import("./lint/policy-file.ts");
  return reader.readPolicyFile(name, decode(bytes), { rules: RULES.map(({ id }) => id), profiles: PROFILES });
}

/** Any bytes in, a tree and what sshd would refuse of its lines out; never throws. Default: the newest release. */
export function parse(
  bytes: Uint8Array,
  options: { readonly release?: Release } = {},
): { readonly tree: Tree; readonly problems: readonly GrammarProblem[] } {
  const tree = parseText(decode(bytes), options.release ?? NEWEST);
  return { tree, problems: tree.problems };
}

/** The bytes that were parsed. */
export function print(tree: Tree): Uint8Array {
  return encode(printText(tree));
}
