/**
 * The lines of many files repeat each other. Without a NUL each line is read by itself, so that one that was read before
 * is moved to its new place, not read again.
 */
import type { Release } from "./release.ts";
import { LONGEST_REMEMBERED, MOST_REMEMBERED, ownText } from "./remember.ts";
import type { GrammarProblem, Line, Span, Tree, Word } from "./tree.ts";
import { movedToken } from "./tree.ts";

type ReadText = (text: string, release: Release) => Tree;

/** A line where it was read first, its tokens and its problems. */
interface KnownLine {
  line: Line;
  readonly tokens: number[];
  problems: readonly GrammarProblem[];
}

/** Ours: a longer text takes its time anyway, and repeats itself alone. */
const LONGEST_TEXT = 20_000;

/** Ours: with more new lines, of which none can be kept, a text is read as if alone. */
const FEW = 50;

/** Undefined: no text was read yet. One alone has nothing to gain. */
const knownLines = new WeakMap<Release, Map<string, KnownLine>>();

/** As `read`, which is asked for the lines that are new. */
export function readKnownLines(text: string, release: Release, read: ReadText): Tree {
  const known = knownLines.get(release);
  if (known === undefined) knownLines.set(release, new Map());
  if (known === undefined || text.length > LONGEST_TEXT || text.includes("\0")) return read(text, release);
  const found = linesOf(text, release, known, read);
  return found === null ? read(text, release) : putTogether(text, release, found);
}

/** Null: a line is too long to be remembered, or too many are new. */
function linesOf(
  text: string,
  release: Release,
  known: Map<string, KnownLine>,
  read: ReadText,
): readonly KnownLine[] | null {
  const lines: KnownLine[] = [];
  const fresh = new Map<string, KnownLine>();
  const room = MOST_REMEMBERED - known.size;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline + 1;
    if (end - start > LONGEST_REMEMBERED) return null;
    const written = text.slice(start, end);
    let line = known.get(written) ?? fresh.get(written);
    if (line === undefined) {
      line = { line: NOT_READ, tokens: [], problems: NO_PROBLEMS };
      fresh.set(written, line);
      if (fresh.size > FEW && fresh.size > room) return null;
    }
    lines.push(line);
    start = end;
  }
  if (fresh.size > 0) learn(fresh, release, known, read);
  return lines;
}

const NO_PROBLEMS: readonly GrammarProblem[] = [];
const NOT_READ: Line = { kind: "blank", start: 0, end: 0, number: 0, sshdNumber: 0 };

/** All new lines of a text at once; what is kept are pieces of them, which keep no whole file in memory. */
function learn(
  fresh: ReadonlyMap<string, KnownLine>,
  release: Release,
  known: Map<string, KnownLine>,
  read: ReadText,
): void {
  const isKept = known.size + fresh.size <= MOST_REMEMBERED;
  const { text, lines, tokens, problems } = read(ownText([...fresh.keys()].join("")), release);
  let index = 0;
  let token = 0;
  for (const entry of fresh.values()) {
    const line = lines[index++] ?? NOT_READ;
    entry.line = line;
    for (; token < tokens.length && movedToken(tokens[token] ?? 0, -line.end) < 0; token++)
      entry.tokens.push(tokens[token] ?? 0);
    if (problems.length > 0) entry.problems = problems.filter(({ number }) => number === line.number);
    if (isKept) known.set(text.slice(line.start, line.end), entry);
  }
}

function putTogether(text: string, release: Release, found: readonly KnownLine[]): Tree {
  const lines: Line[] = [];
  const problems: GrammarProblem[] = [];
  let start = 0;
  for (const { line, problems: own } of found) {
    const number = lines.length + 1;
    const by = start - line.start;
    lines.push(movedLine(line, by, number));
    for (const problem of own)
      problems.push({ ...problem, span: movedSpan(problem.span, by), number, sshdNumber: number });
    start = line.end + by;
  }
  let tokens: Tree["tokens"] | null = null;
  return {
    text,
    release,
    lines,
    problems,
    // an audit asks for those of a few lines, if any
    get tokens() {
      tokens ??= tokensOfAll(found, lines);
      return tokens;
    },
  };
}

function tokensOfAll(found: readonly KnownLine[], lines: readonly Line[]): Tree["tokens"] {
  const packed: number[] = [];
  for (const [index, { line, tokens }] of found.entries()) {
    const by = (lines[index] ?? line).start - line.start;
    for (const token of tokens) packed.push(movedToken(token, by));
  }
  return new Uint32Array(packed);
}

/** Spelled out, not spread, in the parser's order: V8 shall see one shape. */
function movedLine(line: Line, by: number, number: number): Line {
  const start = line.start + by;
  const end = line.end + by;
  const sshdNumber = number;
  switch (line.kind) {
    case "directive": {
      const { ending } = line;
      const keyword = movedWord(line.keyword, by);
      const args = line.args.map((word) => movedWord(word, by));
      const rest = { text: line.rest.text, start: line.rest.start + by, end: line.rest.end + by };
      const comment = line.comment === null ? null : movedSpan(line.comment, by);
      return { kind: "directive", start, end, number, sshdNumber, keyword, args, ending, rest, comment };
    }
    case "vanished":
      return { kind: "vanished", start, end, number, sshdNumber, cause: line.cause };
    case "comment":
      return { kind: "comment", start, end, number, sshdNumber };
    default:
      return { kind: "blank", start, end, number, sshdNumber };
  }
}

function movedWord({ value, start, end, quoted }: Word, by: number): Word {
  return { value, start: start + by, end: end + by, quoted };
}

function movedSpan({ start, end }: Span, by: number): Span {
  return { start: start + by, end: end + by };
}
