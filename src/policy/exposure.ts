/**
 * Who may forward what: for each capability a partition of all connections into answers, one a set of deciding lines,
 * each with a witness that the plain evaluator confirms.
 */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import type { Config, Directive } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Answer, Decider, Exposure, LineUse } from "./answer.ts";
import { internAtoms } from "./atoms.ts";
import { makeSampler } from "./box.ts";
import {
  listenGrant,
  needsOf,
  openDestinations,
  type Requirement,
  requirements,
  socketPaths,
} from "./capabilities.ts";
import { describeScope } from "./conditions.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import { type Decision, decisions, type KeywordLines, keywordLines } from "./deciders.ts";
import { type Evaluated, evaluate, isAnswer, rememberEvaluated } from "./evaluate.ts";
import { type LoginAnswer, makeLoginQuestion } from "./login.ts";
import {
  EVERYWHERE,
  type Guard,
  makeBudget,
  outside,
  type Scope,
  type Searcher,
  search,
  within,
} from "./search.ts";

export interface ExposureOptions {
  /** null: anybody may exist, with any groups (the default); else nobody but these */
  readonly accounts?: readonly Account[] | null;
  readonly capabilities?: readonly Capability[];
  /** the target's net.ipv4.ip_unprivileged_port_start; null: the kernel's 1024 */
  readonly unprivilegedPortStart?: number | null;
}

/** What the questions about one configuration share. */
export interface Reasoning {
  readonly config: Config;
  readonly searcher: Searcher;
  readonly linesOf: (keyword: string) => KeywordLines;
  readonly evaluated: Evaluated;
  readonly login: (scope: Scope, witness: Connection | null) => LoginAnswer;
  readonly unprivilegedPortStart: number | null;
  readonly limits: Set<string>;
}

export function exposure(config: Config, options: ExposureOptions = {}): Exposure {
  const reasoning = startReasoning(config, options);
  const answers = (options.capabilities ?? CAPABILITIES).flatMap((capability) =>
    answersOf(reasoning, capability),
  );
  const limits = [...config.limits, ...reasoning.limits];
  return { answers, complete: limits.length === 0, limits, assumptions: assumptionsOf(config, options) };
}

/** `beside`: another configuration, to ask about both; it is asked through the same search. */
export function startReasoning(config: Config, options: ExposureOptions, beside?: Reasoning): Reasoning {
  const atoms = internAtoms(config, beside?.searcher.atoms);
  const world = { accounts: options.accounts ?? null, namedHosts: usesDns(config) };
  const searcher: Searcher = beside?.searcher ?? {
    atoms,
    sample: makeSampler(atoms, world),
    budget: makeBudget(),
  };
  const known = new Map<string, KeywordLines>();
  const evaluated = rememberEvaluated(config);
  return {
    config,
    searcher,
    evaluated,
    linesOf: (keyword) => {
      const lines = known.get(keyword) ?? keywordLines(config, keyword, atoms);
      known.set(keyword, lines);
      return lines;
    },
    login: makeLoginQuestion(config, searcher, evaluated),
    unprivilegedPortStart: options.unprivilegedPortStart ?? null,
    limits: new Set(),
  };
}

/** UseDNS: global only, first value wins; the default is no in every release from 7.4 on. */
export function usesDns(config: Config): boolean {
  const line = config.directives.find(({ keyword, atStart }) => keyword === "usedns" && atStart);
  return line?.values?.[0] === "yes";
}

export function assumptionsOf(config: Config, options: ExposureOptions): string[] {
  const attributes = new Set(
    config.matches.flatMap(({ criteria }) => criteria.map(({ attribute }) => attribute)),
  );
  const closed = (options.accounts ?? null) !== null;
  return [
    closed ? "nobody but the known accounts exists" : "any user with any groups may exist",
    ...(attributes.has("host") && usesDns(config) ? ["a client's address may resolve to any host name"] : []),
    ...(attributes.has("rdomain") ? ["there are no routing domains (no VRF)"] : []),
  ];
}

/** A way through the requirements of a capability: who decided each so far. */
export interface Path {
  readonly scope: Scope;
  readonly witness: Connection | null;
  readonly decisions: readonly (Decision & { readonly keyword: string })[];
}

interface Row {
  readonly allowed: boolean;
  readonly path: Path;
  isKnown: boolean;
}

function answersOf(reasoning: Reasoning, capability: Capability): Answer[] {
  const wanted = requirements(capability, reasoning.config.release);
  const rows = new Map<string, Row>();
  const start: Path = { scope: EVERYWHERE, witness: null, decisions: [] };
  walk(reasoning, wanted, start, (allowed, path) => addRow(rows, allowed, path));
  return [...rows.values()].map((row) => toAnswer(reasoning, capability, row));
}

/** Asks one keyword after the other; a value that closes ends the way at once. */
export function walk(
  reasoning: Reasoning,
  wanted: readonly Requirement[],
  path: Path,
  emit: (allowed: boolean, path: Path) => void,
): void {
  const [requirement, ...rest] = wanted;
  if (requirement === undefined) {
    emit(true, path);
    return;
  }
  const lines = reasoning.linesOf(requirement.keyword);
  for (const decision of decisions(reasoning.searcher, lines, path.scope, path.witness)) {
    const made = { ...decision, keyword: requirement.keyword };
    const next = {
      scope: decision.scope,
      witness: decision.connection,
      decisions: [...path.decisions, made],
    };
    if (requirement.closes(decision.values)) emit(false, next);
    else walk(reasoning, rest, next, emit);
  }
}

/** Equal in grant and deciding lines is one row; a closed one is named by the line that closes alone. */
function addRow(rows: Map<string, Row>, allowed: boolean, path: Path): void {
  const naming = allowed ? path.decisions : path.decisions.slice(-1);
  const key = `${allowed} ${naming.map(({ keyword, directive }) => `${keyword}:${directive?.order ?? "default"}`).join(" ")}`;
  const known = rows.get(key);
  if (known === undefined)
    rows.set(key, { allowed, path, isKnown: path.witness !== null || isTrivial(path) });
  else if (!known.isKnown && path.witness !== null) rows.set(key, { allowed, path, isKnown: true });
}

function isTrivial({ scope }: Path): boolean {
  return scope.met.size === 0 && scope.missed.size === 0 && scope.without.length === 0;
}

function toAnswer(reasoning: Reasoning, capability: Capability, { allowed, path }: Row): Answer {
  const { searcher } = reasoning;
  const witness = confirmed(reasoning, path, isTrivial(path) ? anybody(searcher) : path.witness);
  const unknownBecause = witness === null ? unknownReason(reasoning, path) : null;
  const login = reasoning.login(path.scope, witness);
  return {
    capability,
    allowed: unknownBecause === null ? allowed : "unknown",
    unknownBecause,
    condition: describeScope(searcher, path.scope),
    ...grantOf(reasoning, capability, path),
    witness,
    decidedBy: decidersOf(allowed, path),
    login: login.login,
    loginBecause: login.because,
    needs: needsOf(capability),
  };
}

function anybody(searcher: Searcher): Connection | null {
  const sampled = searcher.sample({ met: new Set(), missed: new Set() });
  return sampled.kind === "found" ? sampled.value : null;
}

/** Invariant: every witness goes through the plain evaluator, which shares no code with the search. */
function confirmed(reasoning: Reasoning, path: Path, witness: Connection | null): Connection | null {
  if (witness === null) return null;
  const effective = reasoning.evaluated(witness);
  if (!isAnswer(effective)) return null;
  const agrees = path.decisions.every(({ keyword, values }) => {
    const found = effective.get(keyword);
    return found !== undefined && found.values.join(" ") === values.join(" ");
  });
  return agrees ? witness : null;
}

function unknownReason(reasoning: Reasoning, path: Path): string {
  const line = path.decisions.findLast(({ directive }) => directive !== null)?.directive;
  const where = line == null ? "the default" : `${line.place.source.path}:${line.line.number}`;
  const reason = `whether any connection is decided by ${where} could not be settled within the effort limit`;
  reasoning.limits.add(reason);
  return reason;
}

function valuesOf(path: Path, keyword: string): readonly string[] {
  return path.decisions.find((decision) => decision.keyword === keyword)?.values ?? [];
}

export function grantOf(
  reasoning: Reasoning,
  capability: Capability,
  path: Path,
): Pick<Answer, "destinations" | "listen"> {
  switch (capability) {
    case "tcp-local":
      return { destinations: openDestinations(valuesOf(path, "permitopen")), listen: null };
    case "unix-local":
      return { destinations: socketPaths(valuesOf(path, "permitopen")), listen: null };
    case "unix-remote":
      return { destinations: ["*"], listen: null };
    case "tcp-remote": {
      const listen = valuesOf(path, "permitlisten");
      const gateway = valuesOf(path, "gatewayports");
      return { destinations: [], listen: listenGrant(listen, gateway, reasoning.unprivilegedPortStart) };
    }
    default:
      return { destinations: [], listen: null };
  }
}

export function decidersOf(allowed: boolean, path: Path): Decider[] {
  const naming = allowed ? path.decisions : path.decisions.slice(-1);
  return naming.map(({ keyword, values, directive }) => ({ keyword, value: values.join(" "), directive }));
}

/** Whether each line of a first-value keyword ever counts, and what stands before it where it does not. */
export function lineUses(config: Config, options: ExposureOptions = {}): LineUse[] {
  const reasoning = startReasoning(config, options);
  const keywords = new Set(config.directives.map(({ keyword }) => keyword));
  return [...keywords]
    .filter((keyword) => isFirstValue(keyword, config))
    .flatMap((keyword) => usesOf(reasoning, reasoning.linesOf(keyword)));
}

function isFirstValue(keyword: string, config: Config): boolean {
  const sets = lookUpKeyword(keyword, config.release).keyword?.sets;
  return sets === "first" || sets === "first-line";
}

function usesOf(reasoning: Reasoning, lines: KeywordLines): LineUse[] {
  const uses: LineUse[] = lines.unreachable.map((directive) => unused(directive, []));
  const earlier: { readonly directive: Directive; readonly guard: Guard }[] = [];
  for (const line of lines.guarded) {
    uses.push(useOf(reasoning, line.directive, line.guard, earlier));
    earlier.push(line);
  }
  if (lines.global !== null) uses.push(useOf(reasoning, lines.global, [], earlier));
  for (const directive of lines.shadowedGlobals)
    uses.push(unused(directive, lines.global === null ? [] : [lines.global]));
  return uses;
}

function unused(directive: Directive, shadowedBy: readonly Directive[]): LineUse {
  return { directive, decides: false, witness: null, shadowedBy };
}

function useOf(
  { searcher }: Reasoning,
  directive: Directive,
  guard: Guard,
  earlier: readonly { readonly directive: Directive; readonly guard: Guard }[],
): LineUse {
  const scope = within(EVERYWHERE, guard) ?? EVERYWHERE;
  const result = search(
    searcher,
    outside(
      scope,
      earlier.map((line) => line.guard),
    ),
  );
  if (result.kind === "witness")
    return { directive, decides: true, witness: result.connection, shadowedBy: [] };
  const shadowedBy = [...result.caught]
    .sort((a, b) => a - b)
    .flatMap((index) => earlier[index]?.directive ?? []);
  if (result.kind === "unknown") return { directive, decides: "unknown", witness: null, shadowedBy };
  return unused(directive, shadowedBy);
}

/** The answer in which a connection lies, by the lines that the plain evaluator finds deciding; null: sshd has none. */
export function locate(
  config: Config,
  answers: readonly Answer[],
  capability: Capability,
  connection: Connection,
): Answer | null {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return null;
  const made: { keyword: string; directive: Directive | null }[] = [];
  let allowed = true;
  for (const { keyword, closes } of requirements(capability, config.release)) {
    const setting = effective.get(keyword);
    const decided = { keyword, directive: setting?.decidedBy[0] ?? null };
    allowed = !closes(setting?.values ?? []);
    if (allowed) made.push(decided);
    else made.splice(0, made.length, decided);
    if (!allowed) break;
  }
  const isSame = ({ decidedBy }: Answer): boolean =>
    decidedBy.length === made.length &&
    decidedBy.every(({ directive }, index) => directive === made[index]?.directive);
  return (
    answers.find(
      (answer) =>
        answer.capability === capability &&
        answer.decidedBy[0]?.keyword === made[0]?.keyword &&
        isSame(answer),
    ) ?? null
  );
}
