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
import { type LineMark, type LinePlace, scan } from "./scanner.ts";
import { type GrammarProblem, type Line, type Tree, tokensOf } from "./tree.ts";

/** A line as a token of chevrotain's. */
interface LineToken extends IToken {
  readonly place: LinePlace;
  readonly mark: LineMark | null;
}

/**
 * What a line is to the parser. The scanner has seen the words; blanks and line ends need no grammar, so the tables stay
 * small: they are built at every start.
 */
const TYPES = {
  directive: createToken({ name: "Directive" }),
  comment: createToken({ name: "Comment" }),
  vanished: createToken({ name: "Vanished" }),
  blank: createToken({ name: "Blank" }),
} as const;

/** In the order of the rule's alternatives. */
const KINDS: readonly TokenType[] = [TYPES.directive, TYPES.comment, TYPES.blank, TYPES.vanished];

/**
 * The type of the next token decides each choice of the grammar: said here, because chevrotain would find it out anew at
 * every start, in 2 ms.
 */
const LOOKAHEAD: ILookaheadStrategy = {
  validate: () => [],
  buildLookaheadForAlternation: () =>
    function (this: ConfigParser) {
      return KINDS.indexOf(this.nextType());
    },
  buildLookaheadForOptional: () =>
    function (this: ConfigParser) {
      return this.nextType() !== EOF;
    },
};

class ConfigParser extends EmbeddedActionsParser {
  lines: Line[] = [];

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

  /** Made once: the rule asks for them again for each line. */
  private readonly kindsOfLine = KINDS.map((type) => ({ ALT: () => this.take(this.CONSUME(type)) }));

  /** file: (directive | comment | blank | vanished)* */
  readonly file: () => void = this.RULE("file", () => {
    this.MANY(() => this.OR(this.kindsOfLine));
  });

  // while chevrotain records the rules, the tokens are its own
  private take(found: IToken): void {
    if (!this.RECORDING_PHASE) this.lines.push(lineOf(found as LineToken));
  }
}

/** V8 keeps the properties of a prototype in their fast form, once they are read through it. The bundle needs it (fastOnce). */
function keepFast(parser: ConfigParser): void {
  const user: ConfigParser = Object.create(parser);
  for (let time = 0; time < 2; time++) user.lines;
}

/** Spelled out, not spread: this runs once a line. */
function lineOf({ place, mark }: LineToken): Line {
  const { start, end, number, sshdNumber } = place;
  switch (mark?.kind) {
    case "directive": {
      const { keyword, args, ending, rest, comment } = mark;
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
  let waiting: LineToken[] = [];
  const flush = (): void => {
    parseLines(waiting, lines);
    waiting = [];
  };
  scan(text, release, rules, {
    tokens,
    line: (place, mark) => {
      waiting.push(lineToken(place, mark));
      if (waiting.length === LINES_AT_ONCE) flush();
    },
    problem: (problem) => problems.push(problem),
  });
  flush();
  return { text, release, tokens: new Uint32Array(tokens), lines, problems };
}

function parseLines(tokens: LineToken[], lines: Line[]): void {
  sharedParser ??= new ConfigParser();
  sharedParser.input = tokens;
  sharedParser.lines = lines;
  sharedParser.file();
  sharedParser.lines = [];
  sharedParser.input = [];
}

/** Spelled out, not spread: this runs once a line. */
function lineToken(place: LinePlace, mark: LineMark | null): LineToken {
  const tokenType = TYPES[mark?.kind ?? "blank"];
  return { image: "", startOffset: 0, tokenTypeIdx: tokenType.tokenTypeIdx ?? 0, tokenType, place, mark };
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
