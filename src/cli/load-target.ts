/** One main file of a tree, loaded with what its server's start options say. */

import type { Config } from "../config/config.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { tooHeavy, weightOf } from "../config/weight.ts";
import type { Image } from "../files/image.ts";
import { folderOf, joined } from "../files/path.ts";
import type { FileContent, FileTree } from "../files/tree.ts";
import { shellWord } from "../report/text.ts";
import { encode } from "../source/source.ts";
import type { StartOptions } from "../start/sshd-options.ts";
import { startOptions } from "../start/start-options.ts";
import { type Alike, alikeOf } from "./alike.ts";
import type { People } from "./chosen-accounts.ts";
import type { ChosenRelease } from "./chosen-release.ts";
import type { Folders } from "./folders.ts";
import { MAIN } from "./paths.ts";
import type { Opened, Target, TargetOptions } from "./target.ts";
import { collectSooner, useOneThread } from "./v8-flags.ts";

export interface Opening {
  readonly options: TargetOptions;
  /** how the tree's service manager starts sshd; nothing for a FILE */
  readonly start: StartOptions | null;
  /** this machine's own file system, which tells its sshd */
  readonly host: FileTree;
  readonly tree: FileTree;
  readonly release: ChosenRelease;
  readonly people: People;
  readonly folders: Folders;
}

/** What is loaded, and how it is shown. */
export interface Wanted {
  readonly name: string;
  readonly tree: FileTree;
  readonly path: string;
  readonly configFolder?: string;
  readonly shownAs: (path: string) => string;
  readonly checkCommand: string;
  readonly onlyRealPath?: string | null;
  readonly fragment?: boolean;
  readonly writableFolder?: string;
  readonly rootFolder?: string;
  readonly stdin?: Uint8Array;
  readonly image?: Image | null;
}

/** Bytes from which on a file takes long enough for V8's threads to begin. */
const LARGE = 20_000;
/** Bytes from which on memory counts for more than time. */
const HUGE = 2_000_000;

export function load(wanted: Wanted, opening: Opening): Opened {
  const content = wanted.tree.read(wanted.path);
  if (content.kind !== "file") return { name: wanted.name, error: refusalOf(content, wanted.name) };
  const refused = tooHeavy(wanted.name, weightOf(content.bytes));
  if (refused !== null) return { name: wanted.name, error: refused };
  makeReadyFor(content.bytes.length);
  const rest = describedBy(wanted, content.realPath, opening);
  const reading: Reading = { rest, list: opening.folders.list, realPath: content.realPath };
  const alike = rest.live
    ? null
    : alikeOf(wanted, content.bytes, opening, (text) => {
        const tree = withText(reading, text);
        return { ...rest, tree, config: loaded(reading, tree), alike: null };
      });
  if (alike !== null) return loadedLater(reading, alike);
  return { ...rest, config: loaded(reading, withContent(wanted.tree, wanted.path, content)), alike };
}

/** V8 for a file of so many bytes. */
function makeReadyFor(size: number): void {
  if (size > LARGE) useOneThread();
  if (size > HUGE) collectSooner();
}

/** All of a target but what stands in its file. */
type Described = Omit<Target, "config" | "alike">;

function describedBy(wanted: Wanted, realPath: string, opening: Opening): Described {
  const { release, people } = opening;
  const live = isLive(wanted, realPath, opening);
  // this host's own file is read with what its service says, by whatever name it is given
  const start = live ? ownSshd(opening.host).start : opening.start;
  const configFolder = live ? undefined : wanted.configFolder;
  const loadOptions: LoadOptions = {
    release: release.release,
    shownAs: wanted.shownAs,
    // what is given here comes first, so it wins, as a first -o does
    commandLine: [...(opening.options.o ?? []), ...(start?.options ?? [])],
    ...(configFolder === undefined ? {} : { configFolder }),
  };
  return {
    name: wanted.name,
    tree: wanted.tree,
    path: wanted.path,
    loadOptions,
    release: release.release,
    releaseSource: release.source,
    releaseAssumed: release.assumed === true,
    accounts: people.known,
    world: people.world,
    accountsText: people.text,
    limits: [...people.limits, ...(start === null ? [] : limitsOf(start))],
    assumptions: start?.assumed === undefined ? [] : [start.assumed],
    onlyRealPath: wanted.onlyRealPath ?? null,
    fragment: wanted.fragment ?? false,
    checkCommand: wanted.checkCommand,
    writableFolder: wanted.writableFolder ?? opening.folders.realPathOf(folderOf(wanted.path)),
    rootFolder: wanted.rootFolder ?? "",
    live,
    startSource: start?.source ?? null,
    stdin: wanted.stdin ?? null,
    image: wanted.image ?? null,
  };
}

function limitsOf({ limit, others = [] }: StartOptions): readonly string[] {
  return [
    ...(limit === null ? [] : [limit]),
    ...others.flatMap((other) => [notJudged(other), ...limitsOf(other)]),
  ];
}

function notJudged({ source, configFile, options }: StartOptions): string {
  const words = [
    ...(configFile === null ? [] : ["-f", configFile]),
    ...options.flatMap((option) => ["-o", shellWord(option)]),
  ];
  const given = words.length === 0 ? "without options" : `with ${words.join(" ")}`;
  return `${source ?? ""} starts another sshd, ${given}: it is not judged; name its FILE and give its options with -o for that`;
}

/** How a target is read. */
interface Reading {
  readonly rest: Described;
  readonly list: FileTree["list"];
  readonly realPath: string;
}

function loaded({ rest, list }: Reading, read: FileTree): Config {
  return loadConfig({ ...read, list }, rest.path, rest.loadOptions);
}

function withText({ rest: { tree, path }, realPath }: Reading, text: string): FileTree {
  return withContent(tree, path, { kind: "file", bytes: encode(text), realPath });
}

/** One of many files: nothing but its text is kept before its turn, and nothing but its report behind it. */
function loadedLater(reading: Reading, alike: Alike): Target {
  return {
    ...reading.rest,
    alike,
    get config() {
      return loaded(reading, withText(reading, alike.text));
    },
  };
}

/** The tree with this content in place of one file: what was read already, or what does not lie there. */
export function withContent(tree: FileTree, path: string, content: FileContent): FileTree {
  return { ...tree, read: (asked) => (asked === path ? content : tree.read(asked)) };
}

/** This host's own main file, by whatever name; standard input and what lies in a root, an image or a repository is never it. */
function isLive(
  { stdin, rootFolder, image }: Wanted,
  realPath: string,
  { host, options }: Pick<Opening, "host" | "options">,
): boolean {
  if (stdin !== undefined || (rootFolder ?? "") !== "" || (image ?? null) !== null) return false;
  return options.within === undefined && ownMainFile(host) === realPath;
}

/** What this host's own sshd reads: a real path; null where there is nothing. */
export function ownMainFile(host: FileTree): string | null {
  return ownSshd(host).mainFile;
}

interface OwnSshd {
  readonly start: StartOptions;
  readonly mainFile: string | null;
}

/** Asked for each FILE of a call, and the same for all of them. */
const ownSshds = new WeakMap<FileTree, OwnSshd>();

function ownSshd(tree: FileTree): OwnSshd {
  const known = ownSshds.get(tree);
  if (known !== undefined) return known;
  const start = startOptions(tree);
  const own = { start, mainFile: tree.stat(start.configFile ?? MAIN)?.realPath ?? null };
  ownSshds.set(tree, own);
  return own;
}

/** The / of the system whose /etc/ssh a folder is by its name; else the folder itself. */
function rootAbove(name: string): string {
  const before = /^(|.*\/)etc\/ssh\/*$/.exec(name)?.[1];
  if (before === undefined) return name;
  return before === "" ? "." : before;
}

/** Why something is not taken as a main file. */
export function refusalOf(content: Exclude<FileContent, { readonly kind: "file" }>, name: string): string {
  if (content.kind === "folder")
    return `${name} is a folder. Name the file (${joined(name, "sshd_config")}), or --root ${rootAbove(name)} for a whole system.`;
  switch (content.code) {
    case "ESPECIAL":
      return `${name} is a pipe or a device, not a file. Use - to read standard input.`;
    case "ETOOBIG":
      return `${name} is larger than 64 MiB. That is a limit of sshd-policy, not of sshd.`;
    case "ELOOP":
      return `${name}: a symbolic link that leads back to itself (${content.reason})`;
    default:
      return `${name}: ${content.reason}`;
  }
}
