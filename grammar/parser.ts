/**
 * The parser: chevrotain over the scanner's tokens, with embedded actions that build our own ordered lines. A grammar
 * for any token sequence, so it has no errors of its own; what sshd refuses is collected as problems.
 */
import { createToken, EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import { type LineRules, lineRules } from "./logical-lines.ts";
import type { Release } from "./release.ts";
import { type DirectiveHead, type LineMark, scan } from "./scanner.ts";
import type { GrammarProblem, Line, Span, Token, TokenKind, Tree } from "./tree.ts";

/** A chevrotain token that carries ours, and what the scanner read with it. */
interface CarrierToken extends IToken {
  readonly token: Token;
  readonly mark: LineMark;
}

/** Ends each line, with or without a line end in the text. */
interface BoundaryToken extends IToken {
  readonly number: number;
  readonly sshdNumber: number;
  readonly span: Span;
}

const TYPES: Readonly<Record<TokenKind | "boundary", TokenType>> = {
  blank: createToken({ name: "Blank" }),
  hidden: createToken({ name: "Hidden" }),
  separator: createToken({ name: "Separator" }),
  keyword: createToken({ name: "Keyword" }),
  argument: createToken({ name: "Argument" }),
  vanished: createToken({ name: "Vanished" }),
  comment: createToken({ name: "Comment" }),
  newline: createToken({ name: "Newline" }),
  boundary: createToken({ name: "Boundary" }),
};

class ConfigParser extends EmbeddedActionsParser {
  lines: Line[] = [];
  tokens: Token[] = [];
  head: DirectiveHead | null = null;
  vanished: "unclosed-quote" | "leading-equals" | null = null;
  commented = false;

  constructor() {
    super(Object.values(TYPES), { outputCst: false, maxLookahead: 1, skipValidations: true } as object);
    this.performSelfAnalysis();
  }

  /** file: line* */
  readonly file: () => void = this.RULE("file", () => {
    this.MANY(() => this.SUBRULE(this.line));
  });

  /** line: trivia* (directive | dropped | comment)? newline? boundary */
  readonly line: () => void = this.RULE("line", () => {
    this.MANY(() => this.SUBRULE(this.trivia));
    this.OPTION(() =>
      this.OR([
        { ALT: () => this.SUBRULE(this.directive) },
        { ALT: () => this.SUBRULE(this.dropped) },
        { ALT: () => this.SUBRULE(this.comment) },
      ]),
    );
    this.OPTION1(() => this.take(this.CONSUME(TYPES.newline)));
    const end = this.CONSUME(TYPES.boundary);
    this.ACTION(() => this.finishLine(end as BoundaryToken));
  });

  /** trivia: blank | hidden */
  readonly trivia: () => void = this.RULE("trivia", () => {
    this.OR([
      { ALT: () => this.take(this.CONSUME(TYPES.blank)) },
      { ALT: () => this.take(this.CONSUME(TYPES.hidden)) },
    ]);
  });

  /** directive: separator* keyword (keyword | separator | argument | trivia | vanished | comment)* */
  readonly directive: () => void = this.RULE("directive", () => {
    this.MANY(() =>
      this.OR([
        { ALT: () => this.take(this.CONSUME(TYPES.separator)) },
        { ALT: () => this.take(this.CONSUME(TYPES.hidden)) },
      ]),
    );
    this.take(this.CONSUME(TYPES.keyword));
    this.MANY1(() =>
      this.OR1([
        { ALT: () => this.take(this.CONSUME1(TYPES.argument)) },
        { ALT: () => this.take(this.CONSUME1(TYPES.separator)) },
        { ALT: () => this.take(this.CONSUME1(TYPES.blank)) },
        { ALT: () => this.take(this.CONSUME1(TYPES.comment)) },
        { ALT: () => this.take(this.CONSUME1(TYPES.hidden)) },
        { ALT: () => this.take(this.CONSUME1(TYPES.keyword)) },
        { ALT: () => this.take(this.CONSUME1(TYPES.vanished)) },
      ]),
    );
  });

  /** dropped: vanished (vanished | trivia | comment)* */
  readonly dropped: () => void = this.RULE("dropped", () => {
    this.take(this.CONSUME(TYPES.vanished));
    this.MANY(() =>
      this.OR([
        { ALT: () => this.take(this.CONSUME1(TYPES.vanished)) },
        { ALT: () => this.take(this.CONSUME(TYPES.blank)) },
        { ALT: () => this.take(this.CONSUME(TYPES.hidden)) },
        { ALT: () => this.take(this.CONSUME(TYPES.comment)) },
      ]),
    );
  });

  /** comment: comment (comment | trivia)* */
  readonly comment: () => void = this.RULE("comment", () => {
    this.take(this.CONSUME(TYPES.comment));
    this.MANY(() =>
      this.OR([
        { ALT: () => this.take(this.CONSUME1(TYPES.comment)) },
        { ALT: () => this.take(this.CONSUME(TYPES.blank)) },
        { ALT: () => this.take(this.CONSUME(TYPES.hidden)) },
      ]),
    );
    this.ACTION(() => {
      this.commented = true;
    });
  });

  private take(found: IToken): void {
    this.ACTION(() => {
      const { token, mark } = found as CarrierToken;
      this.tokens.push(token);
      if (mark === null) return;
      if (mark.kind === "directive") this.head = mark.head;
      else this.vanished = mark.cause;
    });
  }

  private finishLine(boundary: BoundaryToken): void {
    const { span, number, sshdNumber } = boundary;
    const { tokens, head } = this;
    // spelled out, not spread: this runs once a line
    if (head !== null) {
      const { keyword, args, end, rest, comment } = head;
      this.lines.push({
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
      });
    } else if (this.vanished !== null) {
      this.lines.push({ kind: "vanished", tokens, span, number, sshdNumber, cause: this.vanished });
    } else {
      this.lines.push({ kind: this.commented ? "comment" : "blank", tokens, span, number, sshdNumber });
    }
    this.tokens = [];
    this.head = null;
    this.vanished = null;
    this.commented = false;
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

function parse(text: string, release: Release, rules: LineRules): Tree {
  const tokens: IToken[] = [];
  const problems: GrammarProblem[] = [];
  scan(text, release, rules, {
    token: (token, mark) => tokens.push(carry(token, mark)),
    lineEnd: (line) => tokens.push(boundary(line)),
    problem: (problem) => problems.push(problem),
  });
  sharedParser ??= new ConfigParser();
  sharedParser.input = tokens;
  sharedParser.lines = [];
  sharedParser.file();
  const { lines } = sharedParser;
  sharedParser.lines = [];
  sharedParser.input = [];
  return { text, release, lines, problems };
}

function carry(token: Token, mark: LineMark): CarrierToken {
  const type = TYPES[token.kind];
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
