/**
 * The options with which a tree's service manager starts sshd: they win over the file (sshd(8): -o, -p, -f). Read from
 * systemd units with their drop-ins and environment files (systemd.service(5), systemd.exec(5)), else from init scripts
 * and their settings. Nothing is run.
 */

import { textOf } from "../files/file-text.ts";
import { globPaths } from "../files/glob.ts";
import { folderOf, joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { bootOf } from "./boot-edits.ts";
import { environmentOf } from "./environment-file.ts";
import { ofScripts } from "./init-script.ts";
import { COMPUTED } from "./shell-expand.ts";
import { type Edit, editsBy, newSpent, type Situation } from "./shell-reading.ts";
import { startedBy } from "./shell-script.ts";
import { assignments } from "./shell-words.ts";
import { enabledSocket } from "./socket-unit.ts";
import {
  editedBefore,
  NO_OPTIONS,
  optionsOf,
  ownSshd,
  readOptions,
  type StartOptions,
  withOthers,
} from "./sshd-options.ts";
import { findUnit, managerLines, type Unit, type UnitLine, type Units, unitsOf } from "./systemd-unit.ts";
import { expandWord, unitWords } from "./systemd-words.ts";

export function startOptions(tree: FileTree): StartOptions {
  const ways = startsUnits(tree) ? [ofUnits, ofScripts] : [ofScripts, ofUnits];
  for (const way of ways) {
    const options = way(tree);
    if (options !== null) return options;
  }
  return NO_OPTIONS;
}

/** Of a system that is not running: what its boot changes before sshd reads it is a limit, as of a start script. */
export function bootOptions(tree: FileTree): StartOptions {
  const start = startOptions(tree);
  const { configFile, others = [], limit } = start;
  const folder = configFile === null ? "/etc/ssh/" : joined(folderOf(configFile), "");
  const { edits, starts } = bootOf(tree, folder);
  const own = startsUnits(tree) ? editsOfOwnUnits(tree) : [];
  return {
    ...start,
    ...withOthers(start, [...others, ...starts]),
    limit: limit ?? editedBefore({ edits: [...edits, ...own] }, start, ""),
  };
}

/** What other units that the administrator wrote, and enabled, do: the vendor's are known to do nothing to sshd. */
function editsOfOwnUnits(tree: FileTree): readonly Edit[] {
  const names = enabledUnits(tree).filter((name) => !USUAL.test(name) && isOwnUnit(tree, name));
  if (names.length === 0) return [];
  const units = unitsOf(tree);
  const spent = newSpent();
  return names.flatMap((name) => {
    const unit = findUnit(units, name);
    if (unit === null) return [];
    const { variables } = environmentFor(tree, unit.lines, unit.name);
    return ["ExecStartPre", "ExecStart", "ExecStartPost"].flatMap((key) =>
      assigned(unit.lines, key).flatMap((line) =>
        editsBy(startedBy(commandWords(line, unit.name, variables), { tree, variables, spent }), line.path),
      ),
    );
  });
}

/** Another init than systemd leaves its units unread; where there is none, as in most images, nobody knows. */
function startsUnits(tree: FileTree): boolean {
  const init = tree.stat("/sbin/init", { follow: false });
  return init === null || (init.target ?? "").includes("systemd");
}

function ofUnits(tree: FileTree): StartOptions | null {
  const units = unitsOf(tree);
  const socket = socketService(units);
  if (socket?.name.includes(COMPUTED) === true) {
    const limit = `${socket.path} starts a service whose name has a % specifier: options that it gives sshd are not read`;
    return { ...NO_OPTIONS, limit };
  }
  const enabled = enabledUnits(tree);
  const usual = [...enabled.filter((unit) => USUAL.test(unit)), "ssh.service", "sshd.service"];
  const others = enabled.filter((unit) => MAY_START.test(unit) || startsSshdHere(units, unit));
  for (const name of [...(socket === null ? [] : [socket.name]), ...usual, ...others]) {
    const unit = findUnit(units, name);
    const options = unit === null ? null : optionsOfUnit(tree, unit);
    if (options === null) continue;
    const further = others.flatMap((other) => findUnit(units, other) ?? []);
    return { ...options, ...besides(tree, further, options) };
  }
  return null;
}

const USUAL = /^sshd?(?:@.+)?\.service$/;
/** Looking into all units would cost an image many readings: of the vendor's these. */
const MAY_START = /ssh.*\.service$|^supervisord?\.service$/;

const OWN_UNITS = "/etc/systemd/system";

/** By which targets and services ever, in the order of their names. */
function enabledUnits(tree: FileTree): readonly string[] {
  const folders = (tree.list(OWN_UNITS) ?? []).filter((name) => /\.(?:wants|requires|upholds)$/.test(name));
  const names = folders.flatMap((folder) => tree.list(`${OWN_UNITS}/${folder}`) ?? []);
  return [...new Set(names.filter((name) => name.endsWith(".service")))].sort();
}

/** Written on this system, not enabled by a link to what a package brought. */
function isOwnUnit(tree: FileTree, unit: string): boolean {
  return tree.stat(`${OWN_UNITS}/${unit}`, { follow: false })?.kind === "file";
}

/** What an enabled socket starts: with Accept=yes a service for each connection (systemd.socket(5)). */
function socketService(units: Units): { readonly name: string; readonly path: string } | null {
  const socket = enabledSocket(units);
  if (socket === null) return null;
  const accept = lastOf(socket.lines, "Accept")?.value ?? "no";
  const isEach = /^(?:1|y|yes|t|true|on)$/i.test(accept);
  const named = isEach ? null : lastOf(socket.lines, "Service");
  return named === null
    ? { name: socket.unit.replace(".socket", isEach ? "@.service" : ".service"), path: socket.unit }
    : { name: resolved(named.value, socket.name), path: named.path };
}

/** The sshds of further enabled units, such as sshd-sftp.service, that read or are given something else. */
function besides(tree: FileTree, units: readonly Unit[], first: StartOptions): Pick<StartOptions, "others"> {
  const further = units.flatMap((unit) => {
    const command = commandOf(tree, unit);
    const options = command === null || !startsSshd(tree, command) ? null : optionsOfUnit(tree, unit);
    return command === null || options === null
      ? []
      : [{ ...options, source: options.source ?? command.line.path }];
  });
  return withOthers(first, further);
}

/** A unit of any name that was written on this system. */
function startsSshdHere(units: Units, name: string): boolean {
  const unit = isOwnUnit(units.tree, name) ? findUnit(units, name) : null;
  const command = unit === null ? null : commandOf(units.tree, unit);
  return command !== null && startsSshd(units.tree, command);
}

/** What a unit runs as its service. */
interface Command {
  readonly line: UnitLine;
  readonly lines: readonly UnitLine[];
  readonly words: readonly string[];
  readonly environment: Environment;
}

/** Null: it runs nothing, or systemd does not load it. */
function commandOf(tree: FileTree, { name: unit, lines: read }: Unit): Command | null {
  const broken = read.filter(({ key, value }) => COMMANDS.test(key) && unitWords(value).isBroken);
  // with such a line a unit is not loaded, behind `-` it is passed over
  if (broken.some(({ value }) => !value.startsWith("-"))) return null;
  const lines = read.filter((each) => !broken.includes(each));
  const line = lastOf(lines, "ExecStart");
  if (line === null) return null;
  const environment = environmentFor(tree, lines, unit);
  return { line, lines, words: commandWords(line, unit, environment.variables), environment };
}

function startsSshd(tree: FileTree, { words, environment: { variables } }: Command): boolean {
  return isSshdLike(words[0] ?? "") || startedBy(words, { tree, variables }).starts.length > 0;
}

function optionsOfUnit(tree: FileTree, unit: Unit): StartOptions | null {
  const command = commandOf(tree, unit);
  if (command === null) return null;
  const { line, lines, words, environment } = command;
  const { variables, source } = environment;
  const from = /\$/.test(line.value) ? (source ?? line.path) : line.path;
  // a program of another name may be sshd all the same
  const [program = "", ...args] = words;
  const options = isSshdLike(program)
    ? readOptions(args, from)
    : optionsOf(startedBy([program, ...args], { tree, variables }), from);
  const starting = options ?? readOptions(args, from);
  const before: Situation = { tree, variables, spent: newSpent() };
  const edits = assigned(lines, "ExecStartPre").flatMap((line) =>
    editsBy(startedBy(commandWords(line, unit.name, variables), before), line.path),
  );
  const limit =
    limitOf(line, { environment, words, options }) ??
    options?.limit ??
    editedBefore({ edits }, starting, line.path);
  return { ...ownSshd(isSshdLike(program) ? program : ""), ...starting, limit };
}

/** Settings of a service that are command lines (systemd.service(5)). */
const COMMANDS = /^Exec(?:Condition|Start(?:Pre|Post)?|Reload|Stop(?:Post)?)$/;

function commandWords(
  { value }: UnitLine,
  unit: string,
  variables: ReadonlyMap<string, string>,
): readonly string[] {
  const [prefix = ""] = /^[-@:+!|]*/.exec(value) ?? [];
  // `:` keeps variables as they are written (systemd.service(5), "Command lines")
  return wordsOf(value.slice(prefix.length), unit).flatMap((word) =>
    prefix.includes(":") ? [word] : expandWord(word, variables),
  );
}

function wordsOf(value: string, unit: string): readonly string[] {
  return unitWords(value).words.map((word) => resolved(word, unit));
}

/** Specifiers (systemd.unit(5)): those that the unit's name tells; others are COMPUTED. */
function resolved(text: string, unit: string): string {
  const name = unit.slice(0, unit.lastIndexOf("."));
  const [prefix = "", instance] = name.split(/@(.*)/s);
  const known: Readonly<Record<string, string>> = {
    "%%": "%",
    "%p": prefix,
    // the instance of a template by itself is not known before it runs
    ...(instance === "" ? {} : { "%N": name, "%n": unit, "%i": instance ?? "" }),
  };
  return text.replaceAll(/%[\s\S]?/g, (specifier) => known[specifier] ?? COMPUTED);
}

/** sshd's own name, or a build of it beside the system's: sshd-10, sshd.local */
function isSshdLike(program: string): boolean {
  return /(?:^|\/)sshd[^/]*$/.test(program);
}

/** What can't be followed without running something, or asking systemd. */
function limitOf(
  { path, value }: UnitLine,
  {
    environment,
    words,
    options,
  }: {
    readonly environment: Environment;
    readonly words: readonly string[];
    readonly options: StartOptions | null;
  },
): string | null {
  const isUnknown =
    words.some((word) => word.includes(COMPUTED)) || (environment.isUnknown && value.includes("$"));
  const what =
    options === null
      ? "starts a program that may give sshd options of its own"
      : isUnknown
        ? "starts sshd with options that have a % specifier"
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

interface Environment {
  readonly variables: ReadonlyMap<string, string>;
  /** the last file that it is from; null: the units alone */
  readonly source: string | null;
  /** a file is not found: its name has a specifier that is not known, or its wildcards lead too far */
  readonly isUnknown: boolean;
}

/** Files win over Environment= wherever it stands, and later files over earlier ones (systemd.exec(5)). */
function environmentFor(tree: FileTree, lines: readonly UnitLine[], unit: string): Environment {
  const wordsFor = (key: string): readonly string[] =>
    assigned(lines, key).flatMap(({ value }) => wordsOf(value, unit));
  const defaults = assigned(managerLines(tree), "DefaultEnvironment");
  const words = defaults.flatMap(({ value }) => wordsOf(value, unit));
  const variables = assignments([...words, ...wordsFor("Environment")]);
  const patterns = assigned(lines, "EnvironmentFile").map(({ value }) => resolved(value, unit));
  const found = patterns.map((pattern) => globPaths(tree, pattern.replace(/^-/, "")));
  let source: string | null = null;
  for (const path of found.flatMap((paths) => paths ?? [])) {
    const text = textOf(tree, path);
    if (text === null) continue;
    source = path;
    for (const [name, value] of environmentOf(text)) variables.set(name, value);
  }
  for (const word of wordsFor("UnsetEnvironment")) {
    const [name = "", ...value] = word.split("=");
    if (!word.includes("=") || variables.get(name) === value.join("=")) variables.delete(name);
  }
  return {
    variables,
    source,
    isUnknown: found.includes(null) || patterns.some((pattern) => pattern.includes(COMPUTED)),
  };
}
