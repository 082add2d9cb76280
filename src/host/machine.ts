/**
 * Everything that applying a fix does to the machine, as one value that is passed in: a test fails its k-th step by
 * wrapping it. Paths are absolute and, as in a FileTree, latin1: one character is one byte. No function follows a link
 * in the last part of a path, except where it says so. Readers give null for what is not there; all else throws as
 * node:fs does, with a `code`.
 */
import type { HeldFolder } from "../files/held-folder.ts";

export interface Ran {
  /** the exit code; null: killed by a signal or by the time limit, or it could not be started */
  readonly status: number | null;
  /** latin1 */
  readonly stdout: string;
  readonly stderr: string;
  /** "ENOENT" …, where the program could not be started; null otherwise */
  readonly failed: string | null;
}

export interface RunOptions {
  /** 60 s without it; then SIGKILL */
  readonly timeoutMs?: number;
  /** standard input, latin1; empty without it */
  readonly input?: string;
  /** open files of this process that it has as 3, 4, …; none without it */
  readonly handles?: readonly number[];
}

/** lstat(2): what stands at the path itself. */
export interface FileStatus {
  readonly kind: "file" | "folder" | "link" | "other";
  readonly size: number;
  /** permission bits with the set-id and sticky ones */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly inode: number;
  readonly device: number;
  readonly hardLinks: number;
  /** when bytes, name, mode or owner were last changed: no copy and no package can set it back */
  readonly changedMs: number;
  /** when its bytes were, as the last one to set it says */
  readonly modifiedMs: number;
}

/** What the caller tells of this run; library code never reads the environment. */
export interface Self {
  readonly pid: number;
  readonly uid: number;
  readonly platform: NodeJS.Platform;
  /** how this program is started again: node and its script, before any argument */
  readonly command: readonly string[];
  /** who runs it, for the log: "alice by sudo, from 198.51.100.7" */
  readonly caller: string;
}

export interface Machine {
  readonly self: Self;

  /** the whole file, of any kind that can be read; null when nothing is there or it is a link */
  readonly readFile: (path: string) => Uint8Array | null;
  readonly status: (path: string) => FileStatus | null;
  /** names in a folder, sorted; null when it is none */
  readonly list: (path: string) => readonly string[] | null;
  readonly readLink: (path: string) => string | null;
  /** with all links followed; null when it leads nowhere */
  readonly realPath: (path: string) => string | null;
  /** null: this system has no such names. @throws ENOENT; ELOOP where a link is part of the path, or it is no folder */
  readonly holdFolder: (path: string) => HeldFolder | null;

  /** a new folder, private to its owner; one that is there is left alone */
  readonly makeFolder: (path: string) => void;
  /** an empty one */
  readonly removeFolder: (path: string) => void;
  /** a new empty file of mode 0600; EEXIST when anything is there */
  readonly create: (path: string) => void;
  /** replaces the bytes of a regular file in place */
  readonly write: (path: string, bytes: Uint8Array) => void;
  readonly append: (path: string, bytes: Uint8Array) => void;
  /** owner, then mode, since a chown clears the set-id bits */
  readonly setOwnerAndMode: (path: string, owner: Pick<FileStatus, "uid" | "gid" | "mode">) => void;
  /** fsync(2) of a file or a folder */
  readonly sync: (path: string) => void;
  readonly rename: (from: string, to: string) => void;
  /** a hard link */
  readonly link: (from: string, to: string) => void;
  /** a file or link; one that is not there is no error */
  readonly unlink: (path: string) => void;

  /** runs a program and waits; a shell is never involved. argv is latin1, the program an absolute path or found in PATH */
  readonly run: (argv: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** starts a program that outlives this one and its session (setsid), without standard streams; gives its pid */
  readonly startDetached: (argv: readonly string[]) => number;
  /** signal 0 only asks whether the process is there */
  readonly kill: (pid: number, signal: NodeJS.Signals | 0) => void;
  /** the first line that a TCP server at this address says, without its line end; null: none in time */
  readonly banner: (address: string, port: number, timeoutMs: number) => Promise<string | null>;
  readonly now: () => Date;
  /** seconds since the boot, of the same clock as the starts that /proc tells (proc(5), stat) */
  readonly uptime: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** What an error that was thrown says: never its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
