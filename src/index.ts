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
import type { AllowedForwarding, Finding, Rule } from "./lint/rule.ts";
import { exposure } from "./policy/exposure.ts";
import { lineUses } from "./policy/line-uses.ts";
import { decode, encode } from "./source/source.ts";

export { formatRelease, parseRelease, type Release } from "../grammar/release.ts";
export type { Line, Span, Token, Tree, Word } from "../grammar/tree.ts";
export { type CheckResult, checkConfig as check } from "./config/check.ts";
export type { Config, Directive, MatchBlock, Problem } from "./config/config.ts";
export { type LoadOptions, loadConfig } from "./config/load.ts";
export { folderTree } from "./files/folder.ts";
export type { Account, FileTree } from "./files/tree.ts";
export type { AllowedForwarding, Finding, Fix, Rule, Severity } from "./lint/rule.ts";
export type { Answer, Decider, Exposure } from "./policy/answer.ts";
export { type Comparison, comparePolicies as compare, type PolicyChange } from "./policy/compare.ts";
export type { Capability, Connection } from "./policy/connection.ts";
export { evaluate as effective } from "./policy/evaluate.ts";
export { type ExposureOptions, exposure } from "./policy/exposure.ts";
export { readSpecifications } from "./policy/specification.ts";

export const rules: readonly Rule[] = RULES;

export interface AuditRequest {
  /** default: all but those of the strict profile */
  readonly rules?: readonly Rule[];
  readonly allowForwarding?: AllowedForwarding;
  /** null, the default: anybody may exist; else nobody but these */
  readonly accounts?: readonly Account[] | null;
  /** ISO date by which suppressions in the files are judged; left out, they count for nothing */
  readonly today?: string;
}

/** The findings that no suppression holds back, in the order of the files. */
export function audit(config: Config, request: AuditRequest = {}): Finding[] {
  const world = { accounts: request.accounts ?? null };
  const { today } = request;
  return runRules(
    config,
    exposure(config, world),
    request.rules ?? RULES.filter(({ strict }) => strict !== true),
    {
      lineUses: lineUses(config, world),
      allowed: request.allowForwarding ?? "none",
      accounts: world.accounts,
      suppressions: today === undefined ? null : { today, knownRules: RULES.map(({ id }) => id) },
    },
  );
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
