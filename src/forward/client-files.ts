/**
 * The files that a client goes by: configuration, known_hosts, keys. Each is read once, whoever asks for it: a pipe
 * (`-F <(…)`) gives what it has but once, and all hosts on the way are to be judged by the same text.
 */
import {
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
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
      const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
      try {
        appendFileSync(file, text);
      } finally {
        closeSync(file);
      }
      known.delete(path);
    },
  };
}

const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

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

/** What is opened is what is judged: the path could lead elsewhere meanwhile. */
function readNow(path: string, note: (text: string) => void): ClientFile {
  const { file, isLong } = openFor(path, note);
  try {
    const status = fstatSync(file);
    const { uid, mode } = status;
    if (status.isCharacterDevice()) return { bytes: nothingOf(status), uid, mode };
    return { bytes: readToEnd(file, isLong), uid, mode };
  } finally {
    closeSync(file);
  }
}

/** Without waiting, unless it is a pipe that has a name; `isLong` is called when who writes it takes his time. */
function openFor(path: string, note: (text: string) => void): { file: number; isLong: () => void } {
  const isLong = (): void => note(`${path} is a pipe: waiting for its writer`);
  const expected = statSync(path);
  // some devices do something when they are opened
  if (expected.isCharacterDevice()) nothingOf(expected);
  if (!expected.isFIFO() || !isNamed(path)) return { file: openSync(path, O_RDONLY | O_NONBLOCK), isLong };
  // to look for a writer would be to be his reader, whose words are lost when it leaves again
  isLong();
  return { file: openSync(path, O_RDONLY), isLong: () => {} };
}

/** /dev/zero has no end, and a terminal none that we would know of. */
function nothingOf({ rdev }: Stats): Buffer {
  if (rdev !== statSync("/dev/null").rdev) throw new Error("it is a device");
  return Buffer.alloc(0);
}

/** Who writes without end (`<(yes)`) would take all memory; ssh(1) stops at 128 MiB of a key (sshbuf.h). */
const LARGEST = 64 * 1024 * 1024;
const POLL_MS = 20;
const LONG_MS = 1_000;

/** As long as it takes, as for ssh(1): who writes may have to ask for a passphrase first. But not without a word. */
function readToEnd(file: number, isLong: () => void): Buffer {
  const pieces: Buffer[] = [];
  let waited = 0;
  for (let size = 0; size <= LARGEST; ) {
    const piece = readPiece(file);
    if (piece === "later") {
      sleep(POLL_MS);
      waited += POLL_MS;
      if (waited === LONG_MS) isLong();
    } else if (piece.length === 0) return Buffer.concat(pieces);
    else {
      pieces.push(piece);
      size += piece.length;
    }
  }
  throw new Error("there are more than 64 MiB in it");
}

/** Empty: the end, or nobody writes any more. */
function readPiece(file: number): Buffer | "later" {
  const room = Buffer.alloc(64 * 1024);
  try {
    // a copy: each word of a slow writer would keep all the room
    return Buffer.from(room.subarray(0, readSync(file, room)));
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
