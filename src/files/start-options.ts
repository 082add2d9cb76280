/**
 * The options with which a tree's service manager starts sshd: they win over the file (sshd(8): -o, -p, -f). Read from
 * systemd units with their drop-ins and environment files (systemd.service(5), systemd.exec(5)), else from init scripts
 * and their settings. Nothing is run.
 */
import { textOf } from "./file-text.ts";
import { initCommand } from "./init-script.ts";
import { expand, setVariable, splitWords, variablesOf } from "./shell-words.ts";
import { type UnitLine, unitLines } from "./systemd-unit.ts";
import type { FileTree } from "./tree.ts";

export interface StartOptions {
  /** texts of -o, in order: "AllowTcpForwarding=no"; -p becomes a Port */
  readonly options: readonly string[];
  /** what -f names; null: the usual file */
  readonly configFile: string | null;
  /** the file that holds them, for people; null where nothing was found */
  readonly source: string | null;
}

export const NO_OPTIONS: StartOptions = { options: [], configFile: null, source: null };

export function startOptions(tree: FileTree): StartOptions {
  for (const unit of ["ssh.service", "sshd.service"]) {
    const command = unitCommand(tree, unit);
    if (command !== null) return command;
  }
  const command = initCommand(tree);
  return command === null ? NO_OPTIONS : readOptions(command.words, command.source);
}

/**
 * The options of sshd in a command, such as an image's ENTRYPOINT and CMD: sshd itself, behind an init or in the words
 * of a shell's -c. Null where no sshd is named.
 */
export function commandOptions(command: readonly string[], source: string): StartOptions | null {
  const words = command.flatMap((word) => (/[ \t]/.test(word) ? splitWords(word) : [word]));
  const at = words.findIndex((word) => /(?:^|\/)sshd$/.test(word));
  if (at === -1) return null;
  return readOptions(upToSeparator(words.slice(at + 1)), source);
}

/** A `;` may stand at the end of a word, the other separators of a shell stand alone. */
function upToSeparator(words: readonly string[]): readonly string[] {
  const end = words.findIndex((word) => /^(?:&&?|\|\|?)$|;$/.test(word));
  return end === -1 ? words : [...words.slice(0, end), (words[end] ?? "").replace(/^[&|]+$|;$/, "")];
}

function unitCommand(tree: FileTree, unit: string): StartOptions | null {
  const lines = unitLines(tree, unit);
  if (lines === null) return null;
  const variables = new Map<string, string>();
  let command: UnitLine | null = null;
  let environmentPath: string | null = null;
  for (const line of lines) {
    // an empty ExecStart= takes back what came before
    if (line.key === "ExecStart") command = line.value === "" ? null : line;
    if (line.key === "Environment") for (const word of splitWords(line.value)) setVariable(variables, word);
    if (line.key === "EnvironmentFile") {
      const path = line.value.replace(/^-/, "");
      const text = textOf(tree, path);
      if (text !== null) environmentPath = path;
      for (const [name, value] of variablesOf(text ?? "")) variables.set(name, value);
    }
  }
  if (command === null) return null;
  const words = splitWords(command.value.replace(/^[-@:+!|]+/, "")).flatMap((word) =>
    expand(word, variables),
  );
  const usesVariables = /\$/.test(command.value) && environmentPath !== null;
  return readOptions(words.slice(1), usesVariables ? (environmentPath ?? command.path) : command.path);
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
  return options.length === 0 && configFile === null ? NO_OPTIONS : { options, configFile, source };
}
