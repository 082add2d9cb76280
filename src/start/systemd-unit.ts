/** systemd's units with their drop-ins, as text (systemd.unit(5), systemd.syntax(7)). Nothing is run. */
import { withoutEnd } from "../../grammar/ascii.ts";
import { textOf } from "../files/file-text.ts";
import type { FileTree } from "../files/tree.ts";

const UNIT_FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

/** Those in which administrators and programs make links. */
const MADE: ReadonlySet<string> = new Set(["/etc/systemd/system", "/run/systemd/system"]);

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

/** Where units are looked for; what is asked of links is asked once, however many units there are. */
export interface Units {
  readonly tree: FileTree;
  readonly folders: readonly UnitFolder[];
  /** the name that a link of this name leads to; null: it is no such link */
  readonly aliasOf: (name: string) => string | null;
}

interface UnitFolder {
  readonly path: string;
  readonly realPath: string;
  /** null: they cannot be listed */
  readonly names: ReadonlySet<string> | null;
}

export function unitsOf(tree: FileTree): Units {
  const folders = unitFolders(tree);
  const realPathOf = askedOnce((path) => tree.stat(path)?.realPath ?? null);
  const isUnitFolder = (path: string): boolean =>
    folders.some(({ realPath }) => realPath === realPathOf(path));
  return { tree, folders, aliasOf: askedOnce((name) => aliased(tree, folders, isUnitFolder, name)) };
}

function askedOnce(ask: (text: string) => string | null): (text: string) => string | null {
  const answers = new Map<string, string | null>();
  return (text) => {
    const known = answers.get(text);
    if (known !== undefined) return known;
    const answer = ask(text);
    answers.set(text, answer);
    return answer;
  };
}

/** Null where there is no such unit. */
export function findUnit(units: Units, asked: string): Unit | null {
  const name = ownName(units, asked);
  const main = mainFile(units, name) ?? mainFile(units, templateOf(name));
  if (main === null) return null;
  const paths = [main, ...dropIns(units, name)];
  return { name, lines: paths.flatMap((path) => linesOf(units.tree, path, sectionOf(name))) };
}

/** "sshd@.service" of "sshd@main.service"; any other name is its own. */
function templateOf(unit: string): string {
  return unit.replace(/@.*\./, "@.");
}

/** What a link of an instance to a template means: that template's instance of the same name. */
function instanceOf(template: string, instance: string): string {
  const [behind = ""] = /@.+(?=\.)/.exec(instance) ?? [];
  return behind === "" ? template : template.replace(/@(?=\.[^.]*$)/, () => behind);
}

/** As many links as it takes systemd to give up (basic/unit-file.c, UNIT_NAME_MAX aside). */
const MOST_ALIASES = 8;

/** A link names a unit, wherever the file of that name is; one that leads out of systemd's folders is a file of its own. */
function ownName({ aliasOf }: Units, unit: string): string {
  let name = unit;
  for (let links = 0; links < MOST_ALIASES; links++) {
    const next = aliasOf(name);
    if (next === null) return name;
    name = next;
  }
  return name;
}

function aliased(
  tree: FileTree,
  folders: readonly UnitFolder[],
  isUnitFolder: (path: string) => boolean,
  name: string,
): string | null {
  for (const { path: folder, names } of folders) {
    if (names?.has(name) === false) continue;
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
    const other = instanceOf(entry.target.slice(at + 1), name);
    return other !== name && isUnitFolder(above) ? other : null;
  }
  return null;
}

/** Of the whole manager (systemd-system.conf(5)): its own file, and the drop-ins of all folders. */
export function managerLines(tree: FileTree): readonly UnitLine[] {
  const folders = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map((above) => `${above}/systemd`);
  const main = folders
    .map((folder) => `${folder}/system.conf`)
    .find((path) => tree.stat(path)?.kind === "file");
  const above = folders.map((path) => ({ path, names: null }));
  const files = [...(main === undefined ? [] : [main]), ...inDropIns(tree, above, ["system.conf"])];
  return files.flatMap((path) => linesOf(tree, path, "Manager"));
}

/** Those that are there, each once: /lib is a link to /usr/lib nearly everywhere. */
function unitFolders(tree: FileTree): readonly UnitFolder[] {
  const byRealPath = new Map<string, UnitFolder>();
  for (const path of UNIT_FOLDERS) {
    const realPath = tree.stat(path)?.realPath;
    if (realPath === undefined || byRealPath.has(realPath)) continue;
    const names = tree.list(path);
    byRealPath.set(realPath, { path, realPath, names: names === null ? null : new Set(names) });
  }
  return [...byRealPath.values()];
}

/** "Service" of "ssh.service" */
function sectionOf(unit: string): string {
  const type = unit.slice(unit.lastIndexOf(".") + 1);
  return type.charAt(0).toUpperCase() + type.slice(1);
}

/** Null: it is not there, or masked by an empty file or a link to /dev/null (systemd.unit(5)). */
function mainFile({ tree, folders }: Units, unit: string): string | null {
  for (const folder of folders) {
    const path = `${folder.path}/${unit}`;
    const entry = tree.stat(path, { follow: false });
    if (entry?.target === "/dev/null") return null;
    const file = entry === null ? null : tree.stat(path);
    if (file?.kind === "file") return file.size === 0 ? null : path;
  }
  return null;
}

function dropIns(units: Units, unit: string): string[] {
  const type = unit.slice(unit.lastIndexOf(".") + 1);
  const names = [unit, ...otherNames(units, unit)];
  // a unit's own hide those of its template, and those those of its type
  const templates = names.map(templateOf).filter((name) => !names.includes(name));
  return inDropIns(units.tree, units.folders, [type, ...templates, ...names.toReversed()]);
}

/** A name in an earlier folder hides the same name in a later one. */
export function inDropIns(
  tree: FileTree,
  folders: readonly Pick<UnitFolder, "path" | "names">[],
  names: readonly string[],
): string[] {
  const byName = new Map<string, string>();
  for (const named of names) {
    for (const folder of folders.toReversed()) {
      if (folder.names?.has(`${named}.d`) === false) continue;
      const path = `${folder.path}/${named}.d`;
      for (const name of tree.list(path) ?? [])
        if (name.endsWith(".conf")) byName.set(name, `${path}/${name}`);
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}

/** The drop-ins of all its names count: Debian links sshd.service to ssh.service, and `systemctl enable` below /etc. */
function otherNames(units: Units, unit: string): readonly string[] {
  const twin = unit.startsWith("sshd") ? unit.replace("sshd", "ssh") : unit.replace("ssh", "sshd");
  const type = unit.slice(unit.lastIndexOf("."));
  const made = units.folders
    .filter(({ path }) => MADE.has(path))
    .flatMap(({ names }) => [...(names ?? [])].filter((name) => name.endsWith(type)));
  return [...new Set([twin, ...made])].filter((name) => name !== unit && ownName(units, name) === unit);
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
