/** Headers of tar entries of the plainest kind, looked at by WebAssembly, which is fast from the first one on. */
import { PLAIN_HEADER } from "./plain-header.generated.ts";
import { BLOCK } from "./tar-header.ts";

export interface PlainHeaders {
  /** where headers are put to be looked at, 64 KiB */
  readonly memory: Buffer;
  /** its beginnings: a header, two, four … all of it; for readvSync, which looks at its arguments for less long than readSync */
  readonly parts: readonly (readonly [Buffer])[];
  /** What a header in memory says, as plain-header.wat puts it in a number; 0 when it is not plain. */
  readonly plain: (start: number) => number;
  /** of a plain header of a file: blocks to the next one */
  readonly blocks: (start: number) => number;
  /** remembers the folder whose name, with its slash, is the first `length` bytes of the header's */
  readonly remember: (start: number, length: number) => void;
  readonly forget: () => void;
}

type Exports = Omit<PlainHeaders, "memory" | "parts"> & { readonly memory: { readonly buffer: ArrayBuffer } };

const MEMORY = 64 * 1024;
let opened: PlainHeaders | null | undefined;

/** The one of this thread. Null where Node.js has no WebAssembly (`--jitless`), no room for it, or a processor without its vectors. */
export function plainHeaders(): PlainHeaders | null {
  if (opened === undefined) opened = open();
  return opened;
}

function open(): PlainHeaders | null {
  try {
    const module = new WebAssembly.Module(Buffer.from(PLAIN_HEADER, "base64"));
    const {
      memory: pages,
      plain,
      blocks,
      remember,
      forget,
    } = new WebAssembly.Instance<Exports>(module).exports;
    const memory = Buffer.from(pages.buffer, 0, MEMORY);
    const parts = Array.from({ length: 8 }, (_, index) => [memory.subarray(0, BLOCK << index)] as const);
    return { memory, parts, plain, blocks, remember, forget };
  } catch {
    return null;
  }
}
