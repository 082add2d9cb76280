/**
 * The files of a fleet repeat each other. FILEs of one run that differ in how they are called, in the words of comments,
 * in settings that nothing depends on (own-settings.ts) and in names (own-names.ts) get the same report, at other places
 * and with their own names: the first one is audited, and its report is moved to the others.
 */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { NEWEST, type Release } from "../../grammar/release.ts";
import { remember } from "../../grammar/remember.ts";
import type { Config } from "../config/config.ts";
import { decode, makeSource, type Source } from "../source/source.ts";
import type { Opening, Wanted } from "./load-target.ts";
import { withStandIns } from "./own-names.ts";
import { ownSettings, withoutSettings } from "./own-settings.ts";
import { joined } from "./paths.ts";
import type { Target } from "./target.ts";

/** The kinds of FILEs in this run. */
export interface Kinds {
  /** by what an audit sees of them */
  readonly bySeen: Map<string, symbol>;
  /** by what can be told of them at a glance */
  readonly bySketch: Map<string, Sketched>;
}

/** The first FILE that looks so at a glance. Only when another one does, both are looked at closely. */
interface Sketched {
  readonly kind: symbol;
  readonly first: Written;
  isKept: boolean;
}

/** A FILE as it was read. */
interface Written {
  readonly text: string;
  readonly named: Named;
  readonly look: () => Seen;
}

/** What an audit sees of a FILE. */
interface Seen {
  readonly key: string;
  readonly names: readonly string[];
}

export function noKinds(): Kinds {
  return { bySeen: new Map(), bySketch: new Map() };
}

/** A FILE among those of its kind. */
export interface Alike {
  readonly kind: symbol;
  /** its text under its own name */
  readonly source: () => Source;
  /** by which it may differ from others of its kind */
  readonly names: readonly string[];
  /** the FILE with stand-ins for its names */
  readonly nameless: () => Target;
}

/** Ours: more kinds, or longer files, are no fleet, and what is remembered stays small. */
const MOST_KINDS = 1000;
const MOST_BYTES = 20_000;

/** In names and paths nothing that a message could show in another way, or cut. */
const PLAIN = /^[ !#-[\]-~]{1,500}$/;

/**
 * Null: it is the only FILE, it is read with more than its own text, or has a name that cannot be looked for in a
 * report.
 */
export function alikeOf(
  wanted: Wanted,
  bytes: Uint8Array,
  opening: Opening,
  load: (text: string) => Target,
): Alike | null {
  const { kinds } = opening.options;
  const { name, path, configFolder, onlyRealPath, rootFolder, stdin, fragment = false } = wanted;
  if (kinds === undefined || configFolder === undefined || stdin !== undefined) return null;
  if (onlyRealPath !== undefined || rootFolder !== undefined || bytes.length > MOST_BYTES) return null;
  if (!PLAIN.test(name) || !PLAIN.test(path)) return null;
  const named = { isMain: path.endsWith("/sshd_config"), configFolder, fragment };
  let seen: Seen | null = null;
  const look = (): Seen => {
    seen ??= lookClosely(decode(bytes), named, opening);
    return seen;
  };
  const { kind, like } = kindOf({ text: decode(bytes), named, look }, kinds, opening.release.release);
  return {
    kind,
    source: () => makeSource(wanted.shownAs(path), decode(bytes)),
    get names() {
      return like().names;
    },
    nameless: () => load(withStandIns(decode(bytes)).text),
  };
}

/** What counts of where a FILE lies. */
interface Named {
  readonly isMain: boolean;
  readonly configFolder: string;
  readonly fragment: boolean;
}

function lookClosely(written: string, { isMain, configFolder, fragment }: Named, opening: Opening): Seen {
  const { text, names } = namesMatter(opening) ? { text: written, names: [] } : withStandIns(written);
  const looksAround = isMain || /include/i.test(text);
  const isAlone =
    !/include/i.test(text.replaceAll(STOCK_INCLUDE, "")) &&
    opening.folders.list(joined(configFolder, "sshd_config.d")) === null;
  const folder = looksAround && !isAlone ? configFolder : "";
  // both texts have the same offsets
  const seen = withoutWords(withoutSettings(text, ownSettings(written)), opening.release.release);
  return { key: `${isMain} ${fragment} ${folder}\n${seen}`, names };
}

/** Options of sshd and accounts have names, too. */
function namesMatter({ options, people }: Opening): boolean {
  return options.o !== undefined || people.known !== null || people.world !== null;
}

/** `like`: what is seen of the FILE, or of one that is like it. */
function kindOf(
  written: Written,
  { bySeen, bySketch }: Kinds,
  release: Release,
): { readonly kind: symbol; readonly like: () => Seen } {
  const { text, look } = written;
  const sketch = sketchOf(text);
  const known = bySketch.get(sketch);
  if (known === undefined) {
    const kind = Symbol("kind");
    keep(bySketch, sketch, { kind, first: written, isKept: false });
    return { kind, like: look };
  }
  const { first } = known;
  if (isSamePlace(first.named, written.named) && isSameButWords(first.text, text, release))
    return { kind: known.kind, like: first.look };
  if (!known.isKept) keep(bySeen, first.look().key, known.kind);
  known.isKept = true;
  const { key } = look();
  const kind = bySeen.get(key) ?? Symbol("kind");
  if (!bySeen.has(key)) keep(bySeen, key, kind);
  return { kind, like: look };
}

function isSamePlace(one: Named, other: Named): boolean {
  return (
    one.isMain === other.isMain && one.configFolder === other.configFolder && one.fragment === other.fragment
  );
}

/** Line by line, as most files of a fleet are: what lookClosely would find out for more. */
function isSameButWords(one: string, other: string, release: Release): boolean {
  if (one.includes("\0") || other.includes("\0")) return false;
  let at = 0;
  let there = 0;
  while (at < one.length && there < other.length) {
    const end = endOfLine(one, at);
    const otherEnd = endOfLine(other, there);
    const isSame = end - at === otherEnd - there && one.startsWith(other.slice(there, otherEnd), at);
    if (!isSame && !(isComment(one, at, end, release) && isComment(other, there, otherEnd, release)))
      return false;
    at = end + 1;
    there = otherEnd + 1;
  }
  // both at their end, and with or without a last newline
  return at >= one.length && at - one.length === there - other.length;
}

function endOfLine(text: string, start: number): number {
  const newline = text.indexOf("\n", start);
  return newline === -1 ? text.length : newline;
}

function isComment(text: string, start: number, end: number, release: Release): boolean {
  return text[start] === "#" && isWords(text.slice(start, end), release);
}

/** Files that are alike have the same first words in the same order. */
function sketchOf(text: string): string {
  return text.match(/^[ \t]*[^#\s]+/gm)?.join("\n") ?? "";
}

function keep<Kept>(kept: Map<string, Kept>, key: string, value: Kept): void {
  const [oldest] = kept.keys();
  if (kept.size >= MOST_KINDS && oldest !== undefined) kept.delete(oldest);
  kept.set(key, value);
}

/** It finds nothing where there is no such folder. */
const STOCK_INCLUDE = /^Include \/etc\/ssh\/sshd_config\.d\/\*\.conf$/gm;

/** No Include found a file, so that the text is all there is. */
export function readsNothingElse({ includes }: Config): boolean {
  return includes.every(({ targets }) => targets.every(({ matched }) => matched.length === 0));
}

/** Comments at the start of a line lose their words. A NUL swallows the end of a line: then every word counts. */
function withoutWords(text: string, release: Release): string {
  if (text.includes("\0")) return text;
  const kept: string[] = [];
  let from = 0;
  for (let at = text.startsWith("#") ? 0 : nextComment(text, 0); at !== -1; at = nextComment(text, at)) {
    const end = endOfLine(text, at);
    if (!isWords(text.slice(at, end), release)) continue;
    kept.push(text.slice(from, at + 1));
    from = end;
  }
  return kept.join("") + text.slice(from);
}

function nextComment(text: string, after: number): number {
  const newline = text.indexOf("\n#", after);
  return newline === -1 ? -1 : newline + 1;
}

const FIRST_WORD = /^# ?([A-Za-z][A-Za-z0-9]*)/;
/** Ours: sshd refuses very long lines, up to 7.7 also those of comments. */
const LONGEST = 200;

/** No suppression, and no setting of the stock file that a finding could point at (src/config/stock-comment.ts). */
const isWords = remember((comment, release) => {
  const word = FIRST_WORD.exec(comment)?.[1];
  if (word !== undefined && isKeyword(word, release)) return false;
  return comment.length <= LONGEST && !comment.includes("sshd-policy:") && !comment.endsWith("\r");
});

const isKeyword = remember((word, release) =>
  [release, NEWEST].some((one) => lookUpKeyword(word, one).status !== "unknown"),
);
