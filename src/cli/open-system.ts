/** --root and --image: the / of a server that is only looked at. */

import { folderTree } from "../files/folder.ts";
import type { Image } from "../files/image.ts";
import { folderOf } from "../files/path.ts";
import { installedRelease } from "../files/release.ts";
import type { FileTree } from "../files/tree.ts";
import {
  isRootFileSystem,
  ownSshds,
  type Served,
  servedFiles,
  sshdPrograms,
  sshdsApart,
} from "../files/vendor-place.ts";
import { shellWord } from "../report/text.ts";
import { NO_OPTIONS, type StartOptions } from "../start/sshd-options.ts";
import { bootOptions } from "../start/start-options.ts";
import { choosePeople } from "./chosen-accounts.ts";
import { chooseRelease, secondRelease } from "./chosen-release.ts";
import { makeFolders } from "./folders.ts";
import { load, type Opening } from "./load-target.ts";
import { absolute, latin1, MAIN } from "./paths.ts";
import type { Absent, Misuse, Opened, TargetOptions } from "./target.ts";

/** The / of a server that is only looked at: of no program in it anything is run. */
export interface System {
  readonly tree: FileTree;
  readonly whose: "root" | "image";
  readonly shownAs: (path: string) => string;
  readonly checkCommand: string;
  readonly start: StartOptions;
  /** sshds that are started from places of their own */
  readonly sshds: readonly string[];
  /** the folder on this machine, latin1; empty for / itself and where there is none */
  readonly rootFolder: string;
  readonly image: Image | null;
}

export async function openRoot(
  root: string,
  files: readonly string[],
  options: TargetOptions,
): Promise<readonly (Opened | Absent)[] | Misuse> {
  // once and for all: a link on the way could lead elsewhere by the time something is written
  const folder = realPathOf(absolute(root));
  const shownRoot = latin1(root).replace(/\/+$/, "");
  const tree = folderTree(Buffer.from(folder, "latin1"));
  if (tree.stat("/")?.kind !== "folder")
    return { misuse: `--root ${latin1(root)} is no folder that can be read` };
  const start = bootOptions(tree);
  if (files.length === 0 && isRootFileSystem(tree) && !hasSshd(tree, start))
    return [noSshdIn(shownRoot, "it")];
  const system: System = {
    tree,
    whose: "root",
    shownAs: (inside) => shownRoot + inside,
    checkCommand: `sshd-policy effective --root ${shellWord(latin1(root))}`,
    start,
    sshds: [],
    rootFolder: folder === "/" ? "" : folder,
    image: null,
  };
  return await openSystem(system, files, options);
}

/** One that nothing starts may lie anywhere. */
export function noSshdIn(name: string, what: string): Absent {
  const looked =
    "none in the system's folders, /usr/local or /opt, and nothing found that starts one elsewhere";
  return { name, absent: `${name}: there is no sshd in ${what} (${looked}), so there is nothing to judge` };
}

/** What is not there stays what it is called. */
function realPathOf(folder: string): string {
  return folderTree("/").stat(folder)?.realPath ?? folder;
}

export function hasSshd(tree: FileTree, { ownSshd }: StartOptions): boolean {
  return (
    sshdPrograms(tree).length > 0 ||
    sshdsApart(tree).length > 0 ||
    (ownSshd !== undefined && tree.stat(ownSshd)?.kind === "file") ||
    installedRelease(tree) !== null ||
    servedFiles(tree).some(({ path }) => isThere(tree, path))
  );
}

/** A link that leads nowhere is there, and so is what may not be read: its target is then an error, and not absent. */
function isThere(tree: FileTree, path: string): boolean {
  if (tree.stat(path, { follow: false }) !== null) return true;
  const content = tree.read(path);
  return content.kind !== "unreadable" || content.code !== "ENOENT";
}

/** FILEs inside a system; without any, what its sshds read. */
export async function openSystem(
  system: System,
  files: readonly string[],
  options: TargetOptions,
): Promise<readonly Opened[] | Misuse> {
  const { tree, whose, start } = system;
  const host = folderTree("/");
  const people = choosePeople(options, host, tree);
  if ("misuse" in people) return people;
  const started = ownSshds(tree, startedIn(system));
  const release = await chooseRelease(options, tree, whose, () => [...started, ...sshdsApart(tree)]);
  const opening: Opening = { options, host, tree, release, people, start, folders: makeFolders(tree) };
  const judged = judgedIn(system, files, started);
  const isOne = files.length === 0 && judged.length === 1;
  return judged.map((each) => {
    const checkCommand = system.checkCommand + (isOne ? "" : ` ${shellWord(each.path)}`);
    const opened = openServed(each, { ...system, checkCommand }, { ...opening, start: each.start });
    const isNamed = "error" in opened && each.path === each.start.configFile && files.length === 0;
    return isNamed
      ? { ...opened, error: `${opened.error}: ${each.start.source ?? ""} names it with -f` }
      : opened;
  });
}

/** What an sshd reads, with how that one is started. */
interface Judged extends Served {
  readonly start: StartOptions;
}

function judgedIn(system: System, files: readonly string[], started: readonly string[]): readonly Judged[] {
  const { tree, start } = system;
  const served = servedIn(system, files);
  const { others = [] } = start;
  const fileOf = ({ configFile }: StartOptions): string => configFile ?? servedFiles(tree)[0]?.path ?? MAIN;
  const isServed = (other: StartOptions): boolean => served.some(({ path }) => path === fileOf(other));
  const apart = others.filter((other) => !isServed(other));
  // one that reads something else is no limit to this
  const first: StartOptions = { ...start, others: others.filter(isServed) };
  const judged = served.map((each): Judged => {
    const isFirst = files.length === 0 || fileOf(start) === each.path;
    const other = isFirst ? undefined : others.find((one) => fileOf(one) === each.path);
    if (other !== undefined) return judgedAs(tree, each.path, other);
    const isStarted =
      served.length === 1 || (started.length === 0 ? each.sshd === null : started.includes(each.sshd ?? ""));
    return { ...each, start: isStarted ? first : NO_OPTIONS };
  });
  return files.length > 0
    ? judged
    : [...judged, ...apart.map((other) => judgedAs(tree, fileOf(other), other))];
}

function judgedAs(tree: FileTree, path: string, start: StartOptions): Judged {
  const [sshd = null] = start.ownSshd === undefined ? [] : ownSshds(tree, [start.ownSshd]);
  return { path, sshd, start };
}
/** `opening`: of the system's first sshd, with the start options of this one, where something tells them. */
function openServed({ path, sshd }: Served, system: System, opening: Opening): Opened {
  const { tree, whose, shownAs, checkCommand, rootFolder, image } = system;
  const { options, release: first } = opening;
  const release = sshd === null ? first : secondRelease(options, tree, { whose, first, sshd });
  const isApart = sshd !== null || path.startsWith("/usr/local/");
  return load(
    {
      name: shownAs(path),
      tree,
      path,
      shownAs,
      writableFolder: "/",
      rootFolder,
      checkCommand,
      image,
      ...(isApart ? { configFolder: folderOf(path) } : {}),
    },
    { ...opening, release },
  );
}

function startedIn({ sshds, start }: Pick<System, "sshds" | "start">): readonly string[] {
  return start.ownSshd === undefined ? sshds : [...new Set([...sshds, start.ownSshd])];
}

function servedIn(system: System, files: readonly string[]): readonly Served[] {
  const { tree, start } = system;
  if (files.length > 0)
    return files.map((file) => ({ path: latin1(file.startsWith("/") ? file : `/${file}`), sshd: null }));
  if (start.configFile !== null) return [{ path: start.configFile, sshd: null }];
  return servedFiles(tree, startedIn(system));
}
