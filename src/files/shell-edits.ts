/** What a script does to a configuration of sshd before sshd reads it: that it is changed is seen, not what becomes of it. */
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

/** The configuration that a program with these words changes; null: none. */
export function changedBy([program = "", ...args]: readonly string[]): string | null {
  const name = nameOf(program);
  // it reads what to do from its input, too, and finds sshd's file by itself
  if (name === "augtool") return "/etc/ssh/sshd_config";
  if (COPYING.has(name)) return copiedTo(name, args);
  if (name === "tar") return extractedTo(args);
  const inPlace = IN_PLACE.get(name);
  const reads =
    inPlace === undefined ? READING.has(name) || isNaming(name) : !args.some((word) => inPlace.test(word));
  if (reads) return null;
  const folder = WITH_FOLDERS.has(name) ? args.map(bare).find((word) => OWN_FOLDER.test(word)) : undefined;
  return args.map(pathIn).find(isConfigurationFile) ?? (folder === undefined ? null : fileIn(folder));
}

/** A program of another language that speaks of the configuration may do anything with it. */
export function changedByText(args: readonly string[]): string | null {
  return /(?:\/[\w.-]+)*\/sshd_config(?:\.d\/[\w.-]+)?/.exec(args.join(" "))?.[0] ?? null;
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
  return word.replace(/(?:\/\.?)+$/, "");
}

function copiedTo(name: string, args: readonly string[]): string | null {
  const option = args.findIndex((word) => word === "-t" || word === "--target-directory");
  const joined = args.find((word) => word.startsWith("--target-directory="))?.replace(/^[^=]*=/, "");
  const words = args.filter((word, at) => !word.startsWith("-") && (option === -1 || at !== option + 1));
  const named = joined ?? (option === -1 ? null : (args[option + 1] ?? ""));
  const target = bare(named ?? words.at(-1) ?? "");
  if (isConfigurationFile(target)) return target;
  const sources = named === null ? words.slice(0, -1) : words;
  return sources.some((source) => brings(source, target, name)) ? fileIn(target) : null;
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
  if (folder === "") return ["etc"];
  if (folder.endsWith("/etc")) return ["ssh"];
  if (folder.endsWith("/sshd_config.d")) return ["*.conf"];
  return folder.endsWith("/ssh") ? ["sshd_config", "sshd_config.d"] : [];
}

function fileIn(folder: string): string {
  if (folder === "") return "/etc/ssh/sshd_config";
  if (folder.endsWith("/etc")) return `${folder}/ssh/sshd_config`;
  return folder.endsWith(".d") ? `${folder}/*.conf` : `${folder}/sshd_config`;
}

/** tar(1): where nothing says to which folder, it is the one where the script is, which nobody knows. */
function extractedTo(args: readonly string[]): string | null {
  const [first = ""] = args;
  const extracts =
    /^-?[A-Za-z]*x/.test(first) || args.some((word) => /^(?:-[A-Za-z]*x|--extract$|--get$)/.test(word));
  const option = args.findIndex((word) => /^(?:-[A-Za-z]*C|--directory)$/.test(word));
  const joined = args.find((word) => word.startsWith("--directory="))?.replace(/^[^=]*=/, "");
  const folder = joined ?? (option === -1 ? null : (args[option + 1] ?? ""));
  if (!extracts || folder === null || !folder.startsWith("/")) return null;
  return namesIn(bare(folder)).length === 0 ? null : fileIn(bare(folder));
}
