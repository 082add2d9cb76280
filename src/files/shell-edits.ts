/** What a script does to a configuration of sshd before sshd reads it: that it is changed is seen, not what becomes of it. */
import { posix } from "node:path";
import { matchesGlob } from "./glob.ts";
import { COMPUTED } from "./shell-expand.ts";
import { nameOf, onlyNames } from "./shell-programs.ts";
import type { Edit } from "./shell-reading.ts";
import type { FileTree } from "./tree.ts";

/** sshd_config by whatever folder, and drop-ins. */
const CONFIGURATION = /(?:^|[/:=])sshd_config(?:\.d\/[^/]*)?$/;

export function isConfigurationFile(path: string): boolean {
  return CONFIGURATION.test(path);
}

/** Where sshd_config lies, and its drop-ins. */
const OWN_FOLDER = /\/ssh(?:\/sshd_config\.d)?$/;

/** Their last word is what they write. */
const COPYING = new Set("cp mv ln install rsync".split(" "));
/** They change files in place with this option alone. */
const IN_PLACE: ReadonlyMap<string, RegExp> = new Map([
  ["sed", /^-[a-zA-Z]*i|^--in-place/],
  ["perl", /^-[a-zA-Z0]*i/],
  ["awk", /^-i|^inplace$/],
  ["gawk", /^-i|^inplace$/],
]);
/** sed(1) and awk(1) write files from inside their programs, too. */
const WRITTEN_WITHIN = /(?:\bw[ \t]+|>[ \t]*"?)(\/[\w./-]*sshd_config(?:\.d\/[\w.-]+)?)/g;
/** The option that names the folder in which they unpack or change what an archive or a patch says. */
const INTO_FOLDER: ReadonlyMap<string, RegExp> = new Map([
  ["tar", /^(?:-[A-Za-z]*C|--directory=?)/],
  ["bsdtar", /^(?:-[A-Za-z]*C|--directory=?)/],
  ["unzip", /^-d/],
  ["cpio", /^(?:-D|--directory=?)/],
  ["patch", /^(?:-d|--directory=?)/],
]);
/** They take a whole folder away, or put another in its place. */
const WITH_FOLDERS = new Set("rm mount".split(" "));
/** They print what they read, besides those that `onlyNames` knows. */
const READING = new Set(
  [
    "diff cmp head tail cut sort uniq wc md5sum sha1sum sha256sum sha512sum cksum envsubst tr ssh chattr lsattr find",
    "less more base64 nl column egrep fgrep zgrep rg mawk od xxd hexdump strings readlink realpath basename dirname",
    "getfacl setfacl inotifywait ssh-audit sshd-policy lynis",
  ].flatMap((names) => names.split(" ")),
);

/** Behind a launcher its name is enough, wherever it lies. */
export function isEditor(word: string): boolean {
  return (
    COPYING.has(word) ||
    IN_PLACE.has(word) ||
    WITH_FOLDERS.has(word) ||
    INTO_FOLDER.has(word) ||
    /^(?:tee|augtool)$/.test(word)
  );
}

/** Where a program runs. */
interface Surroundings {
  readonly tree: FileTree;
  /** the working folder; null where nobody knows it */
  readonly at: string | null;
  /** what was changed before */
  readonly edits: readonly Edit[];
}

/** The configurations that a program with these words changes. */
export function changedBy(
  [program = "", ...args]: readonly string[],
  surroundings: Surroundings,
): readonly string[] {
  const { at } = surroundings;
  const name = nameOf(program);
  // it reads what to do from its input, too, and finds sshd's file by itself
  if (name === "augtool") return ["/etc/ssh/sshd_config"];
  if (COPYING.has(name)) return copiedBy(name, args, surroundings);
  const option = INTO_FOLDER.get(name);
  const unpacked = option === undefined ? [] : unpackedTo(name, args, { option, at });
  if (/tar$/.test(name) && option !== undefined) return unpacked;
  const inPlace = IN_PLACE.get(name);
  const reads =
    inPlace === undefined ? READING.has(name) || isNaming(name) : !args.some((word) => inPlace.test(word));
  if (reads) return inPlace === undefined ? [] : args.flatMap(writtenWithin);
  const folders = WITH_FOLDERS.has(name) ? args.map((word) => placeOf(bare(word), at)) : [];
  return [
    ...unpacked,
    ...args.flatMap((word) => matched(placeOf(pathIn(word), at))).filter(isConfigurationFile),
    ...folders.filter((word) => OWN_FOLDER.test(word)).map(fileIn),
  ];
}

/** Where a name leads; a relative one stays where nobody knows the working folder. */
export function placeOf(name: string, at: string | null): string {
  const isRelative = !name.startsWith("/");
  if (isRelative && (at === null || name === "" || name.startsWith("-"))) return name;
  return posix.normalize(isRelative ? `${at}/${name}` : name);
}

function writtenWithin(program: string): readonly string[] {
  return [...program.matchAll(WRITTEN_WITHIN)].map(([, file = ""]) => file);
}

/** `/etc/ssh/*` is the main file, among others. */
function matched(path: string): readonly string[] {
  const name = nameOf(path);
  const folder = path.slice(0, path.lastIndexOf("/"));
  const isMain = folder.endsWith("/ssh") && /[*?[]/.test(name) && matchesGlob("sshd_config", name);
  return isMain ? [`${folder}/sshd_config`] : [path];
}

/** The configurations that `find`, `grep -l` or `echo` with these words names for another program; `at` as above. */
export function namedBy([program = "", ...args]: readonly string[], at: string | null): readonly string[] {
  const isFind = nameOf(program) === "find";
  const test = isFind ? args.findIndex((word) => /^-i?(?:name|wholename|path)$/.test(word)) : -1;
  const pattern = test === -1 ? null : nameOf(args[test + 1] ?? "");
  if (isFind && args.some((word, index) => word === "d" && args[index - 1] === "-type")) return [];
  const end = isFind ? args.findIndex((word) => /^[-(!]/.test(word)) : -1;
  const places = (end === -1 ? args : args.slice(0, end)).map((word) => placeOf(bare(word), at));
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
  /writ|>|`|["'][rb]?[wax+][bt+]*["']|open[ \t]{0,9}\([^)]{0,200},|renam|replac|unlink|remov|delet|copy|move|link|trunc|system|exec|eval|spawn|popen|process|\bFile\b|\bfs\b|dump|save|put|edit|inplace|\b(?:import|from|require|use|do)\b(?![ \t]+(?:sys|re|os|argparse|strict|warnings|,[ \t]*)+[ \t]*(?:;|$))/im;

/** Whether a program of another language, of this text, leaves the files that it is given as they are. */
export function onlyReads(args: readonly string[], text: string): boolean {
  return !args.some((word) => /^-[a-zA-Z0]*i/.test(word)) && !MAY_CHANGE.test(text);
}

/** A program of another language that speaks of the configuration may do anything with it. */
export function changedByText(args: readonly string[]): readonly string[] {
  return args.join(" ").match(/(?:\/[\w.-]+)*\/sshd_config(?:\.d\/[\w.-]+)?/g) ?? [];
}

function isNaming(name: string): boolean {
  return onlyNames(name) && name !== "rm";
}

/** "of=/etc/ssh/sshd_config", "template:/etc/ssh/sshd_config", "-O/etc/ssh/sshd_config" */
function pathIn(word: string): string {
  if (word.startsWith("-")) return word.replace(/^-[A-Za-z](?=\/)/, "");
  return word.slice(Math.max(word.lastIndexOf("="), word.lastIndexOf(":")) + 1);
}

/** Without what makes a folder of it. */
function bare(word: string): string {
  return word.replace(/(?!^)(?:\/\.?)+$/, "");
}

function copiedBy(name: string, args: readonly string[], surroundings: Surroundings): readonly string[] {
  const { at } = surroundings;
  // rsync's -t keeps times
  const option =
    name === "rsync" ? -1 : args.findIndex((word) => /^(?:-[a-zA-Z]*t|--target-directory)$/.test(word));
  const words = args.filter(
    (word, index) => !word.startsWith("-") && (option === -1 || index !== option + 1),
  );
  const named = optionIn(args, option, "--target-directory");
  const target = placeOf(bare(named ?? words.at(-1) ?? ""), at);
  const isPlace =
    name !== "rsync" && args.some((word) => /^(?:-[a-zA-Z]*T|--no-target-directory$)/.test(word));
  const given = named === null ? words.slice(0, -1) : words;
  // with -T a folder's content comes into the target, too
  const sources = isPlace ? given.map((word) => `${word}/.`) : given;
  const taken = name === "mv" ? sources.map((word) => placeOf(word, at)).filter(isConfigurationFile) : [];
  if (isConfigurationFile(target)) return [target, ...taken];
  const isAdding = name === "cp" || (name === "rsync" && !args.some((word) => word.startsWith("--del")));
  const brought = sources.filter(
    (source) => brings(source, target, name) && !(isAdding && lacks(source, { target, name }, surroundings)),
  );
  return brought.length > 0 ? [fileIn(target), ...taken] : taken;
}

/**
 * A folder of the tree that has other things, but none of sshd's where it would bring them. What is empty may be
 * filled before: a volume is mounted there.
 */
function lacks(
  source: string,
  { target, name }: { readonly target: string; readonly name: string },
  { tree, at, edits }: Surroundings,
): boolean {
  const path = placeOf(source, at);
  const isPattern = /[*?[]/.test(nameOf(path));
  const folder = isPattern ? path.slice(0, path.lastIndexOf("/")) : bare(path);
  if (!folder.startsWith("/") || edits.some(({ file }) => file.startsWith(`${folder}/`))) return false;
  const names = /[*?[\0]/.test(folder) ? [] : (tree.list(folder) ?? []);
  const isChild = !isContent(source, name) && !isPattern && nameOf(folder) !== nameOf(target);
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

/** What an option is given: behind `long=`, or as the word behind the one at `option`; null: it is not there. */
function optionIn(args: readonly string[], option: number, long: string): string | null {
  const joined = args.find((word) => word.startsWith(`${long}=`))?.slice(long.length + 1);
  return joined ?? (option === -1 ? null : (args[option + 1] ?? ""));
}

/** Whether a folder so named is copied without its own name. */
function isContent(source: string, program: string): boolean {
  return /(?:^|\/)\.\/?$/.test(source) || (program === "rsync" && source.endsWith("/"));
}

/** Whether this in a folder may be, or hold, the configuration. */
function brings(source: string, target: string, program: string): boolean {
  const names = namesIn(target);
  if (names.length === 0) return false;
  if (isContent(source, program)) return true;
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

/** Where nothing says to which folder, it is the working folder. */
function unpackedTo(
  name: string,
  args: readonly string[],
  { option, at }: { readonly option: RegExp; readonly at: string | null },
): readonly string[] {
  const [first = ""] = args;
  const unpacks =
    !name.endsWith("tar") ||
    /^-?[A-Za-z]*x/.test(first) ||
    args.some((word) => /^(?:-[A-Za-z]*x|--extract$|--get$)/.test(word));
  const index = args.findIndex((word) => option.test(word));
  const joined = args[index]?.replace(option, "") ?? "";
  const named = index === -1 ? (at ?? "") : joined === "" ? (args[index + 1] ?? "") : joined;
  const folder = placeOf(bare(named), at);
  if (!unpacks || !folder.startsWith("/")) return [];
  return namesIn(folder).length === 0 ? [] : [fileIn(folder)];
}
