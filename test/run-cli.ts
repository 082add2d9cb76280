/**
 * Runs the command line as a process: the source through tsx, or the bundle when SSHD_POLICY_BUNDLE=1 (npm test does
 * both).
 */
import { spawnSync } from "node:child_process";

const project = new URL("..", import.meta.url).pathname;
/** Arguments of Node.js that start the command line. */
export const COMMAND: readonly string[] =
  process.env["SSHD_POLICY_BUNDLE"] === "1"
    ? [`${project}dist/cli.js`]
    : ["--import", `${project}node_modules/tsx/dist/loader.mjs`, `${project}src/cli/main.ts`];

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** text, or what is open already */
  readonly stdin?: string | number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Bytes in and out are latin1, one character each. */
export function runCli(args: readonly string[], { stdin = "", cwd, env = {} }: RunOptions = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...COMMAND, ...args], {
    ...(typeof stdin === "number"
      ? { stdio: [stdin, "pipe", "pipe"] }
      : { input: Buffer.from(stdin, "latin1") }),
    encoding: "latin1",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { code: status, stdout, stderr };
}
