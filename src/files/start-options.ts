/**
 * The options with which a tree's service manager starts sshd: they win over the file (sshd(8): -o, -p, -f). Read from
 * systemd units with their drop-ins and environment files (systemd.service(5), systemd.exec(5)), else from init scripts
 * and their settings. Nothing is run.
 */
import { environmentOf } from "./environment-file.ts";
import { textOf } from "./file-text.ts";
import { globPaths } from "./glob.ts";
import { ofScripts } from "./init-script.ts";
import { COMPUTED } from "./shell-expand.ts";
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
} from "./sshd-options.ts";
import { findUnit, managerLines, type Unit, type UnitLine, type Units, unitsOf } from "./systemd-unit.ts";
import { expandWord, unitWords } from "./systemd-words.ts";
import type { FileTree } from "./tree.ts";

export function startOptions(tree: FileTree): StartOptions {
  const ways = startsUnits(tree) ? [ofUnits, ofScripts] : [ofScripts, ofUnits];
  for (const way of ways) {
    const options = way(tree);
    if (options !== null) return options;
  }
  return NO_OPTIONS;
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
  const ofSocket = socket === null ? [] : [socket.name];
  for (const unit of [...ofSocket, "ssh.service", "sshd.service", ...instances(tree)]) {
    const found = findUnit(units, unit);
    const options = found === null ? null : optionsOfUnit(tree, found);
    if (options !== null) return { ...options, ...besides(tree, units, options) };
  }
  return null;
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

/** sshd@main.service, enabled by hand: no other service may be there at all. */
function instances(tree: FileTree): readonly string[] {
  const enabled = tree.list("/etc/systemd/system/multi-user.target.wants") ?? [];
  return enabled.filter((name) => /^sshd?@.+\.service$/.test(name));
}

/** An enabled unit of another name, such as sshd-sftp.service, whose sshd reads or is given something else. */
function besides(
  tree: FileTree,
  units: Units,
  { options, configFile }: StartOptions,
): Pick<StartOptions, "another"> {
  const enabled = tree.list("/etc/systemd/system/multi-user.target.wants") ?? [];
  for (const name of enabled.filter((unit) => /ssh.*\.service$/.test(unit) && !/^sshd?[.@]/.test(unit))) {
    const unit = findUnit(units, name);
    const command = unit === null ? null : lastOf(unit.lines, "ExecStart");
    if (unit === null || command === null || !isSshdLike(commandWords(command, name, new Map())[0] ?? ""))
      continue;
    const other = optionsOfUnit(tree, unit);
    if (
      other === null ||
      JSON.stringify([other.options, other.configFile]) === JSON.stringify([options, configFile])
    )
      continue;
    const file = other.configFile === null ? "" : `, with ${other.configFile}`;
    return { another: `${command.path} starts another sshd${file}: it is not judged` };
  }
  return {};
}

function optionsOfUnit(tree: FileTree, { name: unit, lines: read }: Unit): StartOptions | null {
  const broken = read.filter(({ key, value }) => COMMANDS.test(key) && unitWords(value).isBroken);
  // with such a line a unit is not loaded, behind `-` it is passed over
  if (broken.some(({ value }) => !value.startsWith("-"))) return null;
  const lines = read.filter((line) => !broken.includes(line));
  const command = lastOf(lines, "ExecStart");
  if (command === null) return null;
  const environment = environmentFor(tree, lines, unit);
  const { variables, source } = environment;
  const words = commandWords(command, unit, variables);
  const from = /\$/.test(command.value) ? (source ?? command.path) : command.path;
  // a program of another name may be sshd all the same
  const [program = "", ...args] = words;
  const options = isSshdLike(program)
    ? readOptions(args, from)
    : optionsOf(startedBy([program, ...args], { tree, variables }), from);
  const starting = options ?? readOptions(args, from);
  const edits = assigned(lines, "ExecStartPre").flatMap((line) => {
    const run = startedBy(commandWords(line, unit, variables), { tree, variables });
    return run.edits.map((edit) => ({ ...edit, path: edit.path ?? line.path }));
  });
  const limit =
    limitOf(command, { environment, words, options }) ??
    options?.limit ??
    editedBefore({ edits }, starting, command.path);
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
