/** --root and --image: the / of a server that is only looked at. */
import { folderTree } from "../files/folder.ts";
import type { Image } from "../files/image.ts";
import { installedRelease } from "../files/release.ts";
import { NO_OPTIONS, type StartOptions } from "../files/sshd-options.ts";
import { startOptions } from "../files/start-options.ts";
import type { FileTree } from "../files/tree.ts";
import { isRootFileSystem, mainFiles, sshdPrograms } from "../files/vendor-place.ts";
import { shellWord } from "../report/text.ts";
import { choosePeople } from "./chosen-accounts.ts";
import { chooseRelease, secondRelease } from "./chosen-release.ts";
import { makeFolders } from "./folders.ts";
import { load } from "./load-target.ts";
import { absolute, folderOf, latin1 } from "./paths.ts";
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
  if (tree.stat("/")?.kind !== "folder") return { misuse: `--root ${root} is no folder that can be read` };
  if (files.length === 0 && isRootFileSystem(tree) && !hasSshd(tree))
    return [
      { name: shownRoot, absent: `${shownRoot}: there is no sshd in it, so there is nothing to judge` },
    ];
  const system: System = {
    tree,
    whose: "root",
    shownAs: (inside) => shownRoot + inside,
    checkCommand: `sshd-policy effective --root ${shellWord(latin1(root))}`,
    start: startOptions(tree),
    sshds: [],
    rootFolder: folder === "/" ? "" : folder,
    image: null,
  };
  return await openSystem(system, files, options);
}

/** What is not there stays what it is called. */
function realPathOf(folder: string): string {
  return folderTree("/").stat(folder)?.realPath ?? folder;
}

export function hasSshd(tree: FileTree): boolean {
  return (
    sshdPrograms(tree).length > 0 ||
    installedRelease(tree) !== null ||
    mainFiles(tree).some((path) => isThere(tree, path))
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
  const { tree, whose, start, sshds, shownAs, checkCommand, rootFolder, image } = system;
  const host = folderTree("/");
  const people = choosePeople(options, host, tree);
  if ("misuse" in people) return people;
  const release = await chooseRelease(options, tree, whose, sshds);
  const opening = { options, host, tree, release, people, start, folders: makeFolders(tree) };
  const paths =
    files.length === 0
      ? start.configFile === null
        ? mainFiles(tree)
        : [start.configFile]
      : files.map((file) => latin1(file.startsWith("/") ? file : `/${file}`));
  const isSecond = (path: string): boolean => paths.length > 1 && path.startsWith("/usr/local/");
  // nothing tells how a second sshd is started
  const second = () => ({
    ...opening,
    release: secondRelease(options, tree, whose, release),
    start: NO_OPTIONS,
  });
  return paths.map((path) => {
    const opened = load(
      {
        name: shownAs(path),
        tree,
        path,
        shownAs,
        writableFolder: "/",
        rootFolder,
        checkCommand,
        image,
        ...(path.startsWith("/usr/local/") ? { configFolder: folderOf(path) } : {}),
      },
      isSecond(path) ? second() : opening,
    );
    const isNamed = "error" in opened && path === start.configFile && files.length === 0;
    return isNamed ? { ...opened, error: `${opened.error}: ${start.source ?? ""} names it with -f` } : opened;
  });
}
