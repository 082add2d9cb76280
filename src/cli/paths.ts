/** Paths inside a tree: bytes, one character each, with slashes. */

import { readlinkSync } from "node:fs";
import { resolve } from "node:path";

/** Where sshd looks where nothing says otherwise (pathnames.h). */
export const MAIN: string = "/etc/ssh/sshd_config";

/** A command line argument as its bytes, one character each. */
export function latin1(argument: string): string {
  if (!/[\udc80-\udcff]/u.test(argument)) return Buffer.from(argument, "utf8").toString("latin1");
  return argument
    .split(/([\udc80-\udcff])/u)
    .map((part, at) => (at % 2 === 0 ? latin1(part) : String.fromCharCode(part.charCodeAt(0) - ODD)))
    .join("");
}

/** What is no UTF-8 stands as lone surrogates, U+DC80 to U+DCFF: Python's surrogateescape (PEP 383). */
const ODD = 0xdc00;
/** One character as UTF-8 has it (RFC 3629, section 4), or in a group one byte that belongs to none. */
const CHARACTER =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|([\x80-\xff])/g;

/** The argument whose bytes these are: latin1 turns it back. */
export function argumentOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("utf8");
  if (!text.includes("\ufffd")) return text;
  return Buffer.from(bytes)
    .toString("latin1")
    .replace(CHARACTER, (character, odd: string | undefined) =>
      odd === undefined
        ? Buffer.from(character, "latin1").toString("utf8")
        : String.fromCharCode(ODD + odd.charCodeAt(0)),
    );
}

/** An argument as an absolute path. */
export function absolute(argument: string): string {
  return resolve("/", argument.startsWith("/") ? "" : currentFolder(), latin1(argument));
}

/** Node.js decodes the name of the current folder with loss, too. */
export function currentFolder(): string {
  const folder = process.cwd();
  if (!folder.includes("\ufffd")) return latin1(folder);
  try {
    return readlinkSync("/proc/self/cwd", "buffer").toString("latin1");
  } catch {
    return latin1(folder);
  }
}
