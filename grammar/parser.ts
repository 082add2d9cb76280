/**
 * The parser: chevrotain over the scanner's tokens, with embedded actions that build our own ordered lines. A grammar
 * for any token sequence, so it has no errors of its own; what sshd refuses is collected as problems.
 */
import { createToken, EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import { type LineRules, lineRules } from "./logical-lines.ts";
import type { Release } from "./release.ts";
import { type LineMark, scan } from "./scanner.ts";
import type { GrammarProblem, Line, Span, Token, Tree } from "./tree.ts";

/** What makes a line what it is; null: another token does. */
type Mark = LineMark | { readonly kind: "comment" };

/** A chevrotain token that carries ours, and what the scanner read with it. */
interface CarrierToken extends IToken {
  readonly token: Token;
  readonly mark: Mark;
}

/** Ends each line, with or without a line end in the text. */
interface BoundaryToken extends IToken {
  readonly number: number;
  readonly sshdNumber: number;
  readonly span: Span;
}

/**
 * What a token is to the line it stands in. The scanner has seen what makes the line what it is; to the parser all
 * tokens beside that one are parts, so its tables stay small: it is built at every start.
 */
const TYPES = {
  keyword: createToken({ name: "Keyword" }),
  vanished: createToken({ name: "Vanished" }),
  comment: createToken({ name: "Comment" }),
  part: createToken({ name: "Part" }),
  boundary: createToken({ name: "Boundary" }),
} as const;

const TYPES_OF_MARKS: Readonly<Record<NonNullable<Mark>["kind"], TokenType>> = {
  directive: TYPES.keyword,
  vanished: TYPES.vanished,
  comment: TYPES.comment,
};

class ConfigParser extends EmbeddedActionsParser {
  lines: Line[] = [];
  tokens: Token[] = [];
  mark: Mark = null;

  constructor() {
    super(Object.values(TYPES), { outputCst: false, maxLookahead: 1, skipValidations: true } as object);
    this.performSelfAnalysis();
  }

  /** file: line* */
  readonly file: () => void = this.RULE("file", () => {
    this.MANY(() => this.SUBRULE(this.line));
  });

  /** line: part* (keyword | vanished | comment)? part* boundary */
  readonly line: () => void = this.RULE("line", () => {
    this.MANY(() => this.take(this.CONSUME(TYPES.part)));
    this.OPTION(() =>
      this.OR([
        { ALT: () => this.take(this.CONSUME(TYPES.keyword)) },
        { ALT: () => this.take(this.CONSUME(TYPES.vanished)) },
        { ALT: () => this.take(this.CONSUME(TYPES.comment)) },
      ]),
    );
    this.MANY1(() => this.take(this.CONSUME1(TYPES.part)));
    const end = this.CONSUME(TYPES.boundary);
    this.ACTION(() => this.finishLine(end as BoundaryToken));
  });

  private take(found: IToken): void {
    // while chevrotain records the rules, the tokens are its own
    if (this.RECORDING_PHASE) return;
    const { token, mark } = found as CarrierToken;
    this.tokens.push(token);
    if (mark !== null) this.mark = mark;
  }

  private finishLine(boundary: BoundaryToken): void {
    this.lines.push(lineOf(this.mark, this.tokens, boundary));
    this.tokens = [];
    this.mark = null;
  }
}

/** Spelled out, not spread: this runs once a line. */
function lineOf(mark: Mark, tokens: readonly Token[], { span, number, sshdNumber }: BoundaryToken): Line {
  switch (mark?.kind) {
    case "directive": {
      const { keyword, args, end, rest, comment } = mark.head;
      return {
        kind: "directive",
        tokens,
        span,
        number,
        sshdNumber,
        keyword,
        args,
        end,
        rest,
        comment,
      };
    }
    case "vanished":
      return { kind: "vanished", tokens, span, number, sshdNumber, cause: mark.cause };
    case "comment":
      return { kind: "comment", tokens, span, number, sshdNumber };
    default:
      return { kind: "blank", tokens, span, number, sshdNumber };
  }
}

let sharedParser: ConfigParser | null = null;

/** Reads any text (latin1: one character is one byte) as that release's sshd does. Never throws. */
export function parseText(text: string, release: Release): Tree {
  return parse(text, release, lineRules(release));
}

/** Reads the text of an `-o` option: up to 8.6 it is not cut at `#` as the lines of a file are. */
export function parseOptionText(text: string, release: Release): Tree {
  return parse(text, release, { cutsAtHash: false });
}

/** Chevrotain's tokens of so many lines live at a time; a long file would fill the memory with them. */
const LINES_AT_ONCE = 200;

function parse(text: string, release: Release, rules: LineRules): Tree {
  const problems: GrammarProblem[] = [];
  const lines: Line[] = [];
  let tokens: IToken[] = [];
  let pending = 0;
  let isOpen = true;
  const flush = (): void => {
    parseLines(tokens, lines);
    tokens = [];
    pending = 0;
  };
  scan(text, release, rules, {
    token: (token, mark) => {
      const found = mark ?? (isOpen && token.kind === "comment" ? COMMENT : null);
      if (found !== null) isOpen = false;
      tokens.push(carry(token, found));
    },
    lineEnd: (line) => {
      tokens.push(boundary(line));
      isOpen = true;
      if (++pending === LINES_AT_ONCE) flush();
    },
    problem: (problem) => problems.push(problem),
  });
  flush();
  return { text, release, lines, problems };
}

const COMMENT: Mark = { kind: "comment" };

function parseLines(tokens: IToken[], lines: Line[]): void {
  sharedParser ??= new ConfigParser();
  sharedParser.input = tokens;
  sharedParser.lines = lines;
  sharedParser.file();
  sharedParser.lines = [];
  sharedParser.input = [];
}

function carry(token: Token, mark: Mark): CarrierToken {
  const type = mark === null ? TYPES.part : TYPES_OF_MARKS[mark.kind];
  return {
    image: token.text,
    startOffset: token.start,
    tokenTypeIdx: type.tokenTypeIdx ?? 0,
    tokenType: type,
    token,
    mark,
  };
}

function boundary(line: {
  readonly start: number;
  readonly end: number;
  readonly number: number;
  readonly sshdNumber: number;
}): BoundaryToken {
  return {
    image: "",
    startOffset: line.end,
    tokenTypeIdx: TYPES.boundary.tokenTypeIdx ?? 0,
    tokenType: TYPES.boundary,
    number: line.number,
    sshdNumber: line.sshdNumber,
    span: { start: line.start, end: line.end },
  };
}

/** The text of a tree: the same bytes that were parsed. */
export function printText(tree: Tree): string {
  return tree.lines.map((line) => line.tokens.map((token) => token.text).join("")).join("");
}
