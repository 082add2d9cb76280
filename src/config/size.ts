/**
 * The size of a configuration as sshd hands it to its session processes (OpenSSH sshd.c pack_config): from 10.1 one
 * above 4 MiB less 64 KiB is refused; 10.0 accepts any and then loses every connection above about 256 KiB.
 */
import { atLeast, type Release } from "../../grammar/release.ts";
import type { Place } from "../source/source.ts";
import type { Problem } from "./config.ts";

/** monitor.h MONITOR_MAX_CFGLEN */
const MOST_BYTES = 4_128_768;
/** of the main file; upstream's build gives up at 262,013, Debian's at 261,994 */
const MOST_BYTES_OF_10_0 = 261_993;

export interface SizedFile {
  readonly pattern: string;
  /** as sshd names it; null: nothing matched the pattern */
  readonly path: string | null;
  readonly text: string;
}

/** `included`: once for each pattern and file, as sshd keeps them. */
export function sizeProblem(
  main: { readonly text: string; readonly place: Place },
  included: readonly SizedFile[],
  release: Release,
): Problem | null {
  if (!atLeast(release, "10.0")) return null;
  const limit = atLeast(release, "10.1") ? MOST_BYTES : MOST_BYTES_OF_10_0;
  const unstripped = included.reduce(
    (sum, file) => sum + packedLength(file, file.text.length),
    main.text.length,
  );
  if (unstripped + 64 <= limit) return null;
  const size = included.reduce(
    (sum, file) => sum + packedLength(file, file.path === null ? 0 : strippedLength(file.text)),
    0,
  );
  const have = 5 + 4 + strippedLength(main.text) + 8 + 4 + size;
  if (have <= limit) return null;
  const where = { place: main.place, sshdLine: 0 };
  if (!atLeast(release, "10.1"))
    return {
      ...where,
      code: "size-lockout",
      weight: "silent",
      sshdText: "",
      message: "sshd -t accepts it, but 10.0 resets every connection above about 256 KiB of configuration",
    };
  const text = `Configuration file is too large (have ${have}, max ${MOST_BYTES})`;
  return { ...where, code: "too-large", weight: "fatal", sshdText: text, message: text };
}

function packedLength({ pattern, path }: SizedFile, length: number): number {
  return 4 + pattern.length + 4 + (path?.length ?? 0) + 4 + length;
}

/** servconf.c load_server_config: white space in front of a line and all from a NUL on are not kept; one NUL ends it. */
function strippedLength(text: string): number {
  let length = 1;
  for (const [line] of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const start = /^[ \t\r]*/.exec(line)?.[0].length ?? 0;
    const nul = line.indexOf("\0", start);
    length += (nul === -1 ? line.length : nul) - start;
  }
  return length;
}
