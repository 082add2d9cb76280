/** Commented lines of a stock file, `#AllowTcpForwarding yes`: where a finding points and a fix turns a keyword on. */
import { equalIgnoringCase, lowerAscii, withoutEnd } from "../../grammar/ascii.ts";
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
  const { known, end } = foundIn(tree);
  const before = known.get(keyword);
  if (before !== undefined) return before;
  const found = find(tree, keyword, end);
  known.set(keyword, found);
  return found;
}

/** Rules and fixes ask each file for a few keywords, several times. */
const foundIn = onceFor((tree: Tree) => ({
  known: new Map<string, StockComment | null>(),
  end: startOfMatch(tree),
}));

/** By a search through the text: most lines of a stock file are comments, and hardly any is about the keyword. */
function find(tree: Tree, keyword: string, end: number): StockComment | null {
  let last: Commented = { index: -1, inExample: false };
  for (const { index: at } of tree.text.matchAll(mentionOf(keyword))) {
    if (at >= end) break;
    const index = indexAt(tree.lines, ({ start }) => start, at);
    if (index === last.index) continue;
    last = { index, inExample: isInExample(tree, index, last) };
    const found = last.inExample ? null : stockLine(tree, index, keyword);
    if (found !== null) return found;
  }
  return null;
}

/** `#Keyword` and `# Keyword`, wherever they stand in a line. */
const mentions = new Map<string, RegExp>();

function mentionOf(keyword: string): RegExp {
  const mention = mentions.get(keyword) ?? new RegExp(`# ?${keyword}(?![A-Za-z0-9])`, "gi");
  mentions.set(keyword, mention);
  return mention;
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
function isInExample(tree: Tree, index: number, last: Commented): boolean {
  for (let above = index - 1; above >= 0; above--) {
    const line = tree.lines[above];
    if (line?.kind !== "comment") return false;
    if (isMatch(tree, line)) return true;
    if (above === last.index) return last.inExample;
  }
  return false;
}

function isMatch(tree: Tree, line: Line): boolean {
  MATCH.lastIndex = line.start;
  if (!MATCH.test(tree.text)) return false;
  const comment = tokensOf(tree, line).find(({ kind }) => kind === "comment");
  return comment !== undefined && commentedSetting(comment.text, tree.release)?.keyword === "match";
}

const MATCH = /[ \t\r]*# ?match(?![A-Za-z0-9])/iy;

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
