/** Commented lines of a stock file, `#AllowTcpForwarding yes`: where a finding points and a fix turns a keyword on. */
import { equalIgnoringCase, lowerAscii, lowerForSearch, withoutEnd } from "../../grammar/ascii.ts";
import { onceFor, remember } from "../../grammar/remember.ts";
import { readDirective } from "../../grammar/scanner.ts";
import { type Line, type Tree, tokensOf } from "../../grammar/tree.ts";
import { indexAt } from "../source/source.ts";
import type { ConfigFile } from "./config.ts";

/** A line that holds nothing but `#Keyword value`, outside every Match. */
export interface StockComment {
  readonly line: Line;
  readonly start: number;
  readonly end: number;
}

/** The first commented stock line of a keyword (lower case) before any Match. */
export function findStockComment({ tree }: ConfigFile, keyword: string): StockComment | null {
  const searched = searchedOf(tree);
  const before = searched.known.get(keyword);
  if (before !== undefined) return before;
  const found = find(tree, keyword, searched);
  searched.known.set(keyword, found);
  return found;
}

interface Searched {
  readonly known: Map<string, StockComment | null>;
  /** the text in lower case */
  readonly lower: string;
  /** where the first Match is */
  readonly end: number;
}

/** Rules and fixes ask each file for a few keywords, several times. */
const searchedOf = onceFor(
  (tree: Tree): Searched => ({ known: new Map(), lower: lowerForSearch(tree.text), end: startOfMatch(tree) }),
);

/** By a search through the text: most lines of a stock file are comments, and hardly any is about the keyword. */
function find(tree: Tree, keyword: string, { lower, end }: Searched): StockComment | null {
  let last: Commented = { index: -1, inExample: false };
  for (let at = lower.indexOf(keyword); at !== -1 && at < end; at = lower.indexOf(keyword, at + 1)) {
    if (!lower.startsWith("#", at - 1) && !lower.startsWith("# ", at - 2)) continue;
    const index = indexAt(tree.lines, ({ start }) => start, at);
    if (index === last.index) continue;
    last = { index, inExample: isInExample(tree, lower, index, last) };
    const found = last.inExample ? null : stockLine(tree, index, keyword);
    if (found !== null) return found;
  }
  return null;
}

function startOfMatch({ lines, text }: Tree): number {
  return lines.find(opensMatch)?.start ?? text.length;
}

function opensMatch(line: Line): boolean {
  return line.kind === "directive" && equalIgnoringCase(line.keyword.value, "match");
}

/** A comment line, by its index, and whether it is part of an example. */
interface Commented {
  readonly index: number;
  readonly inExample: boolean;
}

/** `#	AllowTcpForwarding no` under `#Match User anoncvs`. `last`: an earlier line that is known. */
function isInExample(tree: Tree, lower: string, index: number, last: Commented): boolean {
  for (let above = index - 1; above >= 0; above--) {
    const line = tree.lines[above];
    if (line?.kind !== "comment") return false;
    if (isMatch(tree, lower, line)) return true;
    if (above === last.index) return last.inExample;
  }
  return false;
}

function isMatch(tree: Tree, lower: string, line: Line): boolean {
  MATCH.lastIndex = line.start;
  if (!MATCH.test(lower)) return false;
  const comment = tokensOf(tree, line).find(({ kind }) => kind === "comment");
  return comment !== undefined && commentedSetting(comment.text, tree.release)?.keyword === "match";
}

/** Of a text in lower case: V8 takes long to compile an expression that ignores case. */
const MATCH = /[ \t\r]*# ?match(?![a-z0-9])/y;

function stockLine(tree: Tree, index: number, keyword: string): StockComment | null {
  const line = tree.lines[index];
  if (line?.kind !== "comment") return null;
  const tokens = tokensOf(tree, line);
  const comment = tokens.find(({ kind }) => kind === "comment");
  if (comment === undefined || tokens.some(({ kind }) => kind === "hidden")) return null;
  const setting = commentedSetting(comment.text, tree.release);
  if (setting?.keyword !== keyword || setting.values !== 1) return null;
  const { length } = withoutEnd(comment.text, " \t\r\f");
  return { line, start: comment.start, end: comment.start + length };
}

/** Null: words. The stock files of many servers have the same comments. */
const commentedSetting = remember((comment, release) => {
  const directive = readDirective(comment.slice(comment.startsWith("# ") ? 2 : 1), release);
  if (directive === null) return null;
  return { keyword: lowerAscii(directive.keyword.value), values: directive.args.length };
});
