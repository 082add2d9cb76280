/** What each FILE asks about its folder: files of a call often share one, which is looked at once. */
import type { FileTree } from "../files/tree.ts";
import { folderOf, joined } from "./paths.ts";

export interface Folders {
  /** without links; the folder itself where it cannot be read */
  realPathOf(folder: string): string;
  /** the names in it, as of the tree */
  list(folder: string): readonly string[] | null;
  /** the sshd_config in the folder and those above it, nearest first */
  mainFilesAbove(folder: string): readonly string[];
}

export function makeFolders(tree: FileTree): Folders {
  const realPaths = new Map<string, string>();
  const names = new Map<string, readonly string[] | null>();
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
