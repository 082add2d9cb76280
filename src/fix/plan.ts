/**
 * From findings to a plan: changes, edits, the result read and audited again in memory, and the proof that nothing
 * moved that no finding named. Nothing is written here.
 */
import { type Change, keywordOf, planChanges } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { applyEdits, type Edit } from "../edit/edit.ts";
import { overlayTree } from "../files/overlay.ts";
import type { FileTree } from "../files/tree.ts";
import type { Finding } from "../lint/rule.ts";
import { requirements } from "../policy/capabilities.ts";
import type { Connection } from "../policy/connection.ts";
import { evaluate, isAnswer } from "../policy/evaluate.ts";
import { sampleConnections } from "../policy/samples.ts";
import { decode, encode } from "../source/source.ts";

/** Fixing one thing can uncover another; after this many rounds what is left stays a finding. */
const MAX_ROUNDS = 5;

export interface PlanRequest {
  readonly tree: FileTree;
  /** the main file, inside the tree */
  readonly path: string;
  readonly load: LoadOptions;
  readonly audit: (config: Config) => readonly Finding[];
  /** also close what somebody opened on purpose */
  readonly unsafe: boolean;
}

export interface PlannedFile {
  readonly realPath: string;
  /** as it is shown to people */
  readonly shown: string;
  /** latin1 text */
  readonly before: string;
  readonly after: string;
}

/** A setting that is different afterwards although no finding named it, or that the fix was for and is not. */
export interface Moved {
  readonly keyword: string;
  readonly connection: Connection;
  readonly before: string;
  readonly after: string;
}

export interface Plan {
  /** the configuration as it is, and as it would be */
  readonly before: Config;
  readonly after: Config;
  readonly files: readonly PlannedFile[];
  /** of the first round, against the text as it was: what a reporter shows for each finding */
  readonly fixed: readonly Finding[];
  /** what is changed, of all rounds */
  readonly changes: readonly Change[];
  readonly remaining: readonly Finding[];
  readonly refused: readonly { readonly change: Change; readonly because: string }[];
  readonly moved: readonly Moved[];
  /** problems that make sshd refuse the result and that were not there before: then nothing may be written */
  readonly broken: readonly string[];
}

/** The fewest keywords that leave nothing to fix: with TCP forwarding closed, its GatewayPorts need no edit. */
export function planFix(request: PlanRequest): Plan {
  const original = audited(request, request.tree);
  let left = new Set<string>();
  let plan = planWithout(request, original, left);
  if (plan.changes.length < 2) return plan;
  const named = namedKeywords(plan.changes);
  for (const keyword of named) {
    if (isNeeded(keyword, named, original, request)) continue;
    const further = new Set([...left, keyword]);
    const smaller = planWithout(request, original, further);
    if (countWanted(smaller, request) === countWanted(plan, request)) [left, plan] = [further, smaller];
  }
  return plan;
}

function countWanted({ remaining }: Plan, request: PlanRequest): number {
  return remaining.filter((finding) => isWanted(finding, request)).length;
}

interface Audited {
  readonly config: Config;
  readonly findings: readonly Finding[];
}

function audited(request: PlanRequest, tree: FileTree): Audited {
  const config = loadConfig(tree, request.path, request.load);
  return { config, findings: request.audit(config) };
}

/** At sight: a kind of forwarding that one finding is about depends on no other keyword that is changed. */
function isNeeded(
  keyword: string,
  named: ReadonlySet<string>,
  { config, findings }: Audited,
  request: PlanRequest,
): boolean {
  return findings.some((finding) => {
    const { capability, fix } = finding;
    if (capability === null || !isWanted(finding, request)) return false;
    if (!(fix?.changes ?? []).every((change) => keywordOf(change) === keyword)) return false;
    return requirements(capability, config.release).every(
      (required) => required.keyword === keyword || !named.has(required.keyword),
    );
  });
}

/** Changes of the keywords in `left` are not made. */
function planWithout(request: PlanRequest, original: Audited, left: ReadonlySet<string>): Plan {
  const texts = new Map<string, Uint8Array>();
  const fixed: Finding[] = [];
  const refused: { change: Change; because: string }[] = [];
  const changes: Change[] = [];
  let { config, findings: remaining } = original;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const fixable = remaining.filter((finding) => isWanted(finding, request));
    const wanted = fixable
      .flatMap(({ fix }) => fix?.changes ?? [])
      .filter((change) => !left.has(keywordOf(change)));
    const merged = planChanges(config, wanted);
    if (round === 0) refused.push(...merged.refused);
    if (merged.edits.length === 0) break;
    stage(config, merged.edits, texts);
    // what was left out is fixed by the others, which shows in the next round
    fixed.push(
      ...fixable.filter(({ fix }) => round === 0 || fix?.changes.some((change) => wanted.includes(change))),
    );
    changes.push(...wanted);
    ({ config, findings: remaining } = audited(request, overlayTree(request.tree, texts)));
  }
  return {
    before: original.config,
    after: config,
    files: plannedFiles(original.config, texts),
    fixed,
    changes,
    remaining,
    refused,
    moved: movedSettings(original.config, config, namedKeywords(changes)),
    broken: newProblems(original.config, config),
  };
}

function isWanted({ fix }: Finding, request: PlanRequest): boolean {
  return fix !== null && (fix.safety === "safe" || request.unsafe);
}

function stage(config: Config, edits: readonly Edit[], texts: Map<string, Uint8Array>): void {
  for (const path of new Set(edits.map((edit) => edit.path))) {
    const file = config.files.find(({ realPath }) => realPath === path);
    if (file === undefined) continue;
    const own = edits.filter((edit) => edit.path === path);
    texts.set(path, encode(applyEdits(file.source.text, own)));
  }
}

function plannedFiles(original: Config, texts: ReadonlyMap<string, Uint8Array>): PlannedFile[] {
  return [...texts].flatMap(([realPath, bytes]) => {
    const file = original.files.find((candidate) => candidate.realPath === realPath);
    if (file === undefined) return [];
    return [{ realPath, shown: file.source.path, before: file.source.text, after: decode(bytes) }];
  });
}

function namedKeywords(changes: readonly Change[]): Set<string> {
  return new Set(changes.map(keywordOf));
}

/** Every setting of every sampled connection must be what it was, unless a change named its keyword. */
function movedSettings(before: Config, after: Config, named: ReadonlySet<string>): Moved[] {
  const moved: Moved[] = [];
  for (const connection of sampleConnections(before)) {
    const old = evaluate(before, connection);
    const now = evaluate(after, connection);
    if (!isAnswer(old) || !isAnswer(now)) continue;
    for (const [keyword, { values }] of old) {
      if (named.has(keyword)) continue;
      const other = now.get(keyword)?.values.join(" ") ?? "";
      if (other !== values.join(" ")) {
        moved.push({ keyword, connection, before: values.join(" "), after: other });
      }
    }
  }
  return moved;
}

function newProblems(before: Config, after: Config): string[] {
  const known = countTexts(before);
  return [...countTexts(after)]
    .filter(([text, count]) => count > (known.get(text) ?? 0))
    .map(([text]) => text);
}

/** Without line numbers: an inserted line shifts them. */
function countTexts(config: Config): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { weight, code, message } of config.problems) {
    if (weight === "warning" || weight === "silent") continue;
    const text = `${code}: ${message}`;
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}
