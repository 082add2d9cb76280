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
  /** as a user who may not read everything; root gives that up (capabilities(7)) */
  readonly asUser?: boolean;
}

const GIVE_UP = [
  "--bounding-set",
  "-dac_override,-dac_read_search",
  "--inh-caps",
  "-dac_override,-dac_read_search",
];

/** Bytes in and out are latin1, one character each. */
export function runCli(
  args: readonly string[],
  { stdin = "", cwd, env = {}, asUser = false }: RunOptions = {},
): Ran {
  const before = asUser && process.getuid?.() === 0 ? ["setpriv", ...GIVE_UP] : [];
  const [program = "", ...words] = [...before, process.execPath, ...COMMAND, ...args];
  const { status, stdout, stderr } = spawnSync(program, words, {
    ...(typeof stdin === "number"
      ? { stdio: [stdin, "pipe", "pipe"] }
      : { input: Buffer.from(stdin, "latin1") }),
    encoding: "latin1",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  return { code: status, stdout, stderr };
}
