/** Two forwarders behind one face: OpenSSH's own client, and ours. Each is started with options of ssh(1). */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { COMMAND } from "../run-cli.ts";
import type { LoopbackSshd } from "./loopback.ts";

export type Program = "ssh" | "sshd-policy forward";

export interface RunningForwarder {
  /** what it said so far, both streams */
  readonly said: () => string;
  readonly child: ChildProcess;
  readonly stop: () => Promise<void>;
}

export function forwarderArguments(program: Program, sshd: LoopbackSshd): readonly [string, ...string[]] {
  if (program === "ssh") return ["ssh", ...sshd.sshOptions];
  // -F, -i, -o, -p and -l mean the same; what ours does not know has no meaning for it
  const unknown = new Set(["BatchMode=yes"]);
  const options = sshd.sshOptions.filter((option, at) => {
    const next = sshd.sshOptions[at + 1];
    return !unknown.has(option) && !(option === "-o" && next !== undefined && unknown.has(next));
  });
  return [process.execPath, ...COMMAND, "forward", ...options, "-o", "BatchMode=yes"];
}

const LATE_MS = 60_000;
const MISSED_SIGNAL_MS = 500;

/** Resolves when the session is up and its forwards have been asked for, or when the program has ended. */
export async function startForwarder(
  program: Program,
  sshd: LoopbackSshd,
  args: readonly string[],
): Promise<RunningForwarder> {
  const [file, ...before] = forwarderArguments(program, sshd);
  const verbose = program === "ssh" ? ["-v"] : [];
  const child = spawn(file, [...before, ...verbose, "-N", ...args, "127.0.0.1"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", TERM: "dumb" },
  });
  let text = "";
  const ended = once(child, "exit");
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${program} ${args.join(" ")} is not up:\n${text}`));
    }, LATE_MS);
    const up = (): void => {
      clearTimeout(late);
      resolve();
    };
    const hear = (chunk: Buffer): void => {
      text += chunk.toString("latin1");
      if (isUp(program, text, wanted(args))) up();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    ended.then(up);
  });
  return {
    said: () => text,
    child,
    stop: async () => {
      child.kill("SIGTERM");
      // ssh 9.2 misses a signal that comes between its look for one and its poll(2)
      const again =
        program === "ssh" ? setInterval(() => child.kill("SIGTERM"), MISSED_SIGNAL_MS) : undefined;
      if (child.exitCode === null && child.signalCode === null) await ended;
      clearInterval(again);
    },
  };
}

function wanted(args: readonly string[]): number {
  return args.filter((arg) => ["-L", "-R", "-D"].includes(arg)).length;
}

/** ssh -v says so of remote forwards one by one, and "Entering interactive session" after the local ones. */
function isUp(program: Program, text: string, forwards: number): boolean {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  if (program === "sshd-policy forward")
    return count(/ listens on /g) + count(/: failed: /g) + count(/^sshd-policy: /gm) >= forwards;
  const asked = count(/^debug1: Remote connections from /gm);
  const answered = count(/remote forward (?:success|failure) for/g);
  return text.includes("Entering interactive session") && answered >= asked;
}

/**
 * What a client of a listener sees: the bytes that came back, or how it failed. `greeting` goes first, and the rest
 * when something has come back.
 */
export function ask(
  at: { port: number; host?: string } | { path: string },
  say: string | Buffer,
  greeting?: Buffer,
): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: "127.0.0.1", ...at, allowHalfOpen: true });
    const bytes: Buffer[] = [];
    const finish = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(20_000, () => finish("nothing came"));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      // a listener that closes with unread bytes resets: as closed as an end
      finish(
        error.code === "ECONNRESET" || error.code === "EPIPE" ? "closed" : (error.code ?? error.message),
      ),
    );
    socket.on("data", (chunk) => {
      bytes.push(chunk);
      // not at once: beside sshd 10.0, ssh 9.2 was seen to lose a SOCKS request of -R whose end came with it
      if (greeting !== undefined && bytes.length === 1) socket.write(say);
      else socket.end();
    });
    socket.on("end", () => finish(bytes.length === 0 ? "closed" : Buffer.concat(bytes).toString("latin1")));
    if (greeting === undefined) socket.end(say);
    else socket.write(greeting);
  });
}
