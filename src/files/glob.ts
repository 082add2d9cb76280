/**
 * glob(3) as sshd uses it for Include: OpenSSH's bundled openbsd-compat/glob.c with flags 0, on glibc too. `*`, `?`,
 * `[...]` and backslash; no braces, no tilde; a leading dot needs a literal dot; byte order; a path without
 * wildcards matches whatever lstat finds, a dangling link too.
 */
import { ownText } from "../../grammar/remember.ts";
import type { FileTree } from "./tree.ts";

type SetItem =
  | { readonly kind: "range"; readonly low: number; readonly high: number }
  | { readonly kind: "class"; readonly holds: (code: number) => boolean };

type Element =
  | { readonly kind: "char"; readonly code: number }
  | { readonly kind: "one" }
  | { readonly kind: "all" }
  | { readonly kind: "set"; readonly negated: boolean; readonly items: readonly SetItem[] };

/** Between slashes. `literal` is its text when it has no wildcard. */
interface Component {
  readonly elements: readonly Element[];
  readonly literal: string | null;
}

const SLASH = 47;
const DOT = 46;
const BACKSLASH = 92;
const BRACKET = 91;
const MAX_PATH = 4096;
/** Ours: two links to their own folder make 2^n paths of n wildcards. A folder counts as twenty names for each on its path. */
export const MOST_NAMES = 200_000;
const NAMES_A_FOLDER = 20;

interface Walk {
  readonly tree: FileTree;
  readonly found: string[];
  readonly denied: (path: string) => void;
  names: number;
}

/**
 * Existing paths inside the tree, sorted by byte; null: more than MOST_NAMES were looked at. `pattern` must be absolute;
 * `denied` is told of folders that this user may not look into.
 */
export function globPaths(
  tree: FileTree,
  pattern: string,
  denied: (path: string) => void = () => {},
): readonly string[] | null {
  if (pattern.length >= MAX_PATH || !pattern.startsWith("/")) return [];
  const components = componentsOf(pattern);
  if (components === null) return [];
  const started: Walk = { tree, found: [], denied, names: 0 };
  walk(started, "", components);
  return started.names > MOST_NAMES ? null : started.found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Whether a pattern without a slash holds a name. */
export function matchesGlob(name: string, pattern: string): boolean {
  const [component, ...further] = componentsOf(`/${pattern}`) ?? [];
  return component !== undefined && further.length === 0 && matchesName(name, component);
}

/** Most files of a run include by the same pattern. */
let latest: { readonly pattern: string; readonly components: readonly Component[] | null } | null = null;

/** Null: no pattern. */
function componentsOf(pattern: string): readonly Component[] | null {
  if (latest?.pattern === pattern) return latest.components;
  const compiled = compile(pattern);
  latest = { pattern: ownText(pattern), components: compiled === null ? null : splitComponents(compiled) };
  return latest.components;
}

function walk(walked: Walk, base: string, components: readonly Component[]): void {
  const { tree } = walked;
  const wild = components.findIndex(({ literal }) => literal === null);
  const fixed = wild === -1 ? components : components.slice(0, wild);
  const path = fixed.reduce((joined, { literal }) => `${joined}/${literal ?? ""}`, base);
  if (wild === -1) {
    pushThere(walked, path);
    return;
  }
  const component = components[wild];
  const rest = components.slice(wild + 1);
  walked.names += NAMES_A_FOLDER * path.split("/").length;
  if (component === undefined || walked.names > MOST_NAMES) return;
  const folder = path === "" ? "/" : path;
  const names = tree.list(folder);
  if (names === null && isDenied(tree, folder)) walked.denied(folder);
  for (const name of names ?? []) {
    if (++walked.names > MOST_NAMES) return;
    if (!matchesName(name, component)) continue;
    const entry = `${path}/${name}`;
    if (entry.length >= MAX_PATH) continue;
    if (rest.length > 0) walk(walked, entry, rest);
    else pushThere(walked, entry);
  }
}

/** What may not be looked at may be there: whoever reads it is told. */
function pushThere({ tree, found }: Walk, path: string): void {
  if (tree.stat(path, { follow: false }) !== null || isDenied(tree, path)) found.push(path);
}

/** Of what has no list: a folder, or what lies in one that may not be searched. */
function isDenied(tree: FileTree, path: string): boolean {
  const content = tree.read(path);
  return content.kind === "folder" || (content.kind === "unreadable" && content.code === "EACCES");
}

function splitComponents(elements: readonly Element[]): Component[] {
  const components: Component[] = [];
  let current: Element[] = [];
  for (const element of elements.slice(1)) {
    if (element.kind === "char" && element.code === SLASH) {
      components.push(makeComponent(current));
      current = [];
    } else {
      current.push(element);
    }
  }
  components.push(makeComponent(current));
  return components;
}

function makeComponent(elements: readonly Element[]): Component {
  const codes = elements.flatMap((element) => (element.kind === "char" ? [element.code] : []));
  const literal = codes.length === elements.length ? String.fromCharCode(...codes) : null;
  return { elements, literal };
}

/** Null where glob gives up with "no match": an unknown character class, or a slash inside a set, which cuts it in two. */
function compile(pattern: string): Element[] | null {
  const elements: Element[] = [];
  for (let at = 0; at < pattern.length; ) {
    const code = pattern.charCodeAt(at);
    if (code === BACKSLASH && at + 1 < pattern.length) {
      elements.push({ kind: "char", code: pattern.charCodeAt(at + 1) });
      at += 2;
    } else if (code === BRACKET) {
      const set = compileSet(pattern, at);
      if (set === null) return null;
      elements.push(set.element);
      at = set.next;
    } else {
      const kind = code === 42 ? "all" : code === 63 ? "one" : "char";
      if (kind === "char") elements.push({ kind, code });
      else if (kind === "one" || elements.at(-1)?.kind !== "all") elements.push({ kind });
      at++;
    }
  }
  return elements;
}

interface CompiledSet {
  readonly element: Element;
  readonly next: number;
}

/** `[...]`: `!` negates, `^` does not; a `]` first in the set is data; without a closing `]` the `[` is data. */
function compileSet(pattern: string, open: number): CompiledSet | null {
  const negated = pattern.charAt(open + 1) === "!";
  let at = open + (negated ? 2 : 1);
  const data: CompiledSet = { element: { kind: "char", code: BRACKET }, next: open + 1 };
  if (at >= pattern.length || findClose(pattern, at + 1) === -1) return data;
  const items: SetItem[] = [];
  do {
    if (pattern.startsWith("[:", at)) {
      const close = pattern.indexOf(":]", at + 2);
      if (close !== -1) {
        const holds = CLASSES[pattern.slice(at + 2, close)];
        if (holds === undefined) return null;
        items.push({ kind: "class", holds });
        at = close + 2;
        if (pattern.charAt(at) === "]") break;
        continue;
      }
    }
    const from = at;
    at = readSetItem(pattern, from, items);
    if (at >= pattern.length) return data;
    if (pattern.slice(from, at).includes("/")) return null;
  } while (pattern.charAt(at) !== "]");
  return { element: { kind: "set", negated, items }, next: at + 1 };
}

function readSetItem(pattern: string, from: number, items: SetItem[]): number {
  const first = protectedChar(pattern, from);
  const after = first.next;
  if (pattern.charAt(after) === "-" && after + 1 < pattern.length && pattern.charAt(after + 1) !== "]") {
    const last = protectedChar(pattern, after + 1);
    items.push({ kind: "range", low: first.code, high: last.code });
    return last.next;
  }
  items.push({ kind: "range", low: first.code, high: first.code });
  return after;
}

function protectedChar(pattern: string, at: number): { readonly code: number; readonly next: number } {
  const escaped = pattern.charCodeAt(at) === BACKSLASH && at + 1 < pattern.length;
  const from = escaped ? at + 1 : at;
  return { code: pattern.charCodeAt(from), next: from + 1 };
}

/** The first `]` that no backslash protects. */
function findClose(pattern: string, from: number): number {
  for (let at = from; at < pattern.length; at++) {
    if (pattern.charCodeAt(at) === BACKSLASH) at++;
    else if (pattern.charAt(at) === "]") return at;
  }
  return -1;
}

const between = (low: string, high: string) => {
  const from = low.charCodeAt(0);
  const to = high.charCodeAt(0);
  return (code: number): boolean => code >= from && code <= to;
};
const isLower = between("a", "z");
const isUpper = between("A", "Z");
const isDigit = between("0", "9");
const isAlpha = (code: number): boolean => isLower(code) || isUpper(code);
const isAlnum = (code: number): boolean => isAlpha(code) || isDigit(code);
const isGraph = between("!", "~");

/** The character classes of the C locale. */
const CLASSES: Readonly<Record<string, (code: number) => boolean>> = {
  alnum: isAlnum,
  alpha: isAlpha,
  blank: (code) => code === 32 || code === 9,
  cntrl: (code) => code < 32 || code === 127,
  digit: isDigit,
  graph: isGraph,
  lower: isLower,
  print: between(" ", "~"),
  punct: (code) => isGraph(code) && !isAlnum(code),
  space: (code) => code === 32 || (code >= 9 && code <= 13),
  upper: isUpper,
  xdigit: (code) => isDigit(code) || between("a", "f")(code) || between("A", "F")(code),
};

/** glob.c match: only the last `*` is tried again, so at most name × pattern steps. */
function matchesName(name: string, { elements }: Component): boolean {
  const [first] = elements;
  const startsWithDot = first?.kind === "char" && first.code === DOT;
  if (name.charCodeAt(0) === DOT && !startsWithDot) return false;
  let at = 0;
  let element = 0;
  let retryElement = -1;
  let retryAt = 0;
  while (at < name.length || element < elements.length) {
    const current = elements[element];
    if (current?.kind === "all") {
      retryElement = element++;
      retryAt = at + 1;
    } else if (current !== undefined && at < name.length && matchesCode(name.charCodeAt(at), current)) {
      at++;
      element++;
    } else if (retryElement !== -1 && retryAt <= name.length) {
      element = retryElement;
      at = retryAt;
    } else {
      return false;
    }
  }
  return true;
}

function matchesCode(code: number, element: Element): boolean {
  switch (element.kind) {
    case "char":
      return element.code === code;
    case "set":
      return element.items.some((item) => inSet(code, item)) !== element.negated;
    default:
      return true;
  }
}

function inSet(code: number, item: SetItem): boolean {
  return item.kind === "class" ? item.holds(code) : item.low <= code && code <= item.high;
}
