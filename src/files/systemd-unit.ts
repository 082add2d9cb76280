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
  const folders = unitFolders(tree);
  const main = mainFile(tree, folders, unit);
  return main === undefined
    ? null
    : [main, ...dropIns(tree, folders, unit, main)].flatMap((path) => linesOf(tree, path));
}

/** Those that are there, each once: /lib is a link to /usr/lib nearly everywhere. */
function unitFolders(tree: FileTree): readonly string[] {
  const byRealPath = new Map<string, string>();
  for (const folder of UNIT_FOLDERS) {
    const realPath = tree.stat(folder)?.realPath;
    if (realPath !== undefined && !byRealPath.has(realPath)) byRealPath.set(realPath, folder);
  }
  return [...byRealPath.values()];
}

function mainFile(tree: FileTree, folders: readonly string[], unit: string): string | undefined {
  return folders.map((folder) => `${folder}/${unit}`).find((path) => tree.read(path).kind === "file");
}

function dropIns(tree: FileTree, folders: readonly string[], unit: string, main: string): string[] {
  const byName = new Map<string, string>();
  const type = unit.slice(unit.lastIndexOf(".") + 1);
  // a name in an earlier folder hides the same name in a later one, and a unit's own those of its type
  for (const named of [type, ...otherNames(tree, folders, unit, main), unit]) {
    for (const folder of [...folders].reverse()) {
      for (const name of tree.list(`${folder}/${named}.d`) ?? [])
        if (name.endsWith(".conf")) byName.set(name, `${folder}/${named}.d/${name}`);
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** Debian links sshd.service to ssh.service: the drop-ins of both names count. */
function otherNames(
  tree: FileTree,
  folders: readonly string[],
  unit: string,
  main: string,
): readonly string[] {
  const other = unit.startsWith("sshd") ? unit.replace("sshd", "ssh") : unit.replace("ssh", "sshd");
  const its = mainFile(tree, folders, other);
  return its !== undefined && tree.stat(its)?.realPath === tree.stat(main)?.realPath ? [other] : [];
}

function linesOf(tree: FileTree, path: string): UnitLine[] {
  return logicalLines(textOf(tree, path) ?? "").flatMap((line) => {
    const match = /^(\w+)[ \t]*=[ \t]*(.*)$/.exec(line);
    return match === null ? [] : [{ key: match[1] ?? "", value: match[2] ?? "", path }];
  });
}

/** A backslash at its end joins a line with the next; comments end with their own line, and stand between joined ones. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let joined: string | null = null;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/[ \t\r]+$/, "").replace(/^[ \t]+/, "");
    if (/^[#;]/.test(line)) continue;
    const whole: string = joined === null ? line : `${joined} ${line}`;
    joined = whole.endsWith("\\") ? whole.slice(0, -1) : null;
    if (joined === null) lines.push(whole);
  }
  return joined === null ? lines : [...lines, joined];
}
