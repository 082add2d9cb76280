/** What each FILE asks about its folder: files of a call often share one, which is looked at once. */
import { folderOf, joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";

export interface Folders {
  /** without links; the folder itself where it cannot be read */
  realPathOf(folder: string): string;
  /** nothing is there, not even what this user may not read */
  isAbsent(folder: string): boolean;
  /** the names in it, as of the tree */
  list(folder: string): readonly string[] | null;
  /** the sshd_config in the folder and those above it, nearest first */
  mainFilesAbove(folder: string): readonly string[];
}

export function makeFolders(tree: FileTree): Folders {
  const realPaths = new Map<string, string>();
  const names = new Map<string, readonly string[] | null>();
  const absent = new Map<string, boolean>();
  const mainFiles = new Map<string, readonly string[]>();
  const mainFilesAbove = (folder: string): readonly string[] => {
    const known = mainFiles.get(folder);
    if (known !== undefined) return known;
    const main = joined(folder, "sshd_config");
    const here = tree.stat(main)?.kind === "file" ? [main] : [];
    const all = folder === "/" ? here : [...here, ...mainFilesAbove(folderOf(folder))];
    mainFiles.set(folder, all);
    return all;
  };
  return {
    mainFilesAbove,
    isAbsent: (folder) => {
      const known = absent.get(folder) ?? isAbsent(tree, folder);
      absent.set(folder, known);
      return known;
    },
    list: (folder) => {
      const known = names.get(folder);
      if (known !== undefined) return known;
      const found = tree.list(folder);
      names.set(folder, found);
      return found;
    },
    realPathOf: (folder) => {
      const realPath = realPaths.get(folder) ?? tree.stat(folder)?.realPath ?? folder;
      realPaths.set(folder, realPath);
      return realPath;
    },
  };
}

function isAbsent(tree: FileTree, path: string): boolean {
  const content = tree.read(path);
  return content.kind === "unreadable" && content.code === "ENOENT";
}
