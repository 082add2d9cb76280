/** What a script does to a configuration of sshd before sshd reads it: that it is changed is seen, not what becomes of it. */
import { posix } from "node:path";
import { matchesGlob } from "../files/glob.ts";
import type { FileTree } from "../files/tree.ts";
import { COMPUTED } from "./shell-expand.ts";
import { workingFolders } from "./shell-files.ts";
import { nameOf } from "./shell-programs.ts";
import type { Edit, Reading } from "./shell-reading.ts";
import type { Role, Usage } from "./shell-table.ts";
import type { Used } from "./shell-usage.ts";

/** sshd_config by whatever folder, and drop-ins. */
const CONFIGURATION = /(?:^|[/:=])sshd_config(?:\.d\/[^/]*)?$/;

export function isConfigurationFile(path: string): boolean {
  return CONFIGURATION.test(path);
}

/** Where sshd_config lies, and its drop-ins. */
const OWN_FOLDER = /\/ssh(?:\/sshd_config\.d)?$/;

/** What a pattern may lead to. */
const USUAL = ["/etc", "/etc/ssh", "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"];

/** sed(1) and awk(1) write files from inside their programs, too. */
const WRITTEN_WITHIN = /(?:\bw[ \t]+|>[ \t]*"?)([\w./-]+)/g;

/** Of awk: what writes a file that it only names elsewhere, or starts another program. */
const WRITES_ELSEWHERE = /\bprintf?\b[^;}\n]{0,500}[>|]|\bsystem[ \t]*\(/;

/** Where a program runs. */
interface Surroundings {
  readonly tree: FileTree;
  /** null: it is no text, or more than is read */
  readonly textAt: (path: string) => string | null;
  /** all values of all variables, which a program may ask for */
  readonly values: readonly string[];
  /** the working folder; null where nobody knows it */
  readonly at: string | null;
  /** what was changed before */
  readonly edits: readonly Edit[];
}

/** `filesFrom`: those that are changed from a working folder, null where nobody knows it. */
export function noteEdits(
  { found, path, variables, root }: Reading,
  filesFrom: (at: string | null) => readonly string[],
): void {
  for (const at of workingFolders(variables))
    for (const file of filesFrom(at))
      found.edits.push({ file: file.startsWith("/") ? root + file : file, path });
}

/** What nobody knows from here may change any configuration. */
export function mayChange({ found, path }: Reading, mayBy: string): void {
  found.edits.push({ path, mayBy });
}

/** A program that nobody knows may do anything with the configurations that its words name. */
export function changedByUnknown(args: readonly string[], at: string | null): readonly string[] {
  return args.flatMap((word) => {
    const place = placeOf(bare(pathIn(word)), at);
    return OWN_FOLDER.test(place) ? filled(place) : [...written(place), ...written(withoutEnding(place))];
  });
}

/** sshd_config.gz, sshd_config.tpl: what is made of it mostly has its name. */
function withoutEnding(path: string): string {
  return path.replace(/\.(?!d$)\w+$/, "");
}

/** The configurations that a program changes, of whose words this becomes. */
export function changedBy(used: Used, surroundings: Surroundings): readonly string[] {
  const at = folderOf(used, surroundings.at);
  const changed = used.acts.flatMap(({ role, word }) => EFFECTS[role]?.(word, at) ?? []);
  const within = { ...surroundings, at };
  return [...changed, ...copiedBy(used, within), ...filledBy(used, at), ...codedBy(used, within)];
}

/** By programs of sed or awk. */
function codedBy({ acts }: Used, { textAt, values, at }: Surroundings): readonly string[] {
  const codes = acts.flatMap(({ role, word }) => {
    if (role === "coded") return textAt(placeOf(word, at)) ?? [];
    return role === "code" ? [word] : [];
  });
  const given = acts.flatMap(({ role, word }) => (role === "argument" ? [word.replace(/^\w+=/, "")] : []));
  return codes.flatMap((code) => [
    ...[...code.matchAll(WRITTEN_WITHIN)].flatMap(([, file = ""]) => written(placeOf(file, at))),
    ...(WRITES_ELSEWHERE.test(code) ? namedWithin(code, { given, values, at }) : []),
  ]);
}

/** Where relative names of a program begin. */
export function folderOf({ acts }: Used, at: string | null): string | null {
  let folder = at;
  for (const { role, word } of acts) {
    const place = role === "folder" ? placeOf(bare(word), folder) : null;
    if (place !== null) folder = place.startsWith("/") ? place : null;
  }
  return folder;
}

/** What becomes of the configuration by a word of this role. */
const EFFECTS: Readonly<Partial<Record<Role, (word: string, at: string | null) => readonly string[]>>> = {
  write: (word, at) => written(placeOf(word, at)),
  remove: (word, at) => reached(placeOf(bare(word), at)),
  move: (word, at) => reached(placeOf(bare(word), at)),
  fill: (word, at) => filled(placeOf(bare(word), at)),
  fetch: (word, at) => reached(placeOf(nameOf(bare(word.replace(/[?#].*$/, ""))).replace(/\.git$/, ""), at)),
  member: (word, at) => reached(placeOf(bare(word).replace(/^\/+/, ""), at)),
  pair: (word, at) => {
    const place = placeOf(bare(word.split(":")[1] ?? ""), at);
    return [...written(place), ...filled(place)];
  },
  unpacked: (word, at) => [...written(placeOf(word, at)), ...written(withoutEnding(placeOf(word, at)))],
};

/** Unless its words say what comes there. */
function filledBy({ usage, acts }: Used, at: string | null): readonly string[] {
  const isNamed = acts.some(({ role }) => role === "member" || role === "write");
  return usage.fills === true && !isNamed && at !== null ? filled(at) : [];
}

/** Where a name leads; a relative one stays where nobody knows the working folder. */
export function placeOf(name: string, at: string | null): string {
  const isRelative = !name.startsWith("/");
  if (isRelative && (at === null || name === "" || name.startsWith("-"))) return name;
  return posix.normalize(isRelative ? `${at}/${name}` : name);
}

/** The configurations that a path, which may have wildcards, names as a file. */
function written(path: string): readonly string[] {
  return meant(path).filter(isConfigurationFile);
}

/** The same, or what a folder that it names leads to. */
function reached(path: string): readonly string[] {
  return meant(path).flatMap((each) =>
    isConfigurationFile(each) ? [each] : each === "/" ? [] : filled(each),
  );
}

/** What in a folder is the configuration, if it leads there. */
function filled(folder: string): readonly string[] {
  return namesIn(folder).length === 0 ? [] : [fileIn(folder)];
}

/** Ours: more are whatever lies there. */
const MAX_CHOICES = 32;

/** `/etc/ssh/*` is the main file, among others. */
function meant(path: string): readonly string[] {
  const [, before = "", choices, behind = ""] = /^([^{}]*)\{([^{}]*)\}(.*)$/s.exec(path) ?? [];
  if (choices?.includes(",") === true) {
    // each further one makes more of all of them
    const rest = behind.replaceAll(/\{[^{}]*\}/g, "*");
    const each = choices.split(",");
    return (each.length > MAX_CHOICES ? ["*"] : each).flatMap((choice) => meant(before + choice + rest));
  }
  if (!/[*?[]/.test(path)) return [path];
  const folder = path.slice(0, path.lastIndexOf("/"));
  const inside = namesIn(folder === "" ? "/" : folder).find((name) => matchesGlob(name, nameOf(path)));
  if (inside !== undefined && inside !== "*.conf") return [`${folder}/${inside}`];
  return [USUAL.find((usual) => matchesPath(usual, path)) ?? path];
}

function matchesPath(path: string, pattern: string): boolean {
  const names = path.split("/");
  const patterns = pattern.split("/");
  return (
    names.length === patterns.length && patterns.every((each, index) => matchesGlob(names[index] ?? "", each))
  );
}

/** The configurations that `find`, `grep -l` or `echo` with these words names for another program; `at` as above. */
export function namedBy([program = "", ...args]: readonly string[], at: string | null): readonly string[] {
  const isFind = nameOf(program) === "find";
  const test = isFind ? args.findIndex((word) => /^-i?(?:name|wholename|path)$/.test(word)) : -1;
  const pattern = test === -1 ? null : nameOf(args[test + 1] ?? "");
  if (isFind && args.some((word, index) => word === "d" && args[index - 1] === "-type")) return [];
  const end = isFind ? args.findIndex((word) => /^[-(!]/.test(word)) : -1;
  const given = (end === -1 ? args : args.slice(0, end)).filter((word) => !word.startsWith("-"));
  const isHere = given.length === 0 && /^(?:find|ls)$/.test(nameOf(program));
  const places = (isHere ? ["."] : given).map((word) => placeOf(bare(word), at));
  const named = places.flatMap((place) => (isConfigurationFile(place) ? [place] : filesBelow(place)));
  return named.filter((file) => pattern === null || mayBoth(pattern, nameOf(file)));
}

/** The main file and the drop-ins that a walk through a folder meets. */
function filesBelow(folder: string): readonly string[] {
  if (!folder.startsWith("/")) return [];
  const above = folder === "/" ? folder : `${folder}/`;
  const usual = ["/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"].filter((file) =>
    file.startsWith(above),
  );
  return usual.length > 0 || !OWN_FOLDER.test(folder) ? usual : [fileIn(folder)];
}

function mayBoth(pattern: string, name: string): boolean {
  return matchesGlob(name, pattern) || (name === "*.conf" && matchesGlob(pattern, name));
}

/** What a program of another language has where it changes a file, starts another program, or leaves that to others. */
const MAY_CHANGE =
  /writ|>|`|["'][rb]?[wax+][bt+]*["']|open[ \t]{0,9}\([^)]{0,200},|renam|replac|unlink|remov|delet|copy|move|link|trunc|system|exec|eval|spawn|popen|process|\bFile\b|\bfs\b|dump|save|put|edit|inplace|^[ \t]*(?:setm?|rm|ins|mv|clear|touch|cp|store)[ \t]|\b(?:import|from|require|use|do)\b(?![ \t]+(?:sys|re|os|argparse|strict|warnings|,[ \t]*)+[ \t]*(?:;|$))/im;

/** What a program of another language is given. */
interface Given {
  readonly given: readonly string[];
  /** all values of all variables */
  readonly values: readonly string[];
  readonly at: string | null;
}

/** A program of another language, of this text, may do anything with a configuration that it names, or is given. */
export function changedByText(text: string, around: Given): readonly string[] {
  return MAY_CHANGE.test(text) ? namedWithin(text, around) : [];
}

const ASKS_VARIABLES = /environ|\bENV\b|getenv|process\.env/i;

/** So many folders at most: from each slash on another path may begin. */
const NAMED = /(?:\/[\w.-]+){0,40}\/sshd_config(?:\.d\/[\w.-]+)?/g;
/** Where a file may be copied to by its own name. */
const NAMED_FOLDER = /(?:\/[\w.-]+){0,40}\/ssh(?=\/?(?:["'`\s,;)]|$))/g;

/** The configurations that a text names, or is given by words or variables. */
function namedWithin(text: string, { given, values, at }: Given): readonly string[] {
  const all = [text, ...given].join(" ");
  // augtool(1) has the tree below /files
  const places = (all.match(NAMED) ?? []).map((file) => file.replace(/^\/files\//, "/"));
  const folders = all.match(NAMED_FOLDER) ?? [];
  const words = ASKS_VARIABLES.test(text) ? [...given, ...values] : given;
  return [...places, ...folders.flatMap(filled), ...words.flatMap((word) => written(placeOf(word, at)))];
}

/** "of=/etc/ssh/sshd_config", "template:/etc/ssh/sshd_config", "-O/etc/ssh/sshd_config" */
function pathIn(word: string): string {
  if (word.startsWith("-")) return word.replace(/^-[A-Za-z](?=\/)/, "");
  return word.slice(Math.max(word.lastIndexOf("="), word.lastIndexOf(":")) + 1);
}

/** Without what makes a folder of it. */
export function bare(word: string): string {
  let end = word.length;
  const has = (ending: string): boolean => end > ending.length && word.endsWith(ending, end);
  while (has("/") || has("/.")) end -= has("/") ? 1 : 2;
  return word.slice(0, end);
}

function copiedBy({ usage, acts }: Used, surroundings: Surroundings): readonly string[] {
  const given = acts.filter(({ role }) => role === "copy" || role === "move").map(({ word }) => word);
  const named = acts.find(({ role }) => role === "target")?.word;
  if (named === undefined) return [];
  // `ln -s FILE` comes to the working folder
  const [target, sources] = given.length === 0 ? [".", [named]] : [named, given];
  const place = placeOf(bare(target), surroundings.at);
  return sources.flatMap((source) => broughtBy(source, place, { usage, surroundings }));
}

interface Copying {
  readonly usage: Usage;
  readonly surroundings: Surroundings;
}

/** What comes to a file, or into a folder. */
function broughtBy(name: string, target: string, { usage, surroundings }: Copying): readonly string[] {
  if (isConfigurationFile(target)) return [target];
  const above = name.slice(0, name.lastIndexOf("/") + 1).replace(/^\/+/, "");
  const folder = usage.under === "path" ? bare(placeOf(above, target)) : target;
  // with -T a folder's content comes into the target, too
  const source = usage.under === "content" ? `${name}/.` : name;
  const isLacking = usage.adds === true && lacks(source, folder, { usage, surroundings });
  return brings(source, folder, usage) && !isLacking ? [fileIn(folder)] : [];
}

/**
 * A folder of the tree that has other things, but none of sshd's where it would bring them. What is empty may be
 * filled before: a volume is mounted there.
 */
function lacks(source: string, target: string, { usage, surroundings }: Copying): boolean {
  const { tree, at, edits } = surroundings;
  const path = placeOf(source, at);
  const isPattern = /[*?[]/.test(nameOf(path));
  const folder = isPattern ? path.slice(0, path.lastIndexOf("/")) : bare(path);
  if (!folder.startsWith("/") || edits.some((edit) => "file" in edit && edit.file.startsWith(`${folder}/`)))
    return false;
  const names = /[*?[\0]/.test(folder) ? [] : (tree.list(folder) ?? []);
  const isChild = !isContent(source, usage) && !isPattern && nameOf(folder) !== nameOf(target);
  return names.length > 0 && !holds(tree, folder, isChild ? placeOf(nameOf(folder), target) : target);
}

/** Whether a folder whose content comes into the target has a configuration for it. */
function holds(tree: FileTree, folder: string, target: string): boolean {
  if (target.endsWith("/sshd_config.d"))
    return (tree.list(folder) ?? []).some((name) => name.endsWith(".conf"));
  const inner = target === "/" ? "/etc/ssh" : target.endsWith("/etc") ? "/ssh" : "";
  return ["sshd_config", "sshd_config.d"].some(
    (name) => tree.stat(`${folder}${inner}/${name}`, { follow: false }) !== null,
  );
}

/** Whether a folder so named is copied without its own name. */
function isContent(source: string, { slash }: Usage): boolean {
  return /(?:^|\/)\.\/?$/.test(source) || (slash === true && source.endsWith("/"));
}

/** Whether this in a folder may be, or hold, the configuration. */
function brings(source: string, target: string, usage: Usage): boolean {
  const names = namesIn(target);
  if (names.length === 0) return false;
  if (isContent(source, usage)) return true;
  const name = nameOf(bare(source));
  if (name === COMPUTED) return OWN_FOLDER.test(target);
  // a folder in the place of another
  if (name === nameOf(target)) return true;
  return names.some((each) =>
    each === "*.conf" ? /(?:\.conf|[*?\]])$/.test(name) : name === each || matchesGlob(each, name),
  );
}

/** What in a folder leads to the configuration. */
function namesIn(folder: string): readonly string[] {
  if (folder === "/") return ["etc"];
  if (folder.endsWith("/etc")) return ["ssh"];
  if (folder.endsWith("/sshd_config.d")) return ["*.conf"];
  return folder.endsWith("/ssh") ? ["sshd_config", "sshd_config.d"] : [];
}

function fileIn(folder: string): string {
  if (folder === "/") return "/etc/ssh/sshd_config";
  if (folder.endsWith("/etc")) return `${folder}/ssh/sshd_config`;
  return folder.endsWith(".d") ? `${folder}/*.conf` : `${folder}/sshd_config`;
}
