/**
 * The files that a client goes by: configuration, known_hosts, keys. Each is read once, whoever asks for it: a pipe
 * (`-F <(…)`) gives what it has but once, and all hosts on the way are to be judged by the same text.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { isNotYet } from "./failure.ts";

export interface ClientFile {
  readonly bytes: Buffer;
  readonly uid: number;
  readonly mode: number;
}

export interface ClientFiles {
  /** Throws as node:fs does, and the same each time. */
  readonly read: (path: string) => ClientFile;
  /** Makes the file, and its folder, where they are missing. */
  readonly append: (path: string, text: string) => void;
}

/** `note` hears of what takes long. */
export function openClientFiles(note: (text: string) => void): ClientFiles {
  const known = new Map<string, () => ClientFile>();
  const remember = (path: string): (() => ClientFile) => {
    const result = attempt(() => readNow(path, note));
    known.set(path, result);
    return result;
  };
  return {
    read: (path) => (known.get(path) ?? remember(path))(),
    append: (path, text) => {
      // to write to it would be to wait for a reader
      if (statSync(path, { throwIfNoEntry: false })?.isFIFO() === true) throw new Error("it is a pipe");
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      appendFileSync(path, text, { mode: 0o600 });
      known.delete(path);
    },
  };
}

function attempt<T>(make: () => T): () => T {
  try {
    const made = make();
    return () => made;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function readNow(path: string, note: (text: string) => void): ClientFile {
  const status = statSync(path);
  const { uid, mode } = status;
  return { bytes: bytesOf(path, status, note), uid, mode };
}

function bytesOf(path: string, status: Stats, note: (text: string) => void): Buffer {
  if (status.isFIFO()) return readPipe(path, note);
  if (!status.isCharacterDevice()) return readFileSync(path);
  // /dev/zero has no end, and a terminal none that we would know of
  if (status.rdev !== statSync("/dev/null").rdev) throw new Error("it is a device");
  return Buffer.alloc(0);
}

const POLL_MS = 20;
const LONG_MS = 1_000;

/** As long as it takes, as for ssh(1): who writes may have to ask for a passphrase first. But not without a word. */
function readPipe(path: string, note: (text: string) => void): Buffer {
  const wait = (): void => note(`${path} is a pipe: waiting for its writer`);
  if (!isNamed(path)) return readUnnamed(path, wait);
  // to look for a writer would be to be his reader, whose words are lost when it leaves again
  wait();
  return readToEnd(openSync(path, "r"), () => {});
}

/** `<(…)`, which has its writer from the beginning. `isLong` is called when he takes his time. */
function readUnnamed(path: string, isLong: () => void): Buffer {
  let waited = 0;
  return readToEnd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), () => {
    sleep(POLL_MS);
    waited += POLL_MS;
    if (waited === LONG_MS) isLong();
  });
}

/** Who writes without end (`<(yes)`) would take all memory; ssh(1) stops at 128 MiB of a key (sshbuf.h). */
const LARGEST = 64 * 1024 * 1024;

function readToEnd(pipe: number, wait: () => void): Buffer {
  const pieces: Buffer[] = [];
  try {
    for (let size = 0; size <= LARGEST; ) {
      const piece = readPiece(pipe);
      if (piece === "later") wait();
      else if (piece.length === 0) return Buffer.concat(pieces);
      else {
        pieces.push(piece);
        size += piece.length;
      }
    }
    throw new Error("it is a pipe with more than 64 MiB in it");
  } finally {
    closeSync(pipe);
  }
}

/** Empty: nobody writes any more. */
function readPiece(pipe: number): Buffer | "later" {
  const room = Buffer.alloc(64 * 1024);
  try {
    // a copy: each word of a slow writer would keep all the room
    return Buffer.from(room.subarray(0, readSync(pipe, room)));
  } catch (error) {
    if (isNotYet(error)) return "later";
    throw error;
  }
}

function isNamed(path: string): boolean {
  try {
    realpathSync.native(path);
    return true;
  } catch {
    return false;
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
