/** What a script does to a configuration of sshd before sshd reads it: that it is changed is seen, not what becomes of it. */
import { COMPUTED } from "./shell-expand.ts";
import { nameOf, onlyNames } from "./shell-programs.ts";

/** sshd_config by whatever folder, and drop-ins. */
const CONFIGURATION = /(?:^|[/:=])sshd_config(?:\.d\/[^/]*)?$/;

export function isConfigurationFile(path: string): boolean {
  return CONFIGURATION.test(path);
}

/** Their last word is what they write. */
const COPYING = new Set("cp mv ln install rsync".split(" "));
/** They change files in place with this option alone. */
const IN_PLACE: ReadonlyMap<string, RegExp> = new Map([
  ["sed", /^-[a-zA-Z]*i|^--in-place/],
  ["perl", /^-[a-zA-Z0]*i/],
  ["awk", /^-i|^inplace$/],
]);
/** They print what they read, besides those that `onlyNames` knows. */
const READING = new Set(
  "diff cmp head tail cut sort uniq wc md5sum sha256sum envsubst tr ssh chattr find less more tar base64 nl column".split(
    " ",
  ),
);

/** Behind a launcher its name is enough, wherever it lies. */
export function isEditor(word: string): boolean {
  return COPYING.has(word) || IN_PLACE.has(word) || word === "tee" || word === "augtool";
}

/** The configuration that a program with these words changes; null: none. */
export function changedBy([program = "", ...args]: readonly string[]): string | null {
  const name = nameOf(program);
  // it reads what to do from its input, too, and finds sshd's file by itself
  if (name === "augtool") return "/etc/ssh/sshd_config";
  if (COPYING.has(name)) return copiedTo(args);
  const inPlace = IN_PLACE.get(name);
  const reads =
    inPlace === undefined ? READING.has(name) || isNaming(name) : !args.some((word) => inPlace.test(word));
  return reads ? null : (args.map(pathIn).find(isConfigurationFile) ?? null);
}

function isNaming(name: string): boolean {
  return onlyNames(name) && name !== "rm";
}

/** "of=/etc/ssh/sshd_config", "template:/etc/ssh/sshd_config" */
function pathIn(word: string): string {
  return word.startsWith("-") ? word : word.slice(Math.max(word.lastIndexOf("="), word.lastIndexOf(":")) + 1);
}

function copiedTo(args: readonly string[]): string | null {
  const words = args.filter((word) => !word.startsWith("-"));
  const target = (words.at(-1) ?? "").replace(/\/$/, "");
  if (isConfigurationFile(target)) return target;
  const sources = words.slice(0, -1).map(nameOf);
  const isWhole = sources.some(
    (source) => source === "sshd_config" || /[*?[]/.test(source) || source === COMPUTED,
  );
  return isWhole && /\/ssh(?:\/sshd_config\.d)?$/.test(target) ? `${target}/sshd_config` : null;
}
