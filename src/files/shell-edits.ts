/** What a script does to a configuration of sshd before sshd reads it: that it is changed is seen, not what becomes of it. */
import { posix } from "node:path";
import { matchesGlob } from "./glob.ts";
import { COMPUTED } from "./shell-expand.ts";
import { nameOf, onlyNames } from "./shell-programs.ts";

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
]);
/** They take a whole folder away, or put another in its place. */
const WITH_FOLDERS = new Set("rm mount".split(" "));
/** They print what they read, besides those that `onlyNames` knows. */
const READING = new Set(
  "diff cmp head tail cut sort uniq wc md5sum sha256sum envsubst tr ssh chattr find less more base64 nl column".split(
    " ",
  ),
);

/** Behind a launcher its name is enough, wherever it lies. */
export function isEditor(word: string): boolean {
  return (
    COPYING.has(word) || IN_PLACE.has(word) || WITH_FOLDERS.has(word) || /^(?:tee|augtool|tar)$/.test(word)
  );
}

/** The configurations that a program with these words changes; `at`: its working folder, null where nobody knows it. */
export function changedBy([program = "", ...args]: readonly string[], at: string | null): readonly string[] {
  const name = nameOf(program);
  // it reads what to do from its input, too, and finds sshd's file by itself
  if (name === "augtool") return ["/etc/ssh/sshd_config"];
  if (COPYING.has(name)) return copiedBy(name, args, at);
  if (name === "tar") return extractedTo(args);
  const inPlace = IN_PLACE.get(name);
  const reads =
    inPlace === undefined ? READING.has(name) || isNaming(name) : !args.some((word) => inPlace.test(word));
  if (reads) return [];
  const folders = WITH_FOLDERS.has(name) ? args.map((word) => placeOf(bare(word), at)) : [];
  return [
    ...args.map((word) => placeOf(pathIn(word), at)).filter(isConfigurationFile),
    ...folders.filter((word) => OWN_FOLDER.test(word)).map(fileIn),
  ];
}

/** Where a name leads; a relative one stays where nobody knows the working folder. */
export function placeOf(name: string, at: string | null): string {
  const isRelative = !name.startsWith("/");
  if (isRelative && (at === null || name === "" || name.startsWith("-"))) return name;
  return posix.normalize(isRelative ? `${at}/${name}` : name);
}

/** A program of another language that speaks of the configuration may do anything with it. */
export function changedByText(args: readonly string[]): readonly string[] {
  return args.join(" ").match(/(?:\/[\w.-]+)*\/sshd_config(?:\.d\/[\w.-]+)?/g) ?? [];
}

function isNaming(name: string): boolean {
  return onlyNames(name) && name !== "rm";
}

/** "of=/etc/ssh/sshd_config", "template:/etc/ssh/sshd_config" */
function pathIn(word: string): string {
  return word.startsWith("-") ? word : word.slice(Math.max(word.lastIndexOf("="), word.lastIndexOf(":")) + 1);
}

/** Without what makes a folder of it. */
function bare(word: string): string {
  return word.replace(/(?!^)(?:\/\.?)+$/, "");
}

function copiedBy(name: string, args: readonly string[], at: string | null): readonly string[] {
  // rsync's -t keeps times
  const option =
    name === "rsync" ? -1 : args.findIndex((word) => /^(?:-[a-zA-Z]*t|--target-directory)$/.test(word));
  const words = args.filter(
    (word, index) => !word.startsWith("-") && (option === -1 || index !== option + 1),
  );
  const named = optionIn(args, option, "--target-directory");
  const target = placeOf(bare(named ?? words.at(-1) ?? ""), at);
  const sources = named === null ? words.slice(0, -1) : words;
  const taken = name === "mv" ? sources.map((word) => placeOf(word, at)).filter(isConfigurationFile) : [];
  if (isConfigurationFile(target)) return [target, ...taken];
  return sources.some((source) => brings(source, target, name)) ? [fileIn(target), ...taken] : taken;
}

/** What an option is given: behind `long=`, or as the word behind the one at `option`; null: it is not there. */
function optionIn(args: readonly string[], option: number, long: string): string | null {
  const joined = args.find((word) => word.startsWith(`${long}=`))?.slice(long.length + 1);
  return joined ?? (option === -1 ? null : (args[option + 1] ?? ""));
}

/** Whether this in a folder may be, or hold, the configuration. */
function brings(source: string, target: string, program: string): boolean {
  const names = namesIn(target);
  if (names.length === 0) return false;
  if (source.endsWith("/.") || (program === "rsync" && source.endsWith("/"))) return true;
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

/** tar(1): where nothing says to which folder, it is the one where the script is, which nobody knows. */
function extractedTo(args: readonly string[]): readonly string[] {
  const [first = ""] = args;
  const extracts =
    /^-?[A-Za-z]*x/.test(first) || args.some((word) => /^(?:-[A-Za-z]*x|--extract$|--get$)/.test(word));
  const option = args.findIndex((word) => /^(?:-[A-Za-z]*C|--directory)$/.test(word));
  const named = optionIn(args, option, "--directory");
  if (!extracts || named === null || !named.startsWith("/")) return [];
  const folder = placeOf(bare(named), null);
  return namesIn(folder).length === 0 ? [] : [fileIn(folder)];
}
