/**
 * The files of a fleet repeat each other. FILEs of one run that differ in how they are called, in the words of comments,
 * in settings that nothing depends on (own-settings.ts) and in names (own-names.ts) get the same report, at other places
 * and with their own names: the first one is audited, and its report is moved to the others.
 */

import { lookUpKeyword } from "../../grammar/keywords.ts";
import { NEWEST, type Release } from "../../grammar/release.ts";
import { remember } from "../../grammar/remember.ts";
import { readMark } from "../../grammar/scanner.ts";
import type { Config } from "../config/config.ts";
import { joined } from "../files/path.ts";
import { decode, endOfLine, makeSource, type Source } from "../source/source.ts";
import type { Opening, Wanted } from "./load-target.ts";
import { withStandIns } from "./own-names.ts";
import { ownSettings, withoutSettings } from "./own-settings.ts";
import type { Target } from "./target.ts";
import { type WrittenLine, withoutComments, writtenLines } from "./written-lines.ts";

/** FILEs that are alike. */
export interface Kind {
  /** how many there are */
  files: number;
}

/** The kinds of FILEs in this run. */
export interface Kinds {
  /** by how a FILE looks at a glance */
  readonly known: Map<string, Known>;
  /** of all kinds, however closely they had to be looked at */
  count: number;
}

/** The first FILE that looks so. Only when another one does, both are looked at more closely. */
interface Known {
  readonly kind: Kind;
  readonly first: Written;
  /** FILEs that look the same up to here, by the next look */
  closer: Map<string, Known> | null;
}

/** A FILE as it was read. */
interface Written {
  readonly text: string;
  readonly named: Named;
  readonly look: () => Seen;
}

/** What an audit sees of a FILE. */
interface Seen {
  /** with stand-ins for its names, and without settings that nothing depends on */
  readonly text: string;
  /** where it counts where the FILE lies */
  readonly place: string;
  readonly names: readonly string[];
}

export function noKinds(): Kinds {
  return { known: new Map(), count: 0 };
}

/** A FILE among those of its kind. */
export interface Alike {
  readonly kind: Kind;
  readonly text: string;
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
  // of a thousand files the texts alone are kept
  const text = decode(bytes);
  // it hides the rest of its line, and joins the next line to it
  if (text.includes("\0")) return null;
  const { release } = opening.release;
  const named = { isMain: path.endsWith("/sshd_config"), configFolder, fragment };
  let seen: Seen | null = null;
  const look = (): Seen => {
    seen ??= lookClosely(text, named, opening);
    return seen;
  };
  const { kind, like } = kindOf({ text, named, look }, kinds, release);
  return {
    kind,
    text,
    source: () => makeSource(wanted.shownAs(path), text),
    get names() {
      return like().names;
    },
    nameless: () => load(withStandIns(text, writtenLines(text)).text),
  };
}

/** What counts of where a FILE lies. */
interface Named {
  readonly isMain: boolean;
  readonly configFolder: string;
  readonly fragment: boolean;
}

function lookClosely(written: string, { isMain, configFolder, fragment }: Named, opening: Opening): Seen {
  const lines = writtenLines(written);
  const { text, names } = namesMatter(opening) ? { text: written, names: [] } : withStandIns(written, lines);
  const included = includesIn(lines);
  const looksAround = isMain || included !== "nothing";
  const isAlone = included !== "more" && opening.folders.isAbsent(joined(configFolder, "sshd_config.d"));
  const folder = looksAround && !isAlone ? configFolder : "";
  // both texts have the same offsets
  const seen = withoutSettings(text, ownSettings(lines));
  return { text: seen, place: `${isMain} ${fragment} ${folder}`, names };
}

/** Whether a line includes, and whether another one does so than the stock file's. */
function includesIn(lines: readonly WrittenLine[]): "nothing" | "stock" | "more" {
  let found: "nothing" | "stock" = "nothing";
  for (const { line, keyword } of lines) {
    if (keyword !== "include") continue;
    if (line !== STOCK_INCLUDE) return "more";
    found = "stock";
  }
  return found;
}

/** Options of sshd and accounts have names, too. */
function namesMatter({ options, people }: Opening): boolean {
  return options.o !== undefined || people.known !== null || people.world !== null;
}

type Look = (written: Written, release: Release) => string;

/** Each is closer than a glance and than the one before. Two FILEs of which the last one finds the same are alike. */
const LOOKS: readonly Look[] = [
  ({ look }) => `${look().place}\n${withoutComments(look().text)}`,
  ({ look }, release) => withoutWords(look().text, release),
];

/** `like`: what is seen of the FILE, or of one that is like it. */
interface Found {
  readonly kind: Kind;
  readonly like: () => Seen;
}

function kindOf(written: Written, kinds: Kinds, release: Release): Found {
  const sketch = sketchOf(written.text);
  const known = kinds.known.get(sketch);
  if (known === undefined) {
    if (kinds.count >= MOST_KINDS) {
      kinds.known.clear();
      kinds.count = 0;
    }
    return newKind(written, { kinds, among: kinds.known, key: sketch });
  }
  const { kind, first } = known;
  if (isSamePlace(first.named, written.named) && isSameButWords(first.text, written.text, release))
    return another(kind, first.look);
  return closerKind(written, known, { kinds, release, looks: LOOKS });
}

function another(kind: Kind, like: Found["like"]): Found {
  kind.files++;
  return { kind, like };
}

interface Closer {
  readonly kinds: Kinds;
  readonly release: Release;
  readonly looks: readonly Look[];
}

/** Among FILEs that looked the same as `known` before. */
function closerKind(written: Written, known: Known, { kinds, release, looks }: Closer): Found {
  const [look, ...closer] = looks;
  const like = written.look;
  if (look === undefined) return another(known.kind, like);
  const { kind, first } = known;
  known.closer ??= new Map([[look(first, release), { kind, first, closer: null }]]);
  const key = look(written, release);
  const same = known.closer.get(key);
  if (same === undefined) return newKind(written, { kinds, among: known.closer, key });
  if (isSameButWords(same.first.look().text, written.look().text, release)) return another(same.kind, like);
  return closerKind(written, same, { kinds, release, looks: closer });
}

interface NewKind {
  readonly kinds: Kinds;
  readonly among: Map<string, Known>;
  readonly key: string;
}

function newKind(written: Written, { kinds, among, key }: NewKind): Found {
  const kind: Kind = { files: 1 };
  among.set(key, { kind, first: written, closer: null });
  kinds.count++;
  return { kind, like: written.look };
}

/** Whether a file is a fragment follows from its folder. */
function isSamePlace(one: Named, other: Named): boolean {
  return one.isMain === other.isMain && one.configFolder === other.configFolder;
}

/** Line by line, as most files of a fleet are: what lookClosely would find out for more. */
function isSameButWords(one: string, other: string, release: Release): boolean {
  let at = 0;
  let there = 0;
  while (at < one.length && there < other.length) {
    const same = sameFrom(one, at, { other, there });
    at += same;
    there += same;
    const end = endOfLine(one, at);
    const otherEnd = endOfLine(other, there);
    const isSame = one.slice(at, end) === other.slice(there, otherEnd);
    if (!isSame && !(isComment(one, at, end, release) && isComment(other, there, otherEnd, release)))
      return false;
    at = end + 1;
    there = otherEnd + 1;
  }
  // both at their end, and with or without a last newline
  return at >= one.length && at - one.length === there - other.length;
}

/** Characters that are compared at once: of most files of a fleet all lines but a few are the same. */
const PIECES: readonly number[] = [1024, 128];

/** How much of whole lines is the same, piece by piece. V8 compares two pieces faster than it looks for one in a text. */
function sameFrom(
  one: string,
  at: number,
  { other, there }: { readonly other: string; readonly there: number },
): number {
  let same = 0;
  for (const piece of PIECES) {
    for (let end = same + piece; at + end <= one.length && there + end <= other.length; end += piece) {
      if (one.slice(at + same, at + end) !== other.slice(there + same, there + end)) break;
      same = end;
    }
  }
  return same === 0 ? 0 : Math.max(0, one.lastIndexOf("\n", at + same - 1) + 1 - at);
}

function isComment(text: string, start: number, end: number, release: Release): boolean {
  return text[start] === "#" && isWords(text.slice(start, end), release);
}

/** It finds nothing where there is no such folder. */
const STOCK_INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf";

/** No Include found a file, so that the text is all there is. */
export function readsNothingElse({ includes }: Config): boolean {
  return includes.every(({ targets }) => targets.every(({ matched }) => matched.length === 0));
}

/** Files that are alike have the same first words in the same order. */
function sketchOf(text: string): string {
  return text.match(/^[ \t]*[^#\s]+/gm)?.join("\n") ?? "";
}

/** Comments at the start of a line lose their words. */
function withoutWords(text: string, release: Release): string {
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
  // a quote behind the # may make it a line that sshd drops
  if (readMark(comment, release)?.kind !== "comment") return false;
  const word = FIRST_WORD.exec(comment)?.[1];
  if (word !== undefined && isKeyword(word, release)) return false;
  return comment.length <= LONGEST && !comment.includes("sshd-policy:") && !comment.endsWith("\r");
});

const isKeyword = remember((word, release) =>
  [release, NEWEST].some((one) => lookUpKeyword(word, one).status !== "unknown"),
);
