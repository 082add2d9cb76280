/** A configuration as a folder of files that stands on its own: every Include names the copies, and nothing outside. */

import type { Config, ConfigFile, IncludeLine } from "../config/config.ts";
import { applyEdits } from "../edit/edit.ts";
import type { FileTree } from "../files/tree.ts";
import { encode } from "../source/source.ts";

export interface CopiedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The main file first. `folder`: absolute, without characters that sshd or glob(3) read as more than a name. */
export function standaloneCopy(config: Config, tree: FileTree, folder: string): CopiedFile[] {
  const nameOf = (file: ConfigFile): string => `${folder}/copy-${config.files.indexOf(file)}`;
  const copyOf = (path: string): string[] => {
    const realPath = tree.stat(path)?.realPath;
    return config.files.filter((file) => file.realPath === realPath).map(nameOf);
  };
  return config.files.map((file) => {
    const own = config.includes.filter(
      ({ place, targets }) => place.source === file.source && targets.length > 0,
    );
    // a file that is read twice has its Includes twice
    const lines = new Map(own.map((include) => [include.line, include]));
    const edits = [...lines.values()].map((include) => rewritten(include, file, copyOf, folder));
    return { path: nameOf(file), bytes: encode(applyEdits(file.source.text, edits)) };
  });
}

/** What matches nothing is named by a name that is not there, which sshd takes as well. */
function rewritten(
  { targets }: IncludeLine,
  file: ConfigFile,
  copyOf: (path: string) => string[],
  folder: string,
): { path: string; start: number; end: number; text: string } {
  const copies = targets.flatMap(({ matched }) => matched).flatMap(copyOf);
  const start = Math.min(...targets.map(({ place }) => place.start));
  const end = Math.max(...targets.map(({ place }) => place.end));
  const text = copies.length === 0 ? `${folder}/nothing` : copies.join(" ");
  return { path: file.realPath, start, end, text };
}
