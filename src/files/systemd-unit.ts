/** systemd's units with their drop-ins, as text (systemd.unit(5), systemd.syntax(7)). Nothing is run. */
import { textOf } from "./file-text.ts";
import type { FileTree } from "./tree.ts";

const UNIT_FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

export interface UnitLine {
  readonly key: string;
  readonly value: string;
  readonly path: string;
}

/** The assignments of a unit and its drop-ins, in systemd's order; null where there is no such unit. */
export function unitLines(tree: FileTree, unit: string): readonly UnitLine[] | null {
  const main = UNIT_FOLDERS.map((folder) => `${folder}/${unit}`).find(
    (path) => tree.read(path).kind === "file",
  );
  return main === undefined ? null : [main, ...dropIns(tree, unit)].flatMap((path) => linesOf(tree, path));
}

function dropIns(tree: FileTree, unit: string): string[] {
  const byName = new Map<string, string>();
  // a name in an earlier folder hides the same name in a later one
  for (const folder of [...UNIT_FOLDERS].reverse()) {
    for (const name of tree.list(`${folder}/${unit}.d`) ?? [])
      if (name.endsWith(".conf")) byName.set(name, `${folder}/${unit}.d/${name}`);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

function linesOf(tree: FileTree, path: string): UnitLine[] {
  const text = (textOf(tree, path) ?? "").replaceAll(/\\\n/g, " ");
  return text.split("\n").flatMap((line) => {
    const match = /^(\w+)=(.*)$/.exec(line.replace(/^[ \t]+/, ""));
    return match === null
      ? []
      : [{ key: match[1] ?? "", value: (match[2] ?? "").replace(/[ \t\r]+$/, ""), path }];
  });
}
