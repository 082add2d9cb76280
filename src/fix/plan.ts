/**
 * From findings to a plan: changes, edits, the result read and audited again in memory, and the proof that nothing
 * moved that no finding named. Nothing is written here.
 */
import { type Change, keywordOf, planChanges } from "../config/change.ts";
import type { Config } from "../config/config.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { applyEdits, composeEdits, type Edit } from "../edit/edit.ts";
import { overlayTree } from "../files/overlay.ts";
import type { FileTree } from "../files/tree.ts";
import type { Finding } from "../lint/rule.ts";
import type { Answer } from "../policy/answer.ts";
import type { Connection } from "../policy/connection.ts";
import { evaluate, isAnswer } from "../policy/evaluate.ts";
import { sampleConnections } from "../policy/samples.ts";
import { decode, encode } from "../source/source.ts";
import { agreedChanges } from "./changed-line.ts";
import { neededChanges } from "./needed.ts";

/** Fixing one thing can uncover another; after this many rounds what is left stays a finding. */
const MAX_ROUNDS = 5;

export interface PlanRequest {
  readonly tree: FileTree;
  /** the main file, inside the tree */
  readonly path: string;
  readonly load: LoadOptions;
  readonly audit: (config: Config) => Audited;
  /** also close what somebody opened on purpose */
  readonly unsafe: boolean;
}

export interface Audited {
  readonly findings: readonly Finding[];
  /** all that is open, whatever is wanted */
  readonly answers: readonly Answer[];
  /** how many times something is closed that the policy file keeps; 0 without one */
  readonly losses: number;
}

/** What a wanted fix would change and does not: the change or the fix in words, and why. */
export interface LeftOut {
  readonly what: string;
  readonly because: string;
  /** what the fix is for; null of a change that has no place in the file */
  readonly finding: Finding | null;
}

export interface PlannedFile {
  readonly realPath: string;
  /** as it is shown to people */
  readonly shown: string;
  /** latin1 text */
  readonly before: string;
  readonly after: string;
  /** which make it of `before` */
  readonly edits: readonly Edit[];
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
  /** what is changed, of all rounds; what other changes make needless is not */
  readonly changes: readonly Change[];
  readonly remaining: readonly Finding[];
  readonly left: readonly LeftOut[];
  readonly moved: readonly Moved[];
  /** problems that make sshd refuse the result and that were not there before: then nothing may be written */
  readonly broken: readonly string[];
}

export function planFix(request: PlanRequest): Plan {
  const original = audited(request, request.tree);
  const fixed: Finding[] = [];
  let refused: readonly LeftOut[] = [];
  let kept: readonly LeftOut[] = [];
  const changes: Change[] = [];
  let now = original;
  let staged: Staged = { texts: new Map(), edits: new Map() };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const fixable = now.findings.filter((finding) => isWanted(finding, request));
    const step = keepingStep(request, { now, staged }, fixable);
    if (round === 0) refused = step.refused;
    kept = step.kept;
    if (step.now === now) break;
    fixed.push(...step.made);
    changes.push(...step.changes);
    ({ now, staged } = step);
  }
  return {
    before: original.config,
    after: now.config,
    files: plannedFiles(original.config, staged),
    fixed,
    changes,
    remaining: now.findings,
    left: [...refused, ...kept],
    moved: movedSettings(original.config, now.config, new Set(changes.map(keywordOf))),
    broken: newProblems(original.config, now.config),
  };
}

interface Round extends Audited {
  readonly config: Config;
}

function audited({ path, load, audit }: PlanRequest, tree: FileTree): Round {
  const config = loadConfig(tree, path, load);
  return { config, ...audit(config) };
}

function isWanted({ fix }: Finding, request: PlanRequest): boolean {
  return fix !== null && (fix.safety === "safe" || request.unsafe);
}

/** By real path: the new bytes, and the edits of all rounds that make them of the text as it was. */
interface Staged {
  readonly texts: ReadonlyMap<string, Uint8Array>;
  readonly edits: ReadonlyMap<string, readonly Edit[]>;
}

interface State {
  readonly now: Round;
  readonly staged: Staged;
}

/** `now` is the same where there is nothing to change. */
interface Step extends State {
  readonly made: readonly Finding[];
  readonly changes: readonly Change[];
  readonly refused: readonly LeftOut[];
  readonly kept: readonly LeftOut[];
}

function stepOf(request: PlanRequest, { now, staged }: State, made: readonly Finding[]): Step {
  const { config, answers } = now;
  // what is left out here by mistake is found again, and made, in the next round
  const changes = neededChanges(
    config,
    agreedChanges(
      config,
      made.flatMap(({ fix }) => fix?.changes ?? []),
    ),
    answers,
  );
  const planned = planChanges(config, changes);
  const { edits } = planned;
  const refused = planned.refused.map(({ change, because }) => ({
    what: keywordOf(change),
    because,
    finding: null,
  }));
  if (edits.length === 0) return { now, staged, made: [], changes: [], refused, kept: [] };
  const next = stage(config, edits, staged);
  return {
    now: audited(request, overlayTree(request.tree, next.texts)),
    staged: next,
    ...{ made, changes, refused, kept: [] },
  };
}

/** What the policy file keeps comes first: of fixes that take it, those are left out that take it alone, or all. */
function keepingStep(request: PlanRequest, state: State, fixable: readonly Finding[]): Step {
  const whole = stepOf(request, state, fixable);
  if (!takesKept(state, whole)) return whole;
  const harmless = fixable.filter((finding) => !takesKept(state, stepOf(request, state, [finding])));
  const rest = stepOf(request, state, harmless);
  const step = takesKept(state, rest) ? stepOf(request, state, []) : rest;
  const kept = fixable
    .filter((finding) => !step.made.includes(finding))
    .map((finding) => ({
      what: finding.fix?.title ?? "",
      because: "the policy file keeps what it would take",
      finding,
    }));
  return { ...step, kept };
}

function takesKept(before: State, after: State): boolean {
  return after.now.losses > before.now.losses;
}

function stage(config: Config, round: readonly Edit[], staged: Staged): Staged {
  const texts = new Map(staged.texts);
  const edits = new Map(staged.edits);
  for (const path of new Set(round.map((edit) => edit.path))) {
    const file = config.files.find(({ realPath }) => realPath === path);
    if (file === undefined) continue;
    const own = round.filter((edit) => edit.path === path);
    texts.set(path, encode(applyEdits(file.source.text, own)));
    edits.set(path, composeEdits(edits.get(path) ?? [], own));
  }
  return { texts, edits };
}

function plannedFiles(original: Config, { texts, edits }: Staged): PlannedFile[] {
  return [...texts].flatMap(([realPath, bytes]) => {
    const file = original.files.find((candidate) => candidate.realPath === realPath);
    if (file === undefined) return [];
    const { path: shown, text: before } = file.source;
    return [{ realPath, shown, before, after: decode(bytes), edits: edits.get(realPath) ?? [] }];
  });
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
