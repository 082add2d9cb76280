/** What is known while a shell script is read: variables and arguments with all values that they may have, and what was found. */

import { textOf } from "../files/file-text.ts";
import type { FileTree } from "../files/tree.ts";
import type { ShellCommand } from "./shell-commands.ts";
import { COMPUTED, type Fields, isTooLong, MAX_VALUE, type Scope, valuesOf } from "./shell-expand.ts";
import { WORKING_FOLDER } from "./shell-files.ts";
import type { Certainty } from "./shell-flow.ts";

/** One way in which sshd may be started. */
export interface SshdStart {
  /** its name, with a path or without */
  readonly program: string;
  /** those behind its name; one that holds COMPUTED is not known */
  readonly words: readonly string[];
  /** the script that starts it; null: the command that was asked about */
  readonly path: string | null;
  /** as they are written there */
  readonly written: readonly string[];
  /** those of one service of a supervisor, or of one script, are told apart from others' by this */
  readonly service: number;
  /** it is started, whatever the script meets */
  readonly isCertain: boolean;
}

export interface Started {
  readonly starts: readonly SshdStart[];
  /** files of settings that were read, in order */
  readonly settings: readonly string[];
  /** what may start sshd and is not followed: "/entry.py, which is no shell script"; null: nothing */
  readonly unread: string | null;
  /** a program outside the system's folders that runs: "/app/server, which is a program"; null: none */
  readonly program: string | null;
  /** it reads a file of settings that is not found, since its name is computed, or that is too long */
  readonly settingsUnknown: boolean;
  /** it hands over to what starts a system's services */
  readonly services: boolean;
  /** it is longer, or calls deeper, than is followed */
  readonly isCut: boolean;
  /** configurations of sshd that it changes */
  readonly edits: readonly Edit[];
}

/** By a script; its path is null where it is the command that was asked about. */
export type Edit =
  | { readonly path: string | null; readonly file: string }
  /** the program that does what files of its own say: it may change any */
  | { readonly path: string | null; readonly mayBy: string };

export interface Situation {
  readonly tree: FileTree;
  /** variables of the environment */
  readonly variables: ReadonlyMap<string, string>;
  /** where the command begins, without a slash at its end; default: nobody knows, / most likely */
  readonly folder?: string;
  /** as in Scope; default: empty */
  readonly unset?: Scope["unset"];
  /** shared by all that is read of one tree's many commands */
  readonly spent?: Spent;
}

/** What was followed up to here. */
export interface Spent {
  commands: number;
  bytes: number;
}

export function newSpent(): Spent {
  return { commands: 0, bytes: 0 };
}

export interface Reading extends Scope {
  readonly tree: FileTree;
  /** all bodies that each may have */
  readonly functions: Map<string, readonly (readonly ShellCommand[])[]>;
  readonly path: string | null;
  /** as in Situation */
  readonly folder: string;
  /** where a command has its /, without a slash at its end (chroot(1)) */
  readonly root: string;
  readonly depth: number;
  /** of a supervisor; 0: none */
  readonly service: number;
  readonly found: Found;
}

interface Found {
  readonly starts: SshdStart[];
  readonly settings: string[];
  unread: string | null;
  program: string | null;
  settingsUnknown: boolean;
  services: boolean;
  isCut: boolean;
  readonly edits: Edit[];
  readonly spent: Spent;
  /** names that files from elsewhere may have, and the programs that bring them */
  readonly brought: Map<string, string>;
  /** so many services were begun */
  begun: number;
}

/** How a command stands in its script. */
export interface Standing {
  readonly written: readonly string[];
  readonly certainty: Certainty;
  readonly fed: Fed;
}

/** What is on a command's standard input. */
export interface Fed {
  readonly isFed: boolean;
  /** all that it may be; null: nobody knows */
  readonly texts: readonly string[] | null;
  /** what the commands of the pipe before it may be */
  readonly by: readonly Fields[];
}

export const NOT_FED: Fed = { isFed: false, texts: null, by: [] };

export function newReading(
  { tree, variables, folder, unset = "empty", spent = newSpent() }: Situation,
  path: string | null,
  { args, named }: Pick<Scope, "named"> & { readonly args: readonly string[] },
): Reading {
  return {
    tree,
    variables: new Map([
      ...(folder === undefined ? [] : [[WORKING_FOLDER, [folder === "" ? "/" : folder]] as const]),
      ...[...variables].map(([name, value]) => [name, [value]] as const),
    ]),
    args: [args],
    unset,
    named,
    functions: new Map(),
    path,
    folder: folder ?? "",
    root: "",
    depth: 0,
    service: 0,
    found: {
      starts: [],
      settings: [],
      unread: null,
      program: null,
      settingsUnknown: false,
      services: false,
      isCut: false,
      edits: [],
      brought: new Map(),
      spent,
      begun: 0,
    },
  };
}

/** Ours: scripts and functions inside each other. */
const MAX_DEPTH = 12;

export function isTooDeep({ depth }: Reading): boolean {
  return depth > MAX_DEPTH;
}

/** For what is inside of it, with these of its own; null, and cut off: that is too deep. */
export function deeper(reading: Reading, own: Partial<Reading>): Reading | null {
  if (!isTooDeep(reading)) return { ...reading, ...own, depth: reading.depth + 1 };
  cutOff(reading);
  return null;
}

export function leaveUnread({ found }: Reading, what: string): void {
  found.unread ??= what;
}

/** What comes next may start sshd in other ways. */
export function cutOff(reading: Reading): void {
  reading.found.isCut = true;
  leaveUnread(reading, "a script that is too long");
}

/** Ours: commands that are followed, and bytes that are read as commands, or for them. */
const MAX_COMMANDS = 5000;
const MAX_BYTES = 3 * 1024 * 1024;

/** False, and cut off: it is more than is followed. */
export function affords(reading: Reading, { commands = 0, bytes = 0 }: Partial<Spent>): boolean {
  const { spent } = reading.found;
  spent.commands += commands;
  spent.bytes += bytes;
  const isEnough = spent.commands <= MAX_COMMANDS && spent.bytes <= MAX_BYTES;
  if (!isEnough) cutOff(reading);
  return isEnough;
}

/** Null: it is no text, or comes behind too much that was read. */
export function affordedText(reading: Reading, path: string): string | null {
  const text = affords(reading, {}) ? textOf(reading.tree, path) : null;
  return text !== null && affords(reading, { bytes: text.length }) ? text : null;
}

/** With the file that has the command where nothing else is known; of what was not followed to its end, that it may change it. */
export function editsBy({ edits, isCut }: Started, path: string): readonly Edit[] {
  const known = edits.map((edit) => ({ ...edit, path: edit.path ?? path }));
  return isCut ? [...known, { path, mayBy: "more than is followed" }] : known;
}

/** For what has variables and functions of its own. */
export function withOwnVariables(reading: Reading): Reading {
  return { ...reading, variables: new Map(reading.variables), functions: new Map(reading.functions) };
}

/** All that its variables may hold. */
export function valuesIn({ variables }: Reading): readonly string[] {
  return [...variables.values()].flat();
}

export const ASSIGNMENT: RegExp = /^([A-Za-z_]\w*)(\+?)=([\s\S]*)$/;

export function assign(reading: Reading, word: string, certainty: Certainty): void {
  const [, name = "", append = "", text = ""] = ASSIGNMENT.exec(word) ?? [];
  if (name === "") return;
  const before = reading.variables.get(name) ?? [];
  const values = valuesOf(text, reading).flatMap((value) =>
    append === "" ? [value] : (before.length === 0 ? [""] : before).map((old) => old + value),
  );
  setVariable(reading, name, values, certainty);
}

/**
 * What a command does behind assignments of its own. A program alone has them; what the shell does itself changes its
 * other variables, too, and in some shells the assignments stay (POSIX.1-2017, Shell Command Language, 2.9.1).
 */
export function withAssignments<T>(
  reading: Reading,
  {
    assignments,
    certainty,
    by,
  }: {
    readonly assignments: readonly string[];
    readonly certainty: Certainty;
    readonly by: "the shell" | "a program";
  },
  act: (inner: Reading) => T,
): T {
  if (assignments.length === 0) return act(reading);
  const isOwn = by === "the shell";
  const inner = isOwn ? reading : withOwnVariables(reading);
  const before = new Map(reading.variables);
  for (const word of assignments) assign(inner, word, isOwn ? certainty : "yes");
  const result = act(inner);
  for (const word of isOwn ? assignments : []) {
    const [, name = ""] = ASSIGNMENT.exec(word) ?? [];
    setVariable(reading, name, before.get(name) ?? [""], "maybe");
  }
  return result;
}

export function setVariable(
  { variables }: Reading,
  name: string,
  values: readonly string[],
  certainty: Certainty,
): void {
  const before = variables.get(name) ?? [""];
  const short = values.map((value) => (value.length > MAX_VALUE ? COMPUTED : value));
  variables.set(name, atMost([...new Set(certainty === "yes" ? short : [...before, ...short])], COMPUTED));
}

/** Ours: more are not told apart. */
const MAX_ALTERNATIVES = 32;

function atMost<T>(alternatives: readonly T[], unknown: T): readonly T[] {
  return alternatives.length > MAX_ALTERNATIVES ? [unknown] : alternatives;
}

export function setArgs(reading: Reading, args: readonly Fields[], certainty: Certainty): void {
  if (args.some(isTooLong)) {
    cutOff(reading);
    return;
  }
  reading.args = atMost(certainty === "yes" ? args : [...reading.args, ...args], [COMPUTED]);
}
