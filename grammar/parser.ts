/**
 * The parser: chevrotain over the scanner's tokens, with embedded actions that build our own ordered lines. A grammar
 * for any token sequence, so it has no errors of its own; what sshd refuses is collected as problems.
 */
import {
  createToken,
  EmbeddedActionsParser,
  EOF,
  type ILookaheadStrategy,
  type IToken,
  type TokenType,
} from "chevrotain";
import { readKnownLines } from "./known-lines.ts";
import { type LineRules, lineRules } from "./logical-lines.ts";
import type { Release } from "./release.ts";
import { type LineEnd, type LineMark, scan } from "./scanner.ts";
import { type GrammarProblem, type Line, type Tree, tokensOf } from "./tree.ts";

/** What makes a line what it is, as a token of chevrotain's. */
interface MarkToken extends IToken {
  readonly mark: LineMark;
}

/** Ends each line, with or without a line end in the text. */
interface EndToken extends IToken {
  readonly line: LineEnd;
}

/**
 * What a line is made of to the parser. The scanner has seen the words; blanks and line ends need no grammar, so the
 * tables stay small: they are built at every start.
 */
const TYPES = {
  directive: createToken({ name: "Keyword" }),
  vanished: createToken({ name: "Vanished" }),
  comment: createToken({ name: "Comment" }),
  end: createToken({ name: "End" }),
} as const;

/** In the order of the rule's alternatives. */
const MARKS: readonly TokenType[] = [TYPES.directive, TYPES.comment, TYPES.vanished];

/**
 * The type of the next token decides each choice of the grammar: said here, because chevrotain would find it out anew at
 * every start, in 2 ms.
 */
const LOOKAHEAD: ILookaheadStrategy = {
  validate: () => [],
  buildLookaheadForAlternation: () =>
    function (this: ConfigParser) {
      return MARKS.indexOf(this.nextType());
    },
  buildLookaheadForOptional: ({ prodType }) =>
    prodType === "Option"
      ? function (this: ConfigParser) {
          return this.nextType() !== TYPES.end;
        }
      : function (this: ConfigParser) {
          return this.nextType() !== EOF;
        },
};

class ConfigParser extends EmbeddedActionsParser {
  lines: Line[] = [];
  mark: LineMark | null = null;

  constructor() {
    super(Object.values(TYPES), {
      outputCst: false,
      maxLookahead: 1,
      skipValidations: true,
      lookaheadStrategy: LOOKAHEAD,
    } as object);
    this.performSelfAnalysis();
    keepFast(this);
  }

  nextType(): TokenType {
    return this.LA(1).tokenType;
  }

  /** file: ((keyword | vanished | comment)? end)* */
  readonly file: () => void = this.RULE("file", () => {
    this.MANY(() => {
      this.OPTION(() =>
        this.OR([
          { ALT: () => this.take(this.CONSUME(TYPES.directive)) },
          { ALT: () => this.take(this.CONSUME(TYPES.comment)) },
          { ALT: () => this.take(this.CONSUME(TYPES.vanished)) },
        ]),
      );
      this.finishLine(this.CONSUME(TYPES.end));
    });
  });

  // while chevrotain records the rules, the tokens are its own
  private take(found: IToken): void {
    if (!this.RECORDING_PHASE) this.mark = (found as MarkToken).mark;
  }

  private finishLine(found: IToken): void {
    if (this.RECORDING_PHASE) return;
    this.lines.push(lineOf(this.mark, (found as EndToken).line));
    this.mark = null;
  }
}

/** V8 keeps the properties of a prototype in their fast form, once they are read through it. The bundle needs it (fastOnce). */
function keepFast(parser: ConfigParser): void {
  const user: ConfigParser = Object.create(parser);
  for (let time = 0; time < 2; time++) user.mark;
}

/** Spelled out, not spread: this runs once a line. */
function lineOf(mark: LineMark | null, { start, end, number, sshdNumber }: LineEnd): Line {
  switch (mark?.kind) {
    case "directive": {
      const { keyword, args, ending, rest, comment } = mark.head;
      return { kind: "directive", start, end, number, sshdNumber, keyword, args, ending, rest, comment };
    }
    case "vanished":
      return { kind: "vanished", start, end, number, sshdNumber, cause: mark.cause };
    case "comment":
      return { kind: "comment", start, end, number, sshdNumber };
    default:
      return { kind: "blank", start, end, number, sshdNumber };
  }
}

let sharedParser: ConfigParser | null = null;

/** Reads any text (latin1: one character is one byte) as that release's sshd does. Never throws. */
export function parseText(text: string, release: Release): Tree {
  return readKnownLines(text, release, readAll);
}

function readAll(text: string, release: Release): Tree {
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
  const tokens: number[] = [];
  let waiting: IToken[] = [];
  let pending = 0;
  const flush = (): void => {
    parseLines(waiting, lines);
    waiting = [];
    pending = 0;
  };
  scan(text, release, rules, {
    tokens,
    mark: (mark) => waiting.push(mark.kind === "comment" ? COMMENT : markToken(mark)),
    lineEnd: (line) => {
      waiting.push(endToken(line));
      if (++pending === LINES_AT_ONCE) flush();
    },
    problem: (problem) => problems.push(problem),
  });
  flush();
  return { text, release, tokens: new Uint32Array(tokens), lines, problems };
}

function parseLines(tokens: IToken[], lines: Line[]): void {
  sharedParser ??= new ConfigParser();
  sharedParser.input = tokens;
  sharedParser.lines = lines;
  sharedParser.file();
  sharedParser.lines = [];
  sharedParser.input = [];
}

/** Spelled out, not spread: this runs once a line. */
function markToken(mark: LineMark): MarkToken {
  const tokenType = TYPES[mark.kind];
  return { image: "", startOffset: 0, tokenTypeIdx: tokenType.tokenTypeIdx ?? 0, tokenType, mark };
}

/** All comments look alike to the parser. */
const COMMENT: MarkToken = markToken({ kind: "comment" });

function endToken(line: LineEnd): EndToken {
  return { image: "", startOffset: 0, tokenTypeIdx: TYPES.end.tokenTypeIdx ?? 0, tokenType: TYPES.end, line };
}

/** The text of a tree: the same bytes that were parsed. */
export function printText(tree: Tree): string {
  return tree.lines
    .map((line) =>
      tokensOf(tree, line)
        .map(({ text }) => text)
        .join(""),
    )
    .join("");
}
