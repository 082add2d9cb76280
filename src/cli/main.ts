/** The command line: options to calls, answers to exit codes. Commands are loaded when they run. */
import { Command, CommanderError } from "commander";
import { closestWord } from "../lint/closest-word.ts";
import { visibleText } from "../report/text.ts";
import { addAudit, addAuditShare } from "./audit-command.ts";
import type { Done } from "./command-options.ts";
import { addConfirm, addForward, addProbe, addProbeInside, addRecover } from "./host-commands.ts";
import { delayOptions } from "./named-options.ts";
import { overwritten } from "./overwriting.ts";
import { addCheck, addCompare, addEffective, addExposure, addRules } from "./question-commands.ts";
import { writeStandardError, writeStandardOutput } from "./standard-output.ts";
import { systemReason } from "./system-reason.ts";
import { readInOneThread } from "./v8-flags.ts";
import { ownVersion } from "./version.ts";

const EXIT = { usage: 2, internal: 3 } as const;

const EXAMPLES = `
Examples:
  sshd-policy audit                              what this host's own sshd reads
  sshd-policy audit --diff etc/ssh/sshd_config   what --fix would change
  sshd-policy exposure --image server.tar        who can forward through an image
  sshd-policy rules tcp-forwarding               what a finding means`;

const EXIT_CODES = `
Exit codes:
  0  nothing to report, or all fixed
  1  findings remain, the diff is not empty, policies differ, the file is refused
  2  wrong usage, or an input that cannot be read
  3  internal error, or an answer that is not complete
  4  a fix was applied and rolled back`;

/** In the order of the help. */
const COMMANDS: ReadonlyMap<string, (program: Command, done: Done) => void> = new Map([
  ["audit", addAudit],
  ["exposure", addExposure],
  ["compare", addCompare],
  ["effective", addEffective],
  ["check", addCheck],
  ["confirm", addConfirm],
  ["recover", addRecover],
  ["probe", addProbe],
  ["forward", addForward],
  ["rules", addRules],
  ["probe-inside", addProbeInside],
  ["audit-share", addAuditShare],
]);

async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("sshd-policy")
    .description("audits and edits OpenSSH's sshd_config: who can forward what through this server")
    .version(ownVersion())
    .addHelpText("after", `${EXAMPLES}\n${EXIT_CODES}`)
    .exitOverride()
    .hook("preAction", refuseEmpty)
    .hook("preAction", refuseOverwriting)
    .hook("preAction", readInOneThreadOfImages)
    .configureOutput({
      writeOut: printHelp,
      outputError: (text, write) => write(refusalText(text, argv)),
    });
  const done: Done = (found) => {
    code = found;
  };
  // each option takes time, so a command that is named first is the only one that is made
  const isHelp = argv[2] === "help";
  const asked = COMMANDS.get(argv[2] ?? "");
  if (asked === undefined) for (const add of COMMANDS.values()) add(program, done);
  else addNamed(program, argv.slice(3), (named) => asked(named, done));
  try {
    if (isHelp) refuseUnknown(program, argv[3]);
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : EXIT.usage;
  }
}

/** commander would print the whole help instead. */
function refuseUnknown(program: Command, name: string | undefined): void {
  if (name === undefined || name.startsWith("-") || name === "help" || COMMANDS.has(name)) return;
  const shown = program.createHelp().visibleCommands(program);
  const near = closestWord(
    name,
    shown.map((command) => command.name()),
  );
  program.error(`error: unknown command '${name}'${near === null ? "" : `\n(Did you mean ${near}?)`}`);
}

/** What commander says of a call, whose words may hold anything: its own line breaks stand before a suggestion and at the end. */
function refusalText(text: string, argv: readonly string[]): string {
  const [, said = "", suggestion = ""] =
    /^(?:error: )?(.*?)(\n\(Did you mean [^\n]*\?\))?\n?$/s.exec(text) ?? [];
  return `sshd-policy: ${visibleText(said)}${nearSuggestion(said, suggestion)}${orderAdvice(said, argv)}\n`;
}

/** The program itself has next to no options. */
function orderAdvice(said: string, [, , first = "", ...others]: readonly string[]): string {
  const command = first.startsWith("-") ? others.find((word) => COMMANDS.has(word)) : undefined;
  return command === undefined || !said.startsWith("unknown option")
    ? ""
    : `: the options of ${command} stand behind it`;
}

/** commander takes --root for what --foo may have meant. */
function nearSuggestion(said: string, suggestion: string): string {
  return suggestion.replace(/\n\(Did you mean (?:one of )?(.*)\?\)/, (_, names: string) => {
    const asked = /'-*([^']*)'/.exec(said)?.[1] ?? "";
    const near = closestWord(
      asked,
      names.split(", ").map((name) => name.replace(/^-+/, "")),
    );
    const shown = names.split(", ").find((name) => name.replace(/^-+/, "") === near);
    return shown === undefined ? "" : `\n(Did you mean ${shown}?)`;
  });
}

/** One command, with the options that its arguments need. */
function addNamed(program: Command, args: readonly string[], add: (program: Command) => void): void {
  const { createCommand } = program;
  program.createCommand = (name) => {
    const { command, makeOptions } = delayOptions(name);
    waiting.push(makeOptions);
    return command;
  };
  const waiting: ((args: readonly string[]) => void)[] = [];
  add(program);
  Object.assign(program, { createCommand });
  for (const makeOptions of waiting) makeOptions(args);
}

/** The help, or the version. */
function printHelp(text: string): void {
  try {
    writeStandardOutput([Buffer.from(text)]);
  } catch (error) {
    writeStandardError(`sshd-policy: standard output cannot be written: ${systemReason(error)}\n`);
    throw new CommanderError(EXIT.usage, "sshd-policy.output", "");
  }
}

/** An empty connection, setting or list of key options says nothing; an empty name is a variable of a script that is not set. */
const MAY_BE_EMPTY: readonly string[] = ["-C", "-o", "--key-options"];

function refuseEmpty(_: Command, command: Command): void {
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    const name = option.long ?? option.short ?? "";
    const isEmpty = value === "" || (Array.isArray(value) && value.includes(""));
    if (isEmpty && !MAY_BE_EMPTY.includes(name))
      command.error(`${name} has no value: an empty argument stands where one is wanted`);
  }
}

/** Before anything is opened: --events empties its file at once. */
async function refuseOverwriting(_: Command, command: Command): Promise<void> {
  const refusal = await overwritten(command.args, command.opts());
  if (refusal !== null) command.error(refusal);
}

/** Before the modules of an audit are run, which is what fills V8's room for new objects the first time. */
function readInOneThreadOfImages(_: Command, command: Command): void {
  if (command.opts()["image"] !== undefined) readInOneThread();
}

/** Arguments that are no UTF-8 are read as bytes. */
async function argumentsGiven(): Promise<readonly string[]> {
  const { argv } = process;
  if (!argv.some((argument) => argument.includes("\ufffd"))) return argv;
  return (await import("./arguments.ts")).withBytes(argv);
}

/** Where nothing is waited for, not even a reader of what was written: to end by itself Node.js takes its heap apart first. */
function endAtOnce(): void {
  if (process.getActiveResourcesInfo().length === 0) process.exit();
}

/** Somebody removed it, and a relative name leads nowhere. */
function isFolderGone(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === "uv_cwd";
}

argumentsGiven()
  .then(main)
  .then(
    (code) => {
      process.exitCode = code;
      endAtOnce();
    },
    (error: unknown) => {
      if (isFolderGone(error)) {
        writeStandardError(`sshd-policy: the current folder cannot be used: ${systemReason(error)}\n`);
        process.exitCode = EXIT.usage;
        return;
      }
      const text = error instanceof Error ? error.message : String(error);
      writeStandardError(`sshd-policy: internal error: ${visibleText(text)}\n`);
      process.exitCode = EXIT.internal;
    },
  );
