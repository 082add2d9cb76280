/**
 * From intended changes to the smallest edits in the place that wins: the only writer of configuration text.
 * design.md "Fix, apply, roll back": the directive that decides is edited in its own file; where nothing decides, the
 * commented stock line is turned on, else one line goes in before the first Match and before any Include.
 */
import { equalIgnoringCase, lowerAscii } from "../../grammar/ascii.ts";
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { onceFor } from "../../grammar/remember.ts";
import { type DirectiveLine, type Line, type Tree, tokensOf } from "../../grammar/tree.ts";
import type { Edit } from "../edit/edit.ts";
import type { Config, ConfigFile, Directive } from "./config.ts";
import { globalLine } from "./keyword-lines.ts";
import { findStockComment, type StockComment } from "./stock-comment.ts";

/** What should become true; the text comes from here. */
export type Change =
  /** `keyword` (lower case) gets `value` for every connection that no written exception decides */
  | { readonly kind: "set-global"; readonly keyword: string; readonly value: string }
  | { readonly kind: "replace-value"; readonly directive: Directive; readonly value: string };

/** Lower case. */
export function keywordOf(change: Change): string {
  return change.kind === "set-global" ? change.keyword : change.directive.keyword;
}

export type PlannedChange =
  | { readonly kind: "edits"; readonly edits: readonly Edit[] }
  /** no edit of a file can do it: an option on sshd's command line decides, or the file cannot be edited safely */
  | { readonly kind: "impossible"; readonly because: string };

/** One change as edits against the files as they were loaded; no edits where it is true already. */
export function planChange(config: Config, change: Change): PlannedChange {
  return change.kind === "set-global"
    ? setGlobal(config, change)
    : replaceValue(config, change.directive, change.value);
}

export interface MergedChanges {
  readonly edits: readonly Edit[];
  /** changes that were left out, with the reason */
  readonly refused: readonly { readonly change: Change; readonly because: string }[];
}

/** Equal edits merge; of contradicting ones the first stays and the other is reported. */
export function planChanges(config: Config, changes: readonly Change[]): MergedChanges {
  const edits: Edit[] = [];
  const refused: { change: Change; because: string }[] = [];
  for (const change of changes) {
    const planned = planChange(config, change);
    if (planned.kind === "impossible") {
      refused.push({ change, because: planned.because });
      continue;
    }
    const fresh = planned.edits.filter((edit) => !edits.some((other) => sameEdit(edit, other)));
    const overlap = findConflict(edits, fresh);
    if (overlap === null) edits.push(...fresh);
    else refused.push({ change, because: `it contradicts another change at ${overlap}` });
  }
  return { edits, refused };
}

function sameEdit(a: Edit, b: Edit): boolean {
  return a.path === b.path && a.start === b.start && a.end === b.end && a.text === b.text;
}

function findConflict(edits: readonly Edit[], fresh: readonly Edit[]): string | null {
  const conflicting = fresh.find((edit) =>
    edits.some((other) => other.path === edit.path && other.start < edit.end && edit.start < other.end),
  );
  return conflicting === undefined ? null : `${conflicting.path}, byte ${conflicting.start}`;
}

function fileOf(config: Config, directive: Directive): ConfigFile | undefined {
  return config.files.find(({ source }) => source === directive.place.source);
}

const OPTION_DECIDES = "an option on sshd's command line decides; change it where sshd is started";

function replaceValue(config: Config, directive: Directive, value: string): PlannedChange {
  const file = fileOf(config, directive);
  if (file === undefined) return { kind: "impossible", because: OPTION_DECIDES };
  const { start, end } = directive.valuePlace;
  const before = file.source.text.slice(start, end);
  const isQuoted =
    before.length > 1 && before.startsWith('"') && before.indexOf('"', 1) === before.length - 1;
  const text = isQuoted ? `"${value}"` : value;
  return { kind: "edits", edits: text === before ? [] : [{ path: file.realPath, start, end, text }] };
}

type SetGlobal = Extract<Change, { kind: "set-global" }>;

function setGlobal(config: Config, change: SetGlobal): PlannedChange {
  const deciding = globalLine(config, change.keyword);
  if (deciding !== null) {
    const isThere = deciding.values?.length === 1 && deciding.values[0] === change.value;
    return isThere ? { kind: "edits", edits: [] } : replaceValue(config, deciding, change.value);
  }
  const main = config.files[0];
  if (main === undefined) return { kind: "impossible", because: "the file cannot be read" };
  const stock = findStockComment(main, change.keyword);
  return { kind: "edits", edits: [stock === null ? insertLine(main, change) : turnOn(main, stock, change)] };
}

function turnOn(file: ConfigFile, stock: StockComment, change: SetGlobal): Edit {
  const text = file.source.text.slice(stock.start, stock.end);
  const parts = /^# ?([A-Za-z0-9]+)([ \t]*=?[ \t]*)/.exec(text);
  const written = parts === null ? `${spelling(file, change)} ` : `${parts[1]}${parts[2]}`;
  return { path: file.realPath, start: stock.start, end: stock.end, text: written + change.value };
}

/** As the man page writes it. */
function spelling(file: ConfigFile, change: SetGlobal): string {
  return lookUpKeyword(change.keyword, file.tree.release).keyword?.name ?? change.keyword;
}

/** How the lines around are written. */
interface Style {
  readonly indent: string;
  readonly separator: string;
  readonly lowerCase: boolean;
  readonly lineEnd: string;
}

/** Where a new line goes, how it is written, and what stands around it there. */
interface Insertion {
  readonly style: Style;
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

function insertLine(file: ConfigFile, change: SetGlobal): Edit {
  const { at, style, before, after } = insertionOf(file);
  const keyword = style.lowerCase ? change.keyword : spelling(file, change);
  const text = `${before}${style.indent}${keyword}${style.separator}${change.value}${after}`;
  return { path: file.realPath, start: at, end: at, text };
}

/** The same for all keywords, and most audits propose several. */
const insertionOf = onceFor(({ tree, source: { text } }: ConfigFile): Insertion => {
  const { lines } = tree;
  const barrier = lines.findIndex(isBarrier);
  const before = barrier === -1 ? lines : lines.slice(0, barrier);
  const outside = before.filter(isPlainDirective);
  const style = styleOf(tree, outside);
  const place = outside.at(-1) ?? (barrier === -1 ? lines.at(-1) : undefined);
  const last = place === undefined ? [] : tokensOf(tree, place);
  if (place === undefined || last.at(-1)?.kind === "newline")
    return {
      style,
      at: place?.end ?? lines[barrier]?.start ?? text.length,
      before: "",
      after: style.lineEnd,
    };
  // without a line end in sight a NUL may hide the rest: then the new line goes in front of it
  return last.some(({ kind }) => kind === "hidden")
    ? { style, at: place.start, before: "", after: style.lineEnd }
    : { style, at: place.end, before: style.lineEnd, after: "" };
});

function isBarrier(line: Line): boolean {
  if (line.kind !== "directive") return false;
  const { value } = line.keyword;
  return equalIgnoringCase(value, "match") || equalIgnoringCase(value, "include");
}

function isPlainDirective(line: Line): line is DirectiveLine {
  return line.kind === "directive" && !isBarrier(line);
}

const STOCK_STYLE: Style = { indent: "", separator: " ", lowerCase: false, lineEnd: "\n" };

/** `outside`: the lines outside every block; the indentation of a block would make a line look like a part of it. */
function styleOf(tree: Tree, outside: readonly DirectiveLine[]): Style {
  const hasCrLf = tree.text.includes("\r\n") && tree.lines.some((line) => endsInCrLf(tree, line));
  const lineEnd = hasCrLf ? "\r\n" : "\n";
  const known = outside.length > 0 ? outside : tree.lines.filter(isPlainDirective);
  const neighbour = known.at(-1);
  if (neighbour === undefined) return { ...STOCK_STYLE, lineEnd };
  const [first] = tokensOf(tree, neighbour);
  const spelled = neighbour.keyword.value;
  return {
    indent: outside.length > 0 && first?.kind === "blank" ? first.text : "",
    separator: usualSeparator(tree, known),
    lowerCase: spelled === lowerAscii(spelled),
    lineEnd,
  };
}

/** Stock files write a tab behind two keywords and a blank behind all others: most lines count. */
function usualSeparator(tree: Tree, lines: readonly DirectiveLine[]): string {
  const counts = new Map<string, number>();
  for (const { keyword, rest } of lines) {
    const text = tree.text.slice(keyword.end, rest.start);
    if (SEPARATOR.test(text)) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? STOCK_STYLE.separator;
}

const SEPARATOR = /^(?:[ \t]+=?|=)[ \t]*$/;

function endsInCrLf(tree: Tree, line: Line): boolean {
  const [previous, last] = tokensOf(tree, line).slice(-2);
  return last?.kind === "newline" && (previous?.text.endsWith("\r") ?? false);
}
