/** A FILE or standard input, read as if it lay in /etc/ssh; a drop-in through the main file that includes it. */
import { folderOf, joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { shellWord } from "../report/text.ts";
import { load, type Opening, refusalOf, type Wanted, withContent } from "./load-target.ts";
import { absolute, latin1 } from "./paths.ts";
import { standardInput } from "./standard-input.ts";
import type { Opened } from "./target.ts";

export function openFile(file: string, opening: Opening): Opened {
  const { tree } = opening;
  const path = absolute(file);
  if (opening.options.asHost === true)
    return load(
      {
        name: latin1(file),
        tree,
        path,
        shownAs: (inside) => inside,
        checkCommand: `sshd -T -f ${shellWord(path)}`,
      },
      opening,
    );
  return (
    openThroughMain(tree, path, latin1(file), opening) ??
    load({ ...asMain(tree, path, latin1(file)), fragment: isDropInFolder(folderOf(path)) }, opening)
  );
}

/** FILE read as if it were /etc/ssh/sshd_config and its folder /etc/ssh. */
function asMain(tree: FileTree, path: string, name: string): Wanted {
  const folder = folderOf(path);
  const shownFolder = name.slice(0, name.lastIndexOf("/") + 1);
  return {
    name,
    tree,
    path,
    configFolder: folder,
    shownAs: (inside) =>
      inside.startsWith(joined(folder, "")) ? shownFolder + inside.slice(joined(folder, "").length) : inside,
    checkCommand: `sshd -T -f ${shellWord(path)}`,
  };
}

function isDropInFolder(folder: string): boolean {
  return folder.endsWith(".d");
}

/** A drop-in: audited through the sshd_config beside or above it that includes it. Null where none does. */
function openThroughMain(tree: FileTree, path: string, name: string, opening: Opening): Opened | null {
  if (path.endsWith("/sshd_config")) return null;
  const { folders } = opening;
  const mains = folders.mainFilesAbove(folderOf(path));
  const realPath = mains.length === 0 ? undefined : tree.stat(path)?.realPath;
  if (realPath === undefined) return null;
  const writableFolder = folders.realPathOf(folderOf(path));
  for (const main of mains) {
    const wanted = asMain(tree, main, nameOfMain(main, path, name));
    const opened = load({ ...wanted, onlyRealPath: realPath, writableFolder }, opening);
    if ("config" in opened && opened.config.files.slice(1).some((included) => included.realPath === realPath))
      return { ...opened, name };
  }
  return null;
}

/** The main file's name as the user would write it: the named file's own path, shortened. */
function nameOfMain(main: string, path: string, name: string): string {
  const folder = joined(folderOf(main), "");
  const below = path.slice(folder.length);
  if (name.endsWith(below)) return `${name.slice(0, name.length - below.length)}sshd_config`;
  const levels = below.split("/").length - 1;
  return `${name.slice(0, name.lastIndexOf("/") + 1)}${"../".repeat(levels)}sshd_config`;
}

/** Standard input, as if it lay at --stdin-filename (default: sshd_config in the current folder). */
export function openStdin(opening: Opening): Opened {
  const name = opening.options.stdinFilename ?? "sshd_config";
  const path = absolute(name);
  const shown = opening.options.stdinFilename === undefined ? "<stdin>" : latin1(name);
  const content = standardInput(path);
  if (content.kind === "folder") return { name: shown, error: "<stdin> is a folder" };
  if (content.kind !== "file") return { name: shown, error: refusalOf(content, "<stdin>") };
  const stdin = content.bytes;
  const tree = withContent(opening.tree, path, content);
  const wanted = asMain(tree, path, latin1(name));
  return load(
    {
      ...wanted,
      stdin,
      name: shown,
      shownAs: (inside) => (inside === path ? shown : wanted.shownAs(inside)),
      checkCommand: "sshd -T -f FILE",
    },
    opening,
  );
}
