/** An answer must not be written over what it is about. */
import { statSync } from "node:fs";
import { MAIN } from "./paths.ts";

/** The options of any command, as commander gives them. */
type Given = Readonly<Record<string, unknown>>;

/** Each with the options whose files it must spare; a new baseline may take the place of the old one. */
const WRITTEN: readonly (readonly [option: string, spared: readonly string[]])[] = [
  ["output", ["config", "baseline", "image", "accounts"]],
  ["events", ["config", "baseline", "image", "accounts", "F"]],
  ["writeBaseline", ["config", "image", "accounts"]],
];

/** Why a call is refused: a file that it would write is one that it reads, by whatever name. Null: none is. */
export function overwritten(files: readonly string[], options: Given): string | null {
  for (const [option, spared] of WRITTEN) {
    const [path] = textsOf(options[option]);
    const [identity] = path === undefined ? [] : identityOf(path);
    if (identity === undefined) continue;
    const read = [
      ...(files.length === 0 ? [MAIN] : files),
      ...spared.flatMap((one) => textsOf(options[one])),
    ];
    if (!read.flatMap(identityOf).includes(identity)) continue;
    const name = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${name} ${path} would overwrite a file that is read`;
  }
  return null;
}

function textsOf(value: unknown): string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

/** Device and inode of a plain file. A device or a pipe loses nothing; what cannot be looked at is refused when it is opened. */
function identityOf(path: string): string[] {
  try {
    const status = statSync(path);
    return status.isFile() ? [`${status.dev}:${status.ino}`] : [];
  } catch {
    return [];
  }
}
