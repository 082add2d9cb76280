/** An answer must not be written over what it is about. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { imageName } from "../files/image-name.ts";
import { argumentOf, latin1, MAIN } from "./paths.ts";
import type { TargetOptions } from "./target.ts";

/** The options of any command, as commander gives them. */
type Given = Readonly<Record<string, unknown>>;

/** Each with the options whose files it must spare; a new baseline may take the place of the old one. */
const WRITTEN: readonly (readonly [option: string, spared: readonly string[]])[] = [
  ["output", ["config", "baseline", "image", "accounts", "i"]],
  ["events", ["config", "baseline", "image", "accounts", "F", "i"]],
  ["writeBaseline", ["config", "image", "accounts"]],
];

/** Why a call is refused: a file that it would write is one that it reads, by whatever name. Null: none is. */
export async function overwritten(files: readonly string[], options: Given): Promise<string | null> {
  for (const [option, spared] of WRITTEN) {
    const [path] = textsOf(options[option]);
    const [identity] = path === undefined ? [] : identityOf(path);
    if (path === undefined || identity === undefined) continue;
    const named = [
      ...(files.length === 0 ? [MAIN] : files),
      ...spared.flatMap((one) =>
        textsOf(options[one]).map((text) => (one === "image" ? imageFile(text) : text)),
      ),
    ];
    const isRead =
      named.flatMap(identityOf).includes(identity) ||
      (mayBeSettings(path) &&
        (await configurationsOf(files, options)).flatMap(identityOf).includes(identity));
    if (!isRead) continue;
    const name = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${name} ${path} would overwrite a file that is read`;
  }
  return null;
}

/** An answer of the run before, in JSON or a markup, is written over without a look at what the files include. */
function mayBeSettings(path: string): boolean {
  try {
    const file = openSync(path, "r");
    const beginning = Buffer.alloc(64);
    const length = readSync(file, beginning);
    closeSync(file);
    return /^\s*[^\s{[<]/.test(beginning.toString("latin1", 0, length));
  } catch {
    return true;
  }
}

/** The files with all that they include, and those of a root. */
async function configurationsOf(files: readonly string[], options: Given): Promise<readonly string[]> {
  // what lies in an image is not written, and to look there takes its time
  if (options["image"] !== undefined) return [];
  const { openSources } = await import("./sources.ts");
  const opened = await openSources(files, options as TargetOptions);
  if ("misuse" in opened) return [];
  return opened.flatMap((target) =>
    "config" in target ? target.config.files.map(({ realPath }) => target.rootFolder + realPath) : [],
  );
}

function textsOf(value: unknown): string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === "string");
}

/** Device and inode of a plain file. A device or a pipe loses nothing; what cannot be looked at is refused when it is opened. */
/** Without the name behind its colon. */
function imageFile(given: string): string {
  return argumentOf(Buffer.from(imageName(latin1(given)).path, "latin1"));
}

function identityOf(path: string): string[] {
  try {
    const status = statSync(path);
    return status.isFile() ? [`${status.dev}:${status.ino}`] : [];
  } catch {
    return [];
  }
}
