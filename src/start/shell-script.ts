/**
 * With which words a shell script starts sshd, read and never run. Every path that it may take is followed at once: a
 * variable has all the values that it may have, and only tests of literal words decide (POSIX.1-2017, Shell Command
 * Language). So there may be several answers; what a program would print is COMPUTED.
 */

import { MAX_TEXT_BYTES, textOf } from "../files/file-text.ts";
import { globPaths } from "../files/glob.ts";
import { DEFAULT_FOLDERS, joined } from "../files/path.ts";
import { execlineCommands } from "./execline.ts";
import { type Builtin, PLAIN_BUILTINS, UNKNOWN } from "./shell-builtins.ts";
import { isProcess, MOST_COMMANDS, type ShellCommand, shellCommands } from "./shell-commands.ts";
import {
  bare,
  changedBy,
  changedByUnknown,
  folderOf,
  isConfigurationFile,
  mayChange,
  namedBy,
  noteEdits,
  placeOf,
} from "./shell-edits.ts";
import { COMPUTED, expandWords, type Fields, isTooLong, substitutionsIn, valuesOf } from "./shell-expand.ts";
import { broughtBy, broughtIn, fedTo, givenTo, MAX_SUBSTITUTION, namesIn, processIn } from "./shell-fed.ts";
import { absolute, firstLine, inPath, readScript, WORKING_FOLDER, workingFolders } from "./shell-files.ts";
import { type Certainty, followFlow, type Outcome } from "./shell-flow.ts";
import { apply, applyNamed, interpret, noteForeign } from "./shell-foreign.ts";
import { filesListed } from "./shell-listing.ts";
import { isSshd, nameOf, SERVICE_MANAGERS, SHELLS, STANDARD_FOLDER, serviceOf } from "./shell-programs.ts";
import {
  ASSIGNMENT,
  affordedText,
  affords,
  assign,
  cutOff,
  deeper,
  isTooDeep,
  leaveUnread,
  NOT_FED,
  newReading,
  type Reading,
  type Situation,
  type Standing,
  type Started,
  setVariable,
  valuesIn,
  withAssignments,
  withOwnVariables,
} from "./shell-reading.ts";
import { usageOf } from "./shell-table.ts";
import { type Used, usedBy, wordsOf } from "./shell-usage.ts";
import { supervisor } from "./supervisors.ts";

/** of one function, where it is not known which of them is meant */
const MAX_BODIES = 8;

/** What a command starts, such as the words of ENTRYPOINT and CMD. */
export function startedBy(command: Fields, situation: Situation): Started {
  const reading = newReading(situation, null, { args: [], named: namesIn });
  execute(reading, entryOf(reading, command), {
    written: command,
    certainty: "yes",
    fed: NOT_FED,
  });
  return reading.found;
}

/** What the text of a script starts. */
export function startedByScript(path: string, args: readonly string[], situation: Situation): Started {
  const reading = newReading(situation, path, { args, named: namesIn });
  followScript(reading, path, args);
  return reading.found;
}

function followScript(reading: Reading, path: string, args: readonly string[]): void {
  if (!affords(reading, {})) return;
  const script = readScript(reading.tree, path);
  if (script === null) {
    leaveUnread(reading, `${path}, which is not there`);
    const by = reading.found.brought.get(nameOf(path));
    if (by !== undefined) mayChange(reading, `what ${by} brings`);
  } else if (script.kind === "other script" && EXECLINE.test(firstLine(script.text)))
    followExecline(reading, path, script.text);
  else if (script.kind === "other script") {
    noteForeign(reading, args, [script.text]);
    leaveUnread(reading, `${path}, which is no shell script`);
  } else if (script.kind === "program") reading.found.program ??= `${path}, which is a program`;
  else if (script.kind === "too long") reading.found.program ??= `${path}, which is larger than 1 MiB`;
  else {
    const own = { path, args: [args], variables: new Map(reading.variables), functions: new Map() };
    const inner = deeper(reading, own);
    if (inner === null) return;
    const interpreter = firstLine(script.text);
    readSettings(inner, path, interpreter);
    run(inner, commandsOf(inner, script.text.replaceAll("\r\n", "\n")));
    if (OPENRC.test(interpreter)) runOpenRc(inner);
  }
}

const EXECLINE = /execlineb/;

function followExecline(reading: Reading, path: string, text: string): void {
  const inner = deeper(withOwnVariables(reading), { path });
  if (inner !== null && affords(reading, { bytes: text.length }))
    for (const words of execlineCommands(text))
      if (follows(inner, words)) execute(inner, words, { written: words, certainty: "yes", fed: NOT_FED });
}

const OPENRC = /openrc-run|runscript/;

/** What an interpreter reads before its script: openrc-run(8), invoke-run(5). */
function readSettings(reading: Reading, path: string, interpreter: string): void {
  const standing: Standing = { written: [], certainty: "yes", fed: NOT_FED };
  if (OPENRC.test(interpreter)) {
    const service = nameOf(path);
    for (const name of ["RC_SVCNAME", "SVCNAME"]) reading.variables.set(name, [service]);
    for (const file of ["/etc/rc.conf", `/etc/conf.d/${service}`]) source(reading, [file], standing);
  }
  const service = path.split("/").at(-2) ?? "";
  if (interpreter.includes("invoke-run")) source(reading, [`/etc/default/${service}`], standing);
}

/** openrc-run(8) calls these, or starts `command` itself. */
function runOpenRc(reading: Reading): void {
  for (const name of ["start_pre", "start"]) callFunction(reading, name, [], "yes");
  if (reading.functions.has("start")) return;
  const written = ["$command", "$command_args", "$command_args_background"];
  for (const fields of expandWords(written, reading))
    execute(reading, fields, { written: written.slice(1), certainty: "maybe", fed: NOT_FED });
}

function callFunction(reading: Reading, name: string, args: readonly string[], certainty: Certainty): void {
  const bodies = reading.functions.get(name) ?? [];
  const inner = deeper(reading, { args: [args] });
  if (inner === null) return;
  for (const body of bodies) run(inner, body, bodies.length === 1 ? certainty : "maybe");
}

function run(reading: Reading, commands: readonly ShellCommand[], outer: Certainty = "yes"): void {
  const scopes = [reading];
  const here = (): Reading => scopes.at(-1) ?? reading;
  followFlow(commands, outer, {
    enter: () => scopes.push(withOwnVariables(here())),
    leave: () => scopes.pop(),
    define: (name, body, certainty) => {
      const { functions } = here();
      functions.set(
        name,
        certainty === "yes" ? [body] : [...(functions.get(name) ?? []), body].slice(-MAX_BODIES),
      );
    },
    redirect: (writes) => {
      for (const file of writes.flatMap((word) => valuesOf(word, here())))
        noteEdits(here(), (at) => [placeOf(file, at)].filter(isConfigurationFile));
    },
    perform: (command, certainty, where) => {
      if (!follows(reading, command.words)) return null;
      return perform(where === "here" ? here() : withOwnVariables(here()), command, certainty);
    },
  });
}

/** Nothing where it is too long. */
function commandsOf(reading: Reading, text: string): readonly ShellCommand[] {
  const commands = affords(reading, { bytes: text.length }) ? shellCommands(text) : [];
  if (commands.length >= MOST_COMMANDS) cutOff(reading);
  return commands;
}

/** Ours: each of so many words costs as much as a command. */
const WORDS_AT_ONCE = 8;

/** False, and cut off: it has too many words, or comes behind too many others. */
function follows(reading: Reading, words: Fields): boolean {
  if (isTooLong(words)) cutOff(reading);
  return !isTooLong(words) && affords(reading, { commands: Math.ceil((words.length + 1) / WORDS_AT_ONCE) });
}

const DECLARING = new Set(["export", "local", "readonly", "declare", "typeset"]);

function perform(reading: Reading, asWritten: ShellCommand, certainty: Certainty): Outcome {
  const command = withProcess(asWritten);
  const { words, input } = command;
  const processes = asWritten.words.filter(isProcess).map((word) => word.slice(2, -1));
  const printing = [...words.flatMap((word) => substitutionsIn(word)), ...processIn(input), ...processes];
  for (const text of new Set(printing)) runAside(reading, text);
  noteBrought(reading, command);
  const isDeclaring = DECLARING.has(words[0] ?? "");
  const count = words.findIndex((word, index) => !(isDeclaring && index === 0) && !ASSIGNMENT.test(word));
  if (count === -1 || isDeclaring) {
    for (const word of words) assign(reading, word, certainty);
    return { result: words.some((word) => /[$`]/.test(word)) && !isDeclaring ? null : true, ends: false };
  }
  const written = words.slice(count);
  if (written[0] === "for" || written[0] === "select") return loop(reading, written, certainty);
  if (written[0] === "case") return UNKNOWN;
  const alternatives = expandWords(written, reading);
  if (alternatives.some(isTooLong)) {
    cutOff(reading);
    return UNKNOWN;
  }
  const each: Certainty = alternatives.length === 1 ? certainty : "maybe";
  const [name = ""] = written;
  const fed = fedTo(reading, command);
  const by = BUILTINS.has(name) || reading.functions.has(name) ? "the shell" : "a program";
  const outcomes = withAssignments(reading, { assignments: words.slice(0, count), certainty, by }, (inner) =>
    alternatives.map((fields) => execute(inner, fields, { written, certainty: each, fed })),
  );
  return outcomes.length === 1
    ? (outcomes[0] ?? UNKNOWN)
    : { result: null, ends: outcomes.length > 0 && outcomes.every(({ ends }) => ends) };
}

const STANDARD_INPUT = "/dev/stdin";

/** Who reads a script from what a process prints, as `bash <(…)`, reads it as from its standard input. */
function withProcess(command: ShellCommand): ShellCommand {
  const process = command.words.find((word) => word.startsWith("<("));
  if (process === undefined) return command;
  const words = command.words.map((word) => (word === process ? STANDARD_INPUT : word));
  return { ...command, words, isFed: true, input: { kind: "file", text: process } };
}

/** What is brought from elsewhere and run, now or as a file later. */
function noteBrought(reading: Reading, { words, input, writes }: ShellCommand): void {
  const [name = ""] = words;
  if (usageOf(nameOf(name))?.fetches === true)
    for (const file of [...words.slice(1), ...writes].flatMap((word) => valuesOf(word, reading)))
      reading.found.brought.set(nameOf(file), nameOf(name));
  if (!RUNS_TEXTS.has(name) && !SHELLS.test(nameOf(name))) return;
  const brought = [...words.map(broughtIn), ...processIn(input).map(broughtBy)].find((by) => by !== null);
  if (brought !== undefined && brought !== null) mayChange(reading, `what ${brought} brings`);
}

const RUNS_TEXTS = new Set(["eval", ".", "source"]);

/** What only prints starts nothing, but may change files all the same: `out=$(sed -i … 2>&1)`. */
function runAside(reading: Reading, text: string): void {
  if (text.length > MAX_SUBSTITUTION || isTooDeep(reading)) return;
  const found = { ...reading.found, starts: [], settings: [] };
  const inner = deeper(withOwnVariables(reading), { found });
  if (inner !== null) run(inner, commandsOf(reading, text), "maybe");
}

function loop(
  reading: Reading,
  [, name = "", keyword, ...words]: readonly string[],
  certainty: Certainty,
): Outcome {
  const named = keyword === "in" ? expandWords(words, reading).flat() : reading.args.flat();
  const values = named.flatMap((value) => filesOf(reading, value));
  if (values.length > 0) setVariable(reading, name, values, certainty);
  return UNKNOWN;
}

/** `for script in /etc/entrypoint.d/*`: the files where there are any, as a shell has it. */
function filesOf({ tree }: Reading, value: string): readonly string[] {
  const found = /^\/.*[*?[]/.test(value) ? (globPaths(tree, value) ?? []) : [];
  return found.length === 0 ? [value] : found;
}

function execute(reading: Reading, fields: Fields, standing: Standing): Outcome {
  const [program = "", ...args] = fields;
  const name = nameOf(program);
  const builtin = BUILTINS.get(program);
  if (isSshd(program)) startSshd(reading, fields, standing);
  else if (reading.functions.has(program)) callFunction(reading, program, args, standing.certainty);
  else if (builtin !== undefined) return builtin(reading, args, standing);
  else if (managesServices(reading, program)) reading.found.services = true;
  else if (name === "find") findAndRun(reading, fields, standing);
  else if (name === "run-parts") for (const path of partsIn(reading, args)) followScript(reading, path, []);
  else if (supervisor(reading.tree, program) !== null) supervise(reading, fields, standing);
  else if (name === "start-stop-daemon") startStopDaemon(reading, args, standing);
  else if (serviceOf(program, args) !== null)
    followScript(reading, serviceOf(program, args) ?? "", ["start"]);
  else use(reading, fields, standing);
  return UNKNOWN;
}

/** By what the table says of it; a script by the name of a program that is known is a script. */
function use(reading: Reading, fields: Fields, standing: Standing): void {
  const [program = ""] = fields;
  const used = isOwnScript(reading, program) ? null : usedBy(fields);
  if (used === null) {
    executeOther(reading, fields, standing);
    return;
  }
  const before = [...reading.found.edits];
  const values = valuesIn(reading);
  const textAt = (path: string): string | null => affordedText(reading, path);
  noteEdits(reading, (at) => changedBy(used, { tree: reading.tree, textAt, values, at, edits: before }));
  applyNamed(reading, program, used);
  const inner = within(reading, used);
  if (used.usage.applies !== undefined) apply(inner, program, used, standing);
  else if (used.usage.language === "other") runForeign(inner, fields, used, standing);
  else if (used.usage.language === "shell") runTexts(inner, used, standing);
  const splits = wordsOf(used, "split");
  for (const text of splits) runText(inner, `${text} "$@"`, used.command ?? [], standing.certainty);
  if (used.command !== null && splits.length === 0) runCommand(inner, used, standing);
}

/** What is not the system's, though it has a name that is known. */
function isOwnScript({ tree }: Reading, program: string): boolean {
  return (
    program.startsWith("/") &&
    !STANDARD_FOLDER.test(program) &&
    readScript(tree, program)?.kind === "shell script"
  );
}

/** Where a program's command, or its texts, run: with other variables, in another folder, or below another root. */
function within(reading: Reading, used: Used): Reading {
  const { options, assignments } = used;
  const inner = withOwnVariables(reading);
  const { variables } = inner;
  // an empty environment, or without some names
  if (used.usage.assigns === true && ["-", "i", "ignore-environment"].some((name) => options.has(name)))
    variables.clear();
  for (const name of wordsOf(used, "unset")) variables.delete(name);
  for (const word of assignments) {
    const [, name = "", , value = ""] = ASSIGNMENT.exec(word) ?? [];
    if (name !== "") variables.set(name, [value]);
  }
  if (wordsOf(used, "folder").length > 0) {
    const folders = workingFolders(reading.variables).map((at) => folderOf(used, at) ?? COMPUTED);
    variables.set(WORKING_FOLDER, folders);
  }
  const [root] = wordsOf(used, "root");
  if (root === undefined) return inner;
  variables.set(WORKING_FOLDER, ["/"]);
  return { ...inner, root: bare(reading.root + absolute(reading, root)).replace(/^\/$/, "") };
}

/** Of another language's script nothing is known, unless its name says that it is a supervisor. */
function runForeign(reading: Reading, fields: Fields, used: Used, standing: Standing): void {
  const [script = ""] = wordsOf(used, "script");
  if (supervisor(reading.tree, script) === null) interpret(reading, fields, used, standing);
  else supervise(reading, [script, ...wordsOf(used, "argument")], standing);
}

/** All that it starts, each with an environment of its own. */
function supervise(reading: Reading, command: Fields, { certainty }: Standing): void {
  const { tree, variables } = reading;
  const [program = ""] = command;
  const folder = workingFolders(variables)[0] ?? reading.folder;
  const services = supervisor(tree, program)?.(command, { tree, variables, folder }) ?? null;
  const inside = services === null ? null : deeper(reading, {});
  if (services === null) leaveUnread(reading, `${program}, whose own files say what it starts`);
  else if (inside !== null && affords(reading, { commands: services.length }))
    for (const service of services) {
      const own = { path: service.path, service: ++reading.found.begun };
      const inner: Reading = { ...withOwnVariables(inside), ...own };
      for (const [name, value] of service.variables) inner.variables.set(name, [value]);
      if (service.folder !== null) inner.variables.set(WORKING_FOLDER, [service.folder]);
      const words = entryOf(inner, service.words);
      execute(inner, words, { written: words, certainty, fed: NOT_FED });
    }
}

function runCommand(reading: Reading, { usage, command, acts }: Used, standing: Standing): void {
  const words = command ?? [];
  const at = words.findIndex((word) => !word.includes(COMPUTED));
  if (at === -1 && words.length > 0) leaveUnread(reading, "what a script computes");
  if (at === -1) return;
  const own = words.slice(at);
  const commands = usage.given === true ? givenTo(reading, own, acts, standing) : [own];
  const fed = usage.given === true ? NOT_FED : standing.fed;
  for (const each of commands) execute(reading, each, { ...standing, fed });
}

/** What a shell is given: a text, a script, or its standard input. */
function runTexts(reading: Reading, used: Used, { certainty, fed }: Standing): void {
  const [text] = wordsOf(used, "text");
  const script = wordsOf(used, "script").find((word) => word !== STANDARD_INPUT);
  const args = wordsOf(used, "argument");
  if (text !== undefined) runText(reading, text, args.slice(1), certainty);
  else if (script !== undefined) followScript(reading, absolute(reading, script), args);
  if (used.command !== null || !fed.isFed) return;
  if ((text ?? script) !== undefined && !used.options.has("s")) return;
  if (fed.texts === null) {
    leaveUnread(reading, "what a shell reads from its standard input");
    mayChange(reading, "what a shell reads from its standard input");
  }
  for (const each of fed.texts ?? [])
    runText(reading, each, args, fed.texts?.length === 1 ? certainty : "maybe");
}

/** run-parts(8) runs what a folder holds. */
function partsIn(reading: Reading, args: readonly string[]): readonly string[] {
  const named = args.findLast((word) => !word.startsWith("-"));
  const folder = absolute(reading, named ?? "");
  return (reading.tree.list(folder) ?? []).map((name) => joined(folder, name));
}

/** find(1): what it runs with a configuration that it may meet, or deletes. */
function findAndRun(reading: Reading, fields: Fields, standing: Standing): void {
  const at = fields.findIndex((word) => /^-(?:exec|ok)(?:dir)?$/.test(word));
  const named = (from: string | null): readonly string[] => namedBy(fields, from);
  const met = (from: string | null): readonly string[] => [
    ...named(from),
    ...filesListed(reading.tree, fields, from),
  ];
  if (fields.includes("-delete")) noteEdits(reading, named);
  if (at === -1) return;
  const end = fields.findIndex((word, index) => index > at && (word === ";" || word === "+"));
  const command = fields.slice(at + 1, end === -1 ? undefined : end);
  for (const file of new Set(workingFolders(reading.variables).flatMap(met)))
    execute(
      reading,
      command.map((word) => word.replaceAll("{}", file)),
      standing,
    );
}

/** A script by sshd's name may give options of its own to the real one. */
function startSshd(reading: Reading, [program = "", ...args]: Fields, standing: Standing): void {
  const script = wrapperOf(reading, program);
  const before = reading.found.starts.length;
  if (script !== null) followScript(reading, script, args);
  if (reading.found.starts.length === before) start(reading, [program, ...args], standing);
}

/** Ours: no wrapper is as long, and each sshd is longer. */
const MAX_WRAPPER_BYTES = 64 * 1024;

function wrapperOf(reading: Reading, program: string): string | null {
  const { tree, variables } = reading;
  const folders = variables.get("PATH")?.at(-1)?.split(":") ?? DEFAULT_FOLDERS;
  const places = program.startsWith("/") ? [program] : folders.map((folder) => `${folder}/${program}`);
  const path = places.find((place) => tree.stat(place)?.kind === "file");
  const size = path === undefined ? null : tree.stat(path)?.size;
  if (path === undefined || isTooDeep(reading) || (size ?? 0) > MAX_WRAPPER_BYTES) return null;
  return readScript(tree, path)?.kind === "shell script" ? path : null;
}

/** `/init` is a container's own, as s6-overlay's is, unless it is a link to the system's. */
function managesServices({ tree }: Reading, program: string): boolean {
  const isOwn = nameOf(program) === "init" && program.includes("/") && !STANDARD_FOLDER.test(program);
  const real = isOwn ? (tree.stat(program)?.realPath ?? program) : program;
  return (
    SERVICE_MANAGERS.has(nameOf(real)) && (!isOwn || nameOf(real) !== "init" || STANDARD_FOLDER.test(real))
  );
}

/** A script of the tree is followed; of another program only the words behind sshd's name are known. */
function executeOther(reading: Reading, [program = "", ...args]: Fields, standing: Standing): void {
  const place = placeOfProgram(reading, program);
  const isScript = place !== null && isShellScript(reading, place);
  // of the system's own programs nothing is followed but scripts
  const path = place !== null && STANDARD_FOLDER.test(place) && !isScript ? null : place;
  const at = args.findIndex((word) => /^\/.*bin\//.test(word) && isSshd(word));
  // sshd only reads what its own words name
  const own = at === -1 ? args : args.slice(0, at);
  if (!isScript) noteEdits(reading, (from) => changedByUnknown(own, from));
  if (path !== null && (at === -1 || isScript)) followScript(reading, path, args);
  else if (at !== -1) start(reading, args.slice(at), standing);
}

/** Null: it is not there. */
function placeOfProgram(reading: Reading, program: string): string | null {
  return program.includes("/")
    ? absolute(reading, program)
    : inPath(reading.tree, reading.variables.get("PATH")?.at(-1), program);
}

/** To read a long one from the system's folders to find out that it is a program would be in vain. */
function isShellScript({ tree }: Reading, path: string): boolean {
  const isLong = STANDARD_FOLDER.test(path) && (tree.stat(path)?.size ?? 0) > MAX_WRAPPER_BYTES;
  return !isLong && readScript(tree, path)?.kind === "shell script";
}

/** What only looks at the configuration starts nothing (sshd(8): -t, -T, -G, -V). */
function start(
  { found, path, service }: Reading,
  [program = "", ...words]: Fields,
  { written, certainty }: Standing,
): void {
  if (words.some((word) => /^-[46dDeiqr]*[tTGV?]/.test(word))) return;
  found.starts.push({ program, words, path, written, service, isCertain: certainty === "yes" });
}

function runText(reading: Reading, text: string, args: readonly string[], certainty: Certainty): void {
  if (text.includes(COMPUTED)) leaveUnread(reading, "what a script computes");
  const inner = deeper(withOwnVariables(reading), { args: [args] });
  if (inner !== null) run(inner, commandsOf(inner, text), certainty);
}

/** start-stop-daemon(8): the options of sshd, or of a supervisor, stand behind `--`. */
function startStopDaemon(reading: Reading, args: readonly string[], standing: Standing): void {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const sshd = own.find(isSshd);
  const isStart = own.some((word) => /^(?:--start|-\w*S\w*)$/.test(word));
  const other =
    sshd === undefined && isStart ? own.find((word) => /^\/.*bin\/supervisord$/.test(word)) : undefined;
  if (other !== undefined) supervise(reading, [other, ...(end === -1 ? [] : args.slice(end + 1))], standing);
  if (isStart && sshd !== undefined)
    start(reading, [sshd, ...(end === -1 ? [] : args.slice(end + 1))], {
      ...standing,
      written: standing.written.slice(standing.written.indexOf("--") + 1),
    });
}

const BUILTINS: ReadonlyMap<string, Builtin> = new Map([
  ...PLAIN_BUILTINS,
  [".", source],
  ["source", source],
  ["exec", replaceShell],
  ["trap", trap],
  ["eval", evaluate],
]);

/** What the system has for all its init scripts. */
const OF_INIT_SCRIPTS =
  /^(?:\/usr)?\/(?:etc(?:\/rc\.d)?(?:\/init\.d)?|lib(?:exec)?\/(?:lsb|rc\/sh|gentoo))\/(?:init-)?functions(?:\.sh)?$|^\/etc\/rc\.(?:status|subr)$/;

function source(
  reading: Reading,
  [named = "", ...args]: readonly string[],
  { certainty, fed }: Standing,
): Outcome {
  if (named === STANDARD_INPUT) return evaluate(reading, fed.texts ?? [], { certainty });
  const path = absolute(reading, named);
  if (OF_INIT_SCRIPTS.test(path)) return UNKNOWN;
  const size = reading.tree.stat(path)?.size;
  const text = (size ?? 0) > MAX_TEXT_BYTES ? null : textOf(reading.tree, path);
  // a relative name is looked for in PATH and the working folder, which nobody knows
  if (text === null && (size !== undefined || !named.startsWith("/"))) reading.found.settingsUnknown = true;
  // not all shells give it words of its own
  const inner =
    text === null ? null : deeper(reading, args.length > 0 ? { args: [args, ...reading.args] } : {});
  if (text === null || inner === null) return UNKNOWN;
  reading.found.settings.push(path);
  // a file that is there is read: tests before it ask for that
  run(inner, commandsOf(inner, text), certainty === "no" ? "no" : "yes");
  return UNKNOWN;
}

function replaceShell(reading: Reading, args: readonly string[], standing: Standing): Outcome {
  const at = args.findIndex((word) => !/^-[acl]+$/.test(word));
  if (at === -1) return UNKNOWN;
  const command = args.slice(args[at - 1] === "-a" ? at + 1 : at);
  if (command[0]?.includes(COMPUTED) === true) leaveUnread(reading, "what a script computes");
  else execute(reading, entryOf(reading, command), standing);
  return { result: null, ends: true };
}

/** A program that is looked for in PATH, with its folder where it is a script there. */
function entryOf(
  { tree, variables }: Pick<Reading, "tree" | "variables">,
  [program = "", ...args]: Fields,
): Fields {
  return [inPath(tree, variables.get("PATH")?.at(-1), program) ?? program, ...args];
}

/** What a signal, or the end, makes it do starts nothing now. */
function trap(reading: Reading, [text = ""]: readonly string[]): Outcome {
  runAside(reading, text);
  return UNKNOWN;
}

function evaluate(
  reading: Reading,
  args: readonly string[],
  { certainty }: Pick<Standing, "certainty">,
): Outcome {
  const inner = deeper(reading, {});
  if (inner !== null) run(inner, commandsOf(reading, args.join(" ")), certainty);
  return UNKNOWN;
}
