/** The sshd that listens: which process, with which command line, on which addresses. */
import type { Machine } from "./machine.ts";
import { listProcesses, type Process } from "./processes.ts";
import { type Endpoint, openFiles, tcpSockets } from "./sockets.ts";

export interface Daemon {
  readonly process: Process;
  /** absolute program and its arguments, ready to be run again with -t or -T */
  readonly command: readonly string[];
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
    .filter((process) => isListener(process, all))
    .map((process) => describeDaemon(machine, process))
    .filter((daemon) => isSameFile(machine, daemon.configFile, configFile));
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
  if (title !== null) return / \[listener\]/.test(title);
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
  const { sockets } = openFiles(machine, process.pid);
  const own = tcpSockets(machine, process.pid).filter(
    ({ inode, state }) => state === "listening" && sockets.has(inode),
  );
  return {
    process,
    command,
    configFile: configFileOf(command),
    listens: new Map(own.map(({ inode, local }) => [inode, local])),
  };
}

/**
 * The title holds the arguments joined by blanks (sshd.c prepare_proctitle). sshd takes options alone, so a word that
 * does not start with a dash belongs to the one before it: `-o AllowTcpForwarding no` was two arguments.
 */
function commandOf(process: Process): readonly string[] {
  const title = titleOf(process);
  const words = title === null ? process.words : title.replace(/ \[listener\][\s\S]*$/, "").split(" ");
  const [first = "", ...rest] = words;
  const program = first.startsWith("/") ? first : (process.program ?? first);
  return [program, ...(title === null ? rest : joinValues(rest))];
}

/** Letters of sshd's options that take a value (sshd(8)). */
const WITH_VALUE = "bcCEfghkopu";

function joinValues(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  let open = false;
  for (const word of words) {
    const last = joined.at(-1);
    if (word.startsWith("-") || last === undefined || (open && isBareOption(last))) joined.push(word);
    else joined[joined.length - 1] = `${last} ${word}`;
    open = isBareOption(word);
  }
  return joined;
}

/** `-f`, `-Df`: the value is the next word. */
function isBareOption(word: string): boolean {
  const at = [...word].findIndex((letter, index) => index > 0 && WITH_VALUE.includes(letter));
  return word.startsWith("-") && at !== -1 && at === word.length - 1;
}

function configFileOf(command: readonly string[]): string {
  let file = USUAL_FILE;
  command.forEach((word, index) => {
    if (index === 0 || !word.startsWith("-")) return;
    const at = [...word].findIndex((letter, position) => position > 0 && WITH_VALUE.includes(letter));
    if (at === -1 || word[at] !== "f") return;
    file = at < word.length - 1 ? word.slice(at + 1) : (command[index + 1] ?? file);
  });
  return file;
}
