/** The sshd that listens: which process, with which command line, on which addresses. */
import { type Option, readOptions, splitTitle } from "./command-line.ts";
import type { Machine } from "./machine.ts";
import { isTrusted, listProcesses, type Process } from "./processes.ts";
import { type Endpoint, openFiles, tcpSockets } from "./sockets.ts";

export interface Daemon {
  readonly process: Process;
  /** absolute */
  readonly program: string;
  readonly options: readonly Option[];
  /** what -f names */
  readonly configFile: string;
  /** sockets it accepts connections on, by inode */
  readonly listens: ReadonlyMap<string, Endpoint>;
}

const USUAL_FILE = "/etc/ssh/sshd_config";

/** All listening sshds of this machine that read the given file. */
export function findDaemons(machine: Machine, configFile: string): readonly Daemon[] {
  const all = listProcesses(machine);
  return all
    .filter((process) => isListener(process, all) && isTrusted(machine, process))
    .map((process) => describeDaemon(machine, process))
    .filter((daemon) => isSameFile(machine, daemon.configFile, configFile));
}

interface Identified {
  readonly process: Pick<Process, "pid" | "started">;
}

/** Also after a reload, which executes sshd anew in the same process. */
export function isSameDaemon(a: Identified, b: Identified): boolean {
  return a.process.pid === b.process.pid && a.process.started === b.process.started;
}

function isSameFile(machine: Machine, a: string, b: string): boolean {
  return a === b || (machine.realPath(a) ?? a) === (machine.realPath(b) ?? b);
}

/**
 * From 8.2 sshd's title says "[listener]" (sshd.c main); before, the command line stays as it was. Children of the
 * listener that still run the same program (up to 9.7) have a title of their own, or it as their parent.
 */
function isListener(process: Process, all: readonly Process[]): boolean {
  if (!isSshd(process)) return false;
  const title = titleOf(process);
  // a long command line leaves no room for the mark; no account's name starts with a slash
  if (title !== null) return / \[listener\]/.test(title) || title.startsWith("/");
  const parent = all.find(({ pid }) => pid === process.parent);
  return (
    process.words.length > 0 && (parent === undefined || !isSshd(parent)) && !process.words.includes("-i")
  );
}

function isSshd({ program, name }: Process): boolean {
  return program === null ? name === "sshd" : /\/sshd$/.test(program);
}

/** What setproctitle wrote, without "sshd: "; null: the arguments are still there. */
export function titleOf({ words }: Process): string | null {
  return /^sshd(?:-session|-auth)?: ([\s\S]*)/.exec(words[0] ?? "")?.[1] ?? null;
}

function describeDaemon(machine: Machine, process: Process): Daemon {
  const command = commandOf(process);
  const options = readOptions(command.slice(1));
  const { sockets } = openFiles(machine, process.pid);
  const own = tcpSockets(machine, process.pid).filter(
    ({ inode, state }) => state === "listening" && sockets.has(inode),
  );
  return {
    process,
    program: command[0] ?? "",
    options,
    configFile: options.findLast(({ letter }) => letter === "f")?.value ?? USUAL_FILE,
    listens: new Map(own.map(({ inode, local }) => [inode, local])),
  };
}

function commandOf(process: Process): readonly string[] {
  const title = titleOf(process);
  const words = title === null ? process.words : splitTitle(title.replace(/ \[listener\][\s\S]*$/, ""));
  const [first = "", ...rest] = words;
  // sshd refuses to start from a relative path
  return [first.startsWith("/") ? first : (process.program ?? first), ...rest];
}
