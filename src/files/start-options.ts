/**
 * The options with which a tree's service manager starts sshd: they win over the file (sshd(8): -o, -p, -f). Read from
 * systemd units with their drop-ins and environment files (systemd.service(5), systemd.exec(5)), else from init scripts
 * and their settings. Nothing is run.
 */
import { environmentOf } from "./environment-file.ts";
import { textOf } from "./file-text.ts";
import { globPaths } from "./glob.ts";
import { ofScripts } from "./init-script.ts";
import { startedBy } from "./shell-script.ts";
import { assignments, expand } from "./shell-words.ts";
import { enabledSocket } from "./socket-unit.ts";
import { NO_OPTIONS, optionsOf, readOptions, type StartOptions } from "./sshd-options.ts";
import { type UnitLine, unitLines } from "./systemd-unit.ts";
import { unitWords } from "./systemd-words.ts";
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
  for (const unit of [...connectionUnits(tree), "ssh.service", "sshd.service"]) {
    const options = unitOptions(tree, unit);
    if (options !== null) return options;
  }
  return null;
}

/** What runs for each connection of an enabled socket with Accept=yes (systemd.socket(5)). */
function connectionUnits(tree: FileTree): readonly string[] {
  const socket = enabledSocket(tree);
  const accept = lastOf(socket?.lines ?? [], "Accept")?.value ?? "no";
  return socket !== null && /^(?:1|y|yes|t|true|on)$/i.test(accept)
    ? [socket.unit.replace(".socket", "@.service")]
    : [];
}

function unitOptions(tree: FileTree, unit: string): StartOptions | null {
  const lines = unitLines(tree, unit);
  const command = lines === null ? null : lastOf(lines, "ExecStart");
  if (lines === null || command === null) return null;
  const { variables, source } = environmentFor(tree, lines);
  const [prefix = ""] = /^[-@:+!|]*/.exec(command.value) ?? [];
  // `:` keeps variables as they are written (systemd.service(5), "Command lines")
  const written = unitWords(command.value.slice(prefix.length));
  const words = written
    .map((word) => word.replaceAll("%%", "%"))
    .flatMap((word) => (prefix.includes(":") ? [word] : expand(word, variables)));
  const from = /\$/.test(command.value) ? (source ?? command.path) : command.path;
  // a program of another name may be sshd all the same
  const [program = "", ...args] = words;
  const options = isSshdLike(program)
    ? readOptions(args, from)
    : optionsOf(startedBy([program, ...args], { tree, variables }), from);
  return { ...(options ?? readOptions(args, from)), limit: limitOf(command, written, options) };
}

/** sshd's own name, or a build of it beside the system's: sshd-10, sshd.local */
function isSshdLike(program: string): boolean {
  return /(?:^|\/)sshd[^/]*$/.test(program);
}

/** What can't be followed without running something, or asking systemd (systemd.unit(5), "Specifiers"). */
function limitOf(
  { path }: UnitLine,
  written: readonly string[],
  options: StartOptions | null,
): string | null {
  if (options?.limit != null) return options.limit;
  const what =
    options === null
      ? "starts a program that may give sshd options of its own"
      : written.some((word) => word.replaceAll("%%", "").includes("%"))
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

/** Files win over Environment= wherever it stands, and later files over earlier ones (systemd.exec(5)). */
function environmentFor(
  tree: FileTree,
  lines: readonly UnitLine[],
): { readonly variables: ReadonlyMap<string, string>; readonly source: string | null } {
  const variables = assignments(assigned(lines, "Environment").flatMap(({ value }) => unitWords(value)));
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
    for (const word of unitWords(value)) variables.delete(word);
  return { variables, source };
}
