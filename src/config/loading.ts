/** What is known while a configuration is read: the texts so far, what they added, and where reading stands. */
import { parseText } from "../../grammar/parser.ts";
import type { Release } from "../../grammar/release.ts";
import { type ReleaseBug, repairDoubt } from "../../grammar/release-bugs.ts";
import type { GrammarProblem, Tree } from "../../grammar/tree.ts";
import type { FileContent, FileTree } from "../files/tree.ts";
import { decode, makeSource, type Place, type Source } from "../source/source.ts";
import type { ConfigFile, Directive, IncludeLine, LaterProblem, MatchBlock, Problem } from "./config.ts";
import { tooHeavy, weightOf } from "./weight.ts";

export interface LoadOptions {
  readonly release: Release;
  /** the folder inside the tree that stands for /etc/ssh; Includes below /etc/ssh are looked for there */
  readonly configFolder?: string;
  /** how a path inside the tree is shown to people; default: as it is */
  readonly shownAs?: (path: string) => string;
  /** texts of sshd's own `-o`, in order: "AllowTcpForwarding=no" */
  readonly commandLine?: readonly string[];
}

export interface LoadedText {
  readonly source: Source;
  readonly tree: Tree;
  readonly realPath: string;
  readonly problemsByLine: ReadonlyMap<number, readonly GrammarProblem[]>;
}

export interface Loading {
  readonly tree: FileTree;
  readonly options: LoadOptions;
  readonly release: Release;
  readonly files: ConfigFile[];
  readonly directives: Directive[];
  readonly matches: MatchBlock[];
  readonly includes: IncludeLine[];
  readonly problems: Problem[];
  /** those that sshd meets after all files are read, in the order of reading */
  readonly atEnd: Problem[];
  readonly later: LaterProblem[];
  /** what each pattern has found so far: sshd looks once, and keeps a file when it has read it */
  readonly included: Map<string, string[]>;
  /** patterns whose files are being read */
  readonly including: Set<string>;
  readonly limits: Set<string>;
  readonly texts: Map<string, LoadedText | string>;
  /** values that the first pass has taken so far, by keyword */
  readonly setAtStart: Map<string, string[]>;
  /** of all texts so far */
  weight: number;
  /** lines that set something, counted as often as they are read */
  settings: number;
  readings: number;
}

/** Where a file is read: what guards it, and whether the first pass is active around it. */
export interface Context {
  readonly outer: readonly MatchBlock[];
  readonly activeOutside: boolean;
  readonly depth: number;
  readonly includedBy: IncludeLine | null;
}

/** The state of one file while its lines are read. */
export interface FileState {
  readonly text: LoadedText;
  readonly context: Context;
  /** the Match line in force */
  block: MatchBlock | null;
  guards: readonly MatchBlock[];
  /** the first pass takes values here */
  active: boolean;
}

export function startLoading(tree: FileTree, options: LoadOptions): Loading {
  return {
    tree,
    options,
    release: options.release,
    files: [],
    directives: [],
    matches: [],
    includes: [],
    problems: [],
    atEnd: [],
    later: [],
    included: new Map(),
    including: new Set(),
    limits: new Set(),
    texts: new Map(),
    setAtStart: new Map(),
    weight: 0,
    settings: 0,
    readings: 0,
  };
}

export function shown(loading: Loading, path: string): string {
  return loading.options.shownAs?.(path) ?? path;
}

export function startOf(source: Source): Place {
  return { source, start: 0, end: 0 };
}

/** A folder reads as an empty file, as in sshd (fopen of a folder succeeds, its first read does not). */
export function readText(loading: Loading, path: string): LoadedText | string {
  const known = loading.texts.get(path);
  if (known !== undefined) return known;
  const content = loading.tree.read(path);
  const read = isMasked(loading, path, content)
    ? prepareText(loading, shown(loading, path), "", path)
    : content.kind === "unreadable"
      ? unreadable(loading, path, content)
      : prepared(loading, path, content);
  loading.texts.set(path, read);
  return read;
}

/** A link to /dev/null switches a drop-in off: sshd reads nothing there. In an image the device itself may be missing. */
function isMasked({ tree }: Loading, path: string, { kind }: FileContent): boolean {
  return (
    kind === "unreadable" &&
    (tree.stat(path)?.realPath === NOTHING || tree.stat(path, { follow: false })?.target === NOTHING)
  );
}

const NOTHING = "/dev/null";

/** sshd runs as root, and reads it. */
export function noteDenied(loading: Loading, path: string): void {
  loading.limits.add(`${shown(loading, path)} cannot be read by this user, and sshd reads it as root`);
}

/** Where nobody knows whether the package has the repair, which may open as well as close. */
export function noteBug({ limits, release }: Loading, bug: ReleaseBug): void {
  const doubt = repairDoubt(bug, release);
  if (doubt !== null) limits.add(doubt);
}

/** sshd has no limit of size: a file beyond ours counts as empty here, and the answer as incomplete. */
function unreadable(
  loading: Loading,
  path: string,
  { code, reason }: Extract<FileContent, { readonly kind: "unreadable" }>,
): LoadedText | string {
  if (code !== "ETOOBIG" && code !== "EACCES") return reason;
  if (code === "EACCES") noteDenied(loading, path);
  else loading.limits.add(`${shown(loading, path)} is ${reason}`);
  return prepareText(loading, shown(loading, path), "", path);
}

function prepared(
  loading: Loading,
  path: string,
  content: Exclude<FileContent, { readonly kind: "unreadable" }>,
): LoadedText {
  const name = shown(loading, path);
  if (content.kind === "folder") return prepareText(loading, name, "", path);
  const { bytes, realPath } = content;
  loading.weight += weightOf(bytes);
  const refused = tooHeavy(name, loading.weight);
  if (refused !== null) loading.limits.add(refused);
  return prepareText(loading, name, refused === null ? decode(bytes) : "", realPath);
}

function prepareText(loading: Loading, name: string, text: string, realPath: string): LoadedText {
  const tree = parseText(text, loading.release);
  return { source: makeSource(name, text), tree, realPath, problemsByLine: groupByLine(tree.problems) };
}

export function groupByLine(problems: readonly GrammarProblem[]): Map<number, GrammarProblem[]> {
  const grouped = new Map<number, GrammarProblem[]>();
  for (const problem of problems) {
    const list = grouped.get(problem.sshdNumber);
    if (list === undefined) grouped.set(problem.sshdNumber, [problem]);
    else list.push(problem);
  }
  return grouped;
}
