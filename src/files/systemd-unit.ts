/** systemd's units with their drop-ins, as text (systemd.unit(5), systemd.syntax(7)). Nothing is run. */
import { withoutEnd } from "../../grammar/ascii.ts";
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

/** The assignments of a unit's own section, with its drop-ins', in systemd's order; null where there is no such unit. */
export function unitLines(tree: FileTree, unit: string): readonly UnitLine[] | null {
  const folders = unitFolders(tree);
  const main = mainFile(tree, folders, unit);
  return main === null
    ? null
    : [main, ...dropIns(tree, folders, unit, main)].flatMap((path) => linesOf(tree, path, sectionOf(unit)));
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

/** "Service" of "ssh.service" */
function sectionOf(unit: string): string {
  const type = unit.slice(unit.lastIndexOf(".") + 1);
  return type.charAt(0).toUpperCase() + type.slice(1);
}

/** Null: it is not there, or masked by an empty file or a link to /dev/null (systemd.unit(5)). */
function mainFile(tree: FileTree, folders: readonly string[], unit: string): string | null {
  for (const folder of folders) {
    const path = `${folder}/${unit}`;
    const entry = tree.stat(path, { follow: false });
    if (entry?.target === "/dev/null") return null;
    const file = entry === null ? null : tree.stat(path);
    if (file?.kind === "file") return file.size === 0 ? null : path;
  }
  return null;
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
  if (its === null) return [];
  // a link names a unit, wherever the file of that name is
  const isLinked = tree.stat(its, { follow: false })?.target?.split("/").at(-1) === unit;
  return isLinked || tree.stat(its)?.realPath === tree.stat(main)?.realPath ? [other] : [];
}

/** As src/shared/conf-parser.c reads them: other sections, and what stands before the first, are passed over. */
function linesOf(tree: FileTree, path: string, section: string): UnitLine[] {
  const found: UnitLine[] = [];
  let isOurs = false;
  for (const line of logicalLines(textOf(tree, path) ?? "")) {
    if (line.startsWith("[")) isOurs = line === `[${section}]`;
    const [, key = "", value = ""] = /^(\w+)[ \t]*=[ \t]*(.*)$/.exec(line) ?? [];
    if (isOurs && key !== "") found.push({ key, value, path });
  }
  return found;
}

/** A backslash at its end joins a line with the next, two do not; comments stand between joined lines. */
function logicalLines(text: string): readonly string[] {
  const lines: string[] = [];
  let joined = "";
  for (const raw of text.replace(/^\xef\xbb\xbf/, "").split(/\r\n|\n\r|[\r\n\0]/)) {
    if (/^[ \t]*[#;]/.test(raw)) continue;
    const whole: string = joined + raw;
    const isJoined = (raw.length - withoutEnd(raw, "\\").length) % 2 === 1;
    joined = isJoined ? `${whole.slice(0, -1)} ` : "";
    if (!isJoined) lines.push(whole);
  }
  return [...lines, joined].map((line) => withoutEnd(line.replace(/^[ \t]+/, ""), " \t"));
}
