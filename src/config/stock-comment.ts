/** Commented lines of a stock file, `#AllowTcpForwarding yes`: where a finding points and a fix turns a keyword on. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Release } from "../../grammar/release.ts";
import { type DirectiveHead, readDirective } from "../../grammar/scanner.ts";
import { type Line, type Tree, tokensOf } from "../../grammar/tree.ts";
import type { ConfigFile } from "./config.ts";

/** A line that holds nothing but `#Keyword value`, outside every Match. */
export interface StockComment {
  readonly line: Line;
  readonly start: number;
  readonly end: number;
}

/** The first commented stock line of a keyword (lower case) before any Match. */
export function findStockComment({ tree }: ConfigFile, keyword: string): StockComment | null {
  const known = COMMENTS.get(tree) ?? { byWord: commentsByWord(tree), found: new Map() };
  COMMENTS.set(tree, known);
  const found = known.found.get(keyword) ?? chooseComment(known.byWord.get(keyword) ?? [], keyword, tree);
  known.found.set(keyword, found);
  return found;
}

function chooseComment(lines: readonly Line[], keyword: string, tree: Tree): StockComment | null {
  for (const line of lines) {
    const tokens = tokensOf(tree, line);
    const comment = tokens.find(({ kind }) => kind === "comment");
    if (comment === undefined || tokens.some(({ kind }) => kind === "hidden")) continue;
    const directive = commentedDirective(comment.text, tree.release);
    if (directive === null || directive.args.length !== 1) continue;
    if (lowerAscii(directive.keyword.value) !== keyword) continue;
    const length = comment.text.length - trailingBlanks(comment.text);
    return { line, start: comment.start, end: comment.start + length };
  }
  return null;
}

interface StockComments {
  readonly byWord: ReadonlyMap<string, readonly Line[]>;
  readonly found: Map<string, StockComment | null>;
}

/** Rules and fixes ask each file for a dozen keywords. */
const COMMENTS = new WeakMap<Tree, StockComments>();

/**
 * Comments before any Match by their first word, in lower case. `#	AllowTcpForwarding no` under `#Match User anoncvs` is
 * part of an example and left out.
 */
function commentsByWord(tree: Tree): ReadonlyMap<string, readonly Line[]> {
  const found = new Map<string, Line[]>();
  let inExample = false;
  for (const line of tree.lines) {
    if (line.kind === "directive" && lowerAscii(line.keyword.value) === "match") break;
    if (line.kind !== "comment") inExample = false;
    if (line.kind !== "comment") continue;
    const word = firstWord(tree.text, line);
    if (word === null) continue;
    if (word === "match") inExample ||= isMatch(tree, line);
    if (inExample) continue;
    const same = found.get(word);
    if (same === undefined) found.set(word, [line]);
    else same.push(line);
  }
  return found;
}

function isMatch(tree: Tree, line: Line): boolean {
  const comment = tokensOf(tree, line).find(({ kind }) => kind === "comment");
  const directive = comment === undefined ? null : commentedDirective(comment.text, tree.release);
  return directive !== null && lowerAscii(directive.keyword.value) === "match";
}

/** Of `#Word` and `# Word`; looked for where the line stands, because a stock file is comments for the most part. */
function firstWord(text: string, { start }: Line): string | null {
  FIRST_WORD.lastIndex = start;
  const word = FIRST_WORD.exec(text)?.[1];
  return word === undefined ? null : lowerAscii(word);
}

const FIRST_WORD = /[ \t\r]*# ?([A-Za-z][A-Za-z0-9]*)/y;

function commentedDirective(comment: string, release: Release): DirectiveHead | null {
  return readDirective(comment.slice(comment.startsWith("# ") ? 2 : 1), release);
}

function trailingBlanks(text: string): number {
  return /[ \t\r\f]*$/.exec(text)?.[0].length ?? 0;
}
