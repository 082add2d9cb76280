/**
 * The options with which a tree's service manager starts sshd: they win over the file (sshd(8): -o, -p, -f). Read from
 * systemd units with their drop-ins and environment files (systemd.service(5), systemd.exec(5)), else from init scripts
 * and their settings. Nothing is run.
 */
import { environmentOf } from "./environment-file.ts";
import { textOf } from "./file-text.ts";
import { globPaths } from "./glob.ts";
import { initCommand } from "./init-script.ts";
import { assignments, expand, putIn, splitWords } from "./shell-words.ts";
import { enabledSocket } from "./socket-unit.ts";
import { type UnitLine, unitLines } from "./systemd-unit.ts";
import type { FileTree } from "./tree.ts";

export interface StartOptions {
  /** texts of -o, in order: "AllowTcpForwarding=no"; -p becomes a Port */
  readonly options: readonly string[];
  /** what -f names; null: the usual file */
  readonly configFile: string | null;
  /** the file that holds them, for people; null where nothing was found */
  readonly source: string | null;
  /** why there may be more options than these; null: there are none */
  readonly limit: string | null;
}

export const NO_OPTIONS: StartOptions = { options: [], configFile: null, source: null, limit: null };

export function startOptions(tree: FileTree): StartOptions {
  for (const unit of [...connectionUnits(tree), "ssh.service", "sshd.service"]) {
    const command = unitCommand(tree, unit);
    if (command !== null) return command;
  }
  const command = initCommand(tree);
  return command === null ? NO_OPTIONS : readOptions(command.words, command.source);
}

/** What runs for each connection of an enabled socket with Accept=yes (systemd.socket(5)). */
function connectionUnits(tree: FileTree): readonly string[] {
  const socket = enabledSocket(tree);
  const accept = lastOf(socket?.lines ?? [], "Accept")?.value ?? "no";
  return socket !== null && /^(?:1|y|yes|t|true|on)$/i.test(accept)
    ? [socket.unit.replace(".socket", "@.service")]
    : [];
}

interface Command {
  readonly command: readonly string[];
  readonly variables: ReadonlyMap<string, string>;
}

/**
 * The options of sshd in a command, such as an image's ENTRYPOINT and CMD: sshd itself, behind an init or in the words
 * of a shell's -c, which puts variables in. Null where no sshd is named.
 */
export function commandOptions({ command, variables }: Command, source: string): StartOptions | null {
  const own = command.findIndex(isSshd);
  if (own !== -1) return readOptions(upToSeparator(command.slice(own + 1)), source);
  const words = command.flatMap((word) => (/[ \t]/.test(word) ? splitWords(putIn(word, variables)) : [word]));
  const at = words.findIndex(isSshd);
  return at === -1 ? null : readOptions(upToSeparator(words.slice(at + 1)), source);
}

function isSshd(word: string): boolean {
  return /(?:^|\/)sshd$/.test(word);
}

/** A `;` may stand at the end of a word, the other separators of a shell stand alone. */
function upToSeparator(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => /^(?:&&?|\|\|?)$|;$/.test(word));
  return end === -1 ? words : [...words.slice(0, end), (words[end] ?? "").replace(/^[&|]+$|;$/, "")];
}

function unitCommand(tree: FileTree, unit: string): StartOptions | null {
  const lines = unitLines(tree, unit);
  const command = lines === null ? null : lastOf(lines, "ExecStart");
  if (lines === null || command === null) return null;
  const { variables, source } = environmentFor(tree, lines);
  const words = splitWords(command.value.replace(/^[-@:+!|]+/, "")).flatMap((word) =>
    expand(word, variables),
  );
  const from = /\$/.test(command.value) ? (source ?? command.path) : command.path;
  // behind env, numactl or a shell's -c; a program of another name may be sshd all the same
  const read = commandOptions({ command: words, variables }, from);
  const options = read ?? readOptions(words.slice(1), from);
  return { ...options, limit: limitOf(command, read !== null || isSshdLike(words[0] ?? "")) };
}

/** sshd's own name, or a build of it beside the system's: sshd-10, sshd.local */
function isSshdLike(program: string): boolean {
  return /(?:^|\/)sshd[^/]*$/.test(program);
}

/** What can't be followed without running something, or asking systemd (systemd.unit(5), "Specifiers"). */
function limitOf({ path, value }: UnitLine, namesSshd: boolean): string | null {
  const what = !namesSshd
    ? "starts a program that may give sshd options of its own"
    : value.replaceAll("%%", "").includes("%")
      ? "starts sshd with options that have a % specifier"
      : /\$\(|`/.test(value)
        ? "starts sshd with options that a shell computes"
        : null;
  return what === null ? null : `${path} ${what}: they are not read`;
}

/** An empty assignment takes back what came before. */
function assigned(lines: readonly UnitLine[], key: string): readonly UnitLine[] {
  const own = lines.filter((line) => line.key === key);
  return own.slice(own.findLastIndex(({ value }) => value === "") + 1);
}

function lastOf(lines: readonly UnitLine[], key: string): UnitLine | null {
  return assigned(lines, key).at(-1) ?? null;
}

/** Files win over Environment= wherever it stands, and later files over earlier ones (systemd.exec(5)). */
function environmentFor(
  tree: FileTree,
  lines: readonly UnitLine[],
): { readonly variables: ReadonlyMap<string, string>; readonly source: string | null } {
  const variables = assignments(assigned(lines, "Environment").flatMap(({ value }) => splitWords(value)));
  let source: string | null = null;
  for (const path of assigned(lines, "EnvironmentFile").flatMap(({ value }) =>
    globPaths(tree, value.replace(/^-/, "")),
  )) {
    const text = textOf(tree, path);
    if (text === null) continue;
    source = path;
    for (const [name, value] of environmentOf(text)) variables.set(name, value);
  }
  for (const { value } of assigned(lines, "UnsetEnvironment"))
    for (const word of splitWords(value)) variables.delete(word);
  return { variables, source };
}

/** Flags of sshd that take a value (sshd(8)). */
const WITH_VALUE = "bcCEfghkopu";

function readOptions(words: readonly string[], source: string): StartOptions {
  const options: string[] = [];
  let configFile: string | null = null;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("-")) continue;
    const at = [...word].findIndex((letter, position) => position > 0 && WITH_VALUE.includes(letter));
    if (at === -1) continue;
    const value = at < word.length - 1 ? word.slice(at + 1) : (words[++index] ?? "");
    if (word[at] === "o") options.push(value);
    if (word[at] === "p") options.push(`Port=${value}`);
    if (word[at] === "f") configFile = value;
  }
  return options.length === 0 && configFile === null
    ? NO_OPTIONS
    : { options, configFile, source, limit: null };
}
