/** The machine that this program runs on. */
import { spawn } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { secondsSinceBoot } from "../files/boot-clock.ts";
import { holdFolder } from "../files/held-folder.ts";
import type { FileStatus, Machine, Ran, RunOptions, Self } from "./machine.ts";

const RUN_LIMIT_MS = 60_000;
/** RFC 4253 4.2: 255 characters, and what a server says before its banner */
const BANNER_LIMIT = 8192;

export function thisMachine(self: Self): Machine {
  return {
    self,
    readFile: (path) =>
      unlessMissing(() => withHandle(path, constants.O_RDONLY, (handle) => readFileSync(handle))),
    status: (path) => unlessMissing(() => statusOf(lstatSync(bytes(path)))),
    list: (path) => unlessMissing(() => readdirSync(bytes(path), "buffer").map(latin1).sort()),
    readLink: (path) => unlessMissing(() => latin1(readlinkSync(bytes(path), "buffer"))),
    realPath: (path) => unlessMissing(() => latin1(realpathSync.native(bytes(path), "buffer"))),
    holdFolder: (path) => holdFolder(bytes(path)),
    makeFolder: (path) => unlessThere(() => mkdirSync(bytes(path), 0o700)),
    removeFolder: (path) => rmdirSync(bytes(path)),
    create: (path) =>
      closeSync(openSync(bytes(path), constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600)),
    write: (path, content) =>
      withHandle(path, constants.O_WRONLY, (handle) => {
        ftruncateSync(handle, 0);
        for (let at = 0; at < content.length; ) at += writeSync(handle, content, at);
      }),
    append: (path, content) =>
      withHandle(path, constants.O_WRONLY | constants.O_APPEND, (handle) => appendFileSync(handle, content)),
    setOwnerAndMode: (path, { uid, gid, mode }) =>
      withHandle(path, constants.O_RDONLY, (handle) => {
        const now = fstatSync(handle);
        if (now.uid !== uid || now.gid !== gid) fchownSync(handle, uid, gid);
        fchmodSync(handle, mode);
      }),
    sync: (path) => withHandle(path, constants.O_RDONLY, fsyncSync),
    rename: (from, to) => renameSync(bytes(from), bytes(to)),
    link: (from, to) => linkSync(bytes(from), bytes(to)),
    unlink: (path) => void unlessMissing(() => unlinkSync(bytes(path))),
    run,
    startDetached,
    kill: (pid, signal) => void process.kill(pid, signal),
    banner,
    now: () => new Date(),
    uptime: secondsSinceBoot,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

function bytes(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

function latin1(name: Buffer): string {
  return name.toString("latin1");
}

const MISSING: readonly unknown[] = ["ENOENT", "ENOTDIR"];

function unlessMissing<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    const code = codeOf(error);
    // a link where a file is asked for (ELOOP) or a file where a link or folder is (EINVAL) is not what was asked for
    if (MISSING.includes(code) || code === "ELOOP" || code === "EINVAL") return null;
    throw error;
  }
}

function unlessThere(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** The code of an error of the operating system; null for any other. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}

/** O_NONBLOCK: a FIFO is not waited for. */
function withHandle<T>(path: string, flags: number, act: (handle: number) => T): T {
  const handle = openSync(bytes(path), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return act(handle);
  } finally {
    closeSync(handle);
  }
}

function statusOf(stats: Stats): FileStatus {
  return {
    kind: kindOf(stats),
    size: stats.size,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    inode: stats.ino,
    device: stats.dev,
    hardLinks: stats.nlink,
    changedMs: stats.ctimeMs,
    modifiedMs: stats.mtimeMs,
  };
}

function kindOf(stats: Stats): FileStatus["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "folder";
  return stats.isSymbolicLink() ? "link" : "other";
}

/** Node.js passes arguments as UTF-8; where one is none, a shell makes all of them from octal escapes (printf(1)). */
export function argumentsOf(argv: readonly string[]): [string, ...string[]] {
  const texts = argv.map((argument) => bytes(argument).toString("utf8"));
  if (texts.some((text, at) => latin1(Buffer.from(text, "utf8")) !== argv[at]))
    return ["/bin/sh", "-c", RUN_DECODED, "sh", ...argv.map(inOctal)];
  const [program = "", ...rest] = texts;
  return [program, ...rest];
}

/** The dot keeps line feeds at the end, which $() takes away. */
const RUN_DECODED = `left=$#; while [ $left -gt 0 ]; do word=$(printf "$1."); shift; set -- "$@" "\${word%.}"; left=$((left - 1)); done; exec "$@"`;

function inOctal(argument: string): string {
  return argument.replace(
    /[^A-Za-z0-9_/]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

function run(
  argv: readonly string[],
  { timeoutMs = RUN_LIMIT_MS, input = "", handles = [] }: RunOptions = {},
): Promise<Ran> {
  const [program, ...rest] = argumentsOf(argv);
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe", ...handles] });
  const output = { stdout: "", stderr: "" };
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      // a daemon that it left behind may hold the pipes open
      finish(null, null);
    }, timeoutMs);
    const finish = (status: number | null, failed: string | null): void => {
      clearTimeout(timer);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ status, failed, ...output });
    };
    child.on("error", (error) => finish(null, codeOf(error) ?? error.message));
    // where no more files can be opened (EMFILE) it has no streams, and the error is told later
    for (const stream of ["stdout", "stderr"] as const)
      child[stream]?.on("data", (chunk: Buffer) => {
        output[stream] += latin1(chunk);
      });
    // a program that does not read its input shows in its exit code
    child.stdin?.on("error", () => {});
    child.stdin?.end(bytes(input));
    child.on("exit", (status) => {
      // what was written last may still be in the pipes; a daemon that keeps them open is not waited for
      const grace = setTimeout(() => finish(status, null), 200);
      child.on("close", () => {
        clearTimeout(grace);
        finish(status, null);
      });
    });
  });
}

function startDetached(argv: readonly string[]): number {
  const [program, ...rest] = argumentsOf(argv);
  const child = spawn(program, rest, { detached: true, stdio: "ignore", cwd: "/" });
  child.on("error", () => {});
  child.unref();
  if (child.pid === undefined) throw new Error(`${program} cannot be started`);
  return child.pid;
}

function banner(address: string, port: number, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let said = "";
    const finish = (line: string | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(line);
    };
    // for the whole line: a server that says one byte now and then must not hold up an undo
    const timer = setTimeout(() => finish(null), timeoutMs);
    socket.on("error", () => finish(null));
    socket.on("close", () => finish(null));
    socket.on("data", (chunk: Buffer) => {
      said += latin1(chunk);
      const line = /^([^\r\n]*)\r?\n/.exec(said)?.[1];
      if (line !== undefined) finish(line);
      else if (said.length > BANNER_LIMIT) finish(null);
    });
  });
}
