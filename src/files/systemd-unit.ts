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

export interface Unit {
  /** by which it is known where it has several names, as specifiers tell it */
  readonly name: string;
  /** the assignments of its own section, with its drop-ins', in systemd's order */
  readonly lines: readonly UnitLine[];
}

/** Null where there is no such unit. */
export function findUnit(tree: FileTree, asked: string): Unit | null {
  const folders = unitFolders(tree);
  const name = ownName(tree, folders, asked);
  const main = mainFile(tree, folders, name) ?? mainFile(tree, folders, templateOf(name));
  if (main === null) return null;
  const paths = [main, ...dropIns(tree, folders, name)];
  return { name, lines: paths.flatMap((path) => linesOf(tree, path, sectionOf(name))) };
}

/** "sshd@.service" of "sshd@main.service"; any other name is its own. */
function templateOf(unit: string): string {
  return unit.replace(/@.*\./, "@.");
}

/** As many links as it takes systemd to give up (basic/unit-file.c, UNIT_NAME_MAX aside). */
const MOST_ALIASES = 8;

/** A link names a unit, wherever the file of that name is; one that leads out of systemd's folders is a file of its own. */
function ownName(tree: FileTree, folders: readonly string[], unit: string): string {
  let name = unit;
  for (let links = 0; links < MOST_ALIASES; links++) {
    const next = aliased(tree, folders, name);
    if (next === null) return name;
    name = next;
  }
  return name;
}

function aliased(tree: FileTree, folders: readonly string[], name: string): string | null {
  for (const folder of folders) {
    const entry = tree.stat(`${folder}/${name}`, { follow: false });
    if (entry === null) continue;
    if (entry.target === null || entry.target === "/dev/null") return null;
    const at = entry.target.lastIndexOf("/");
    const above =
      at < 0
        ? folder
        : entry.target.startsWith("/")
          ? entry.target.slice(0, at)
          : `${folder}/${entry.target.slice(0, at)}`;
    const other = entry.target.slice(at + 1);
    const isUnit = folders.some((one) => tree.stat(one)?.realPath === tree.stat(above)?.realPath);
    return isUnit && other !== name ? other : null;
  }
  return null;
}

/** Of the whole manager (systemd-system.conf(5)): its own file, and the drop-ins of all folders. */
export function managerLines(tree: FileTree): readonly UnitLine[] {
  const folders = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map((above) => `${above}/systemd`);
  const main = folders
    .map((folder) => `${folder}/system.conf`)
    .find((path) => tree.stat(path)?.kind === "file");
  const files = [...(main === undefined ? [] : [main]), ...inDropIns(tree, folders, ["system.conf"])];
  return files.flatMap((path) => linesOf(tree, path, "Manager"));
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

function dropIns(tree: FileTree, folders: readonly string[], unit: string): string[] {
  const type = unit.slice(unit.lastIndexOf(".") + 1);
  const names = [unit, ...otherNames(tree, folders, unit)];
  // a unit's own hide those of its template, and those those of its type
  const templates = names.map(templateOf).filter((name) => !names.includes(name));
  return inDropIns(tree, folders, [type, ...templates, ...names.toReversed()]);
}

/** A name in an earlier folder hides the same name in a later one. */
function inDropIns(tree: FileTree, folders: readonly string[], names: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const named of names) {
    for (const folder of [...folders].reverse()) {
      for (const name of tree.list(`${folder}/${named}.d`) ?? [])
        if (name.endsWith(".conf")) byName.set(name, `${folder}/${named}.d/${name}`);
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** The drop-ins of all its names count: Debian links sshd.service to ssh.service, and `systemctl enable` below /etc. */
function otherNames(tree: FileTree, folders: readonly string[], unit: string): readonly string[] {
  const twin = unit.startsWith("sshd") ? unit.replace("sshd", "ssh") : unit.replace("ssh", "sshd");
  const type = unit.slice(unit.lastIndexOf("."));
  const made = ["/etc/systemd/system", "/run/systemd/system"].flatMap((folder) =>
    (tree.list(folder) ?? []).filter((name) => name.endsWith(type)),
  );
  return [...new Set([twin, ...made])].filter(
    (name) => name !== unit && ownName(tree, folders, name) === unit,
  );
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
