/**
 * Headers of tar entries of the plainest kind, read and looked at by WebAssembly, which is fast from the first one on and reads
 * by node:wasi, without JavaScript of Node.js, ours or V8's second compiler in between.
 */
import { PLAIN_HEADER } from "./plain-header.generated.ts";

export interface PlainHeaders {
  /** where headers are looked at, 64 KiB: bytes of the file between `from` and `to` */
  readonly memory: Buffer;
  readonly from: () => number;
  readonly to: () => number;
  /** The places between which `next` looks at headers; what was read stays. */
  readonly between: (at: number, end: number) => void;
  /**
   * Where in memory the next header is whose entry may be of interest; all before it are plain and passed. -1 where that is not
   * known: at the end, and at a header that is not plain or cannot be read.
   */
  readonly next: () => number;
  /** the place of the header that `next` was at last */
  readonly seen: () => number;
  /**
   * How many blocks it is from the plain header at this place in memory to the next one; negative where its entry may be
   * of interest. 0 for a header that is not plain.
   */
  readonly look: (start: number) => number;
  /** No file is of interest that is in the folder whose name, with its slash, is the first `length` bytes of the header's. */
  readonly pass: (start: number, length: number) => void;
  /** For another walk. */
  readonly forget: () => void;
}

type Exports = Omit<PlainHeaders, "memory"> & { readonly memory: { readonly buffer: ArrayBuffer } };

const MEMORY = 64 * 1024;
const opened = new Map<number, PlainHeaders | null>();
let compiled: WebAssembly.Module | undefined;

/** Of an open file, in this thread. Null where Node.js has no WebAssembly (`--jitless`) or lets it read no files (`--permission`). */
export function plainHeaders(handle: number): PlainHeaders | null {
  // a handle that was closed may be another file's now: what is read is that one, too
  const known = opened.get(handle);
  if (known !== undefined) return known;
  const made = open(handle);
  opened.set(handle, made);
  return made;
}

function open(handle: number): PlainHeaders | null {
  try {
    const { WASI } = wasi();
    const file = new WASI({ version: "preview1", stdin: handle });
    compiled ??= new WebAssembly.Module(Buffer.from(PLAIN_HEADER, "base64"));
    const instance = new WebAssembly.Instance<Exports>(compiled, file.getImportObject());
    file.initialize(instance);
    const { memory, ...functions } = instance.exports;
    return { ...functions, memory: Buffer.from(memory.buffer, 0, MEMORY) };
  } catch {
    return null;
  }
}

/** Node.js warns of its being an experiment: without it the headers are read, too, slower. */
function wasi(): typeof import("node:wasi") {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:wasi");
  } finally {
    process.emitWarning = emitWarning;
  }
}
