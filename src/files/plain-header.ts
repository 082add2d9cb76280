/** Headers of tar entries of the plainest kind, looked at by WebAssembly, which is fast from the first one on. */
import { PLAIN_HEADER } from "./plain-header.generated.ts";
import { BLOCK } from "./tar-header.ts";

export interface PlainHeaders {
  /** where headers are put to be looked at, 64 KiB */
  readonly memory: Buffer;
  /** its beginnings: a header, two, four … all of it; for readvSync */
  readonly parts: readonly (readonly [Buffer])[];
  /**
   * How many blocks it is from the plain header at this place in memory to the next one; negative where its entry may be
   * of interest. 0 for a header that is not plain.
   */
  readonly look: (start: number) => number;
  /** No file is of interest that is in the folder whose name, with its slash, is the first `length` bytes of the header's. */
  readonly pass: (start: number, length: number) => void;
  readonly forget: () => void;
}

type Exports = Omit<PlainHeaders, "memory" | "parts"> & { readonly memory: { readonly buffer: ArrayBuffer } };

const MEMORY = 64 * 1024;
let opened: PlainHeaders | null | undefined;

/** The one of this thread. Null where Node.js has no WebAssembly (`--jitless`) or no room for it. */
export function plainHeaders(): PlainHeaders | null {
  if (opened === undefined) opened = open();
  return opened;
}

function open(): PlainHeaders | null {
  try {
    const module = new WebAssembly.Module(Buffer.from(PLAIN_HEADER, "base64"));
    const { memory: pages, look, pass, forget } = new WebAssembly.Instance<Exports>(module).exports;
    const memory = Buffer.from(pages.buffer, 0, MEMORY);
    const parts = Array.from({ length: 8 }, (_, index) => [memory.subarray(0, BLOCK << index)] as const);
    return { memory, parts, look, pass, forget };
  } catch {
    return null;
  }
}
