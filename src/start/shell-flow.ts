/**
 * Which commands of a shell script run, as far as its tests say so (POSIX.1-2017, Shell Command Language, 2.9.3, 2.9.4):
 * whoever performs them tells whether one succeeds, where that is known.
 */
import type { ShellCommand } from "./shell-commands.ts";

export type Certainty = "yes" | "maybe" | "no";

/** beside: in a pipe or behind `&`, where it changes no variable of the script */
export type Where = "here" | "beside";

export interface Outcome {
  /** whether it succeeds; null: nobody knows */
  readonly result: boolean | null;
  /** exit, or exec: nothing behind it runs */
  readonly ends: boolean;
}

export interface Performer {
  /** into what has variables and functions of its own: a subshell, a compound command in a pipe or behind `&` */
  readonly enter: () => void;
  readonly leave: () => void;
  readonly define: (name: string, body: readonly ShellCommand[], certainty: "yes" | "maybe") => void;
  /** never asked about a command that does not run; null: enough was read */
  readonly perform: (command: ShellCommand, certainty: "yes" | "maybe", where: Where) => Outcome | null;
  /** of a command that may run, simple or not */
  readonly redirect: (writes: readonly string[]) => void;
}

interface Frame {
  /** where the whole compound command stands */
  around: Certainty;
  /** it has variables and functions of its own, and an exit in it ends nothing else */
  readonly isOwn: boolean;
  /** what closes it, where that has an input for all that is in it */
  readonly fed: ShellCommand | null;
  /** the branch of it that is being read */
  runs: Certainty;
  /** of if: whether an earlier branch was taken; null: nobody knows */
  taken: boolean | null;
}

interface Flow {
  readonly frames: Frame[];
  result: boolean | null;
  /** what stands before the next command */
  link: string;
  isNegated: boolean;
  readonly performer: Performer;
}

export function followFlow(commands: readonly ShellCommand[], outer: Certainty, performer: Performer): void {
  const flow: Flow = { frames: [], result: null, link: ";", isNegated: false, performer };
  const closings = closingsOf(commands);
  for (let index = 0; index < commands.length; index++) {
    const command = commands[index];
    if (command === undefined) return;
    const certainty = certaintyIn(flow, outer);
    if (command.kind === "function") {
      const end = endOfBody(commands, index + 1);
      define(flow, command.reserved ?? "", commands.slice(index + 1, end), certainty);
      index = end - 1;
      continue;
    }
    if (opens(command)) {
      const isLoop = command.kind === "simple";
      const closing = closings.get(index);
      const isOwn = isBeside(flow, closing);
      const fed = closing === undefined || closing.input === null ? null : closing;
      push(flow, {
        around: certainty,
        isOwn,
        fed,
        runs: isLoop ? "maybe" : "yes",
        taken: isLoop ? null : false,
      });
    }
    if (certainty !== "no" && command.writes.length > 0) performer.redirect(command.writes);
    if (command.kind === "reserved") reserve(flow, command.reserved ?? "");
    else if (command.words.length > 0) {
      if (certainty !== "no" && !perform(flow, command, certainty)) return;
      flow.isNegated = false;
    }
    goOn(flow, command, certainty);
  }
}

function define(flow: Flow, name: string, body: readonly ShellCommand[], certainty: Certainty): void {
  const last = body.at(-1);
  if (certainty !== "no" && !isBeside(flow, last)) flow.performer.define(name, body, certainty);
  flow.result = joined(flow, true);
  // what stands behind its `}` is not the function's
  if (last !== undefined && closes(last)) goOn(flow, last, certainty);
}

/** Whether anything behind it may run. */
function perform(flow: Flow, command: ShellCommand, certainty: "yes" | "maybe"): boolean {
  const where = isBeside(flow, command) ? "beside" : "here";
  const outcome = flow.performer.perform(withInput(flow, command), certainty, where);
  if (outcome === null) return false;
  if (outcome.ends && certainty === "yes" && where === "here" && endsAll(flow)) return false;
  const { result } = outcome;
  flow.result = joined(flow, flow.isNegated && result !== null ? !result : result);
  return true;
}

/** `while read …; do …; done <file` gives the file to all that has no input of its own. */
function withInput({ frames }: Flow, command: ShellCommand): ShellCommand {
  const fed = command.isFed ? undefined : frames.findLast((frame) => frame.fed !== null)?.fed;
  return fed === undefined || fed === null ? command : { ...command, isFed: true, input: fed.input };
}

/** `last`: the command, or what closes the compound one. */
function isBeside({ link }: Flow, last: ShellCommand | undefined): boolean {
  return link === "|" || /^[|&]$/.test(last?.end ?? "");
}

/** Of `a && b`, with the result of b: where nobody knows whether b runs, only what both would make is known. */
function joined({ result, link }: Flow, own: boolean | null): boolean | null {
  if (result !== null || (link !== "&&" && link !== "||")) return own;
  return own === (link === "||") ? own : null;
}

/** What opens a compound command that a word closes. */
function opens({ kind, reserved, words }: ShellCommand): boolean {
  return kind === "reserved"
    ? /^(?:if|while|until|\{)$/.test(reserved ?? "")
    : /^(?:for|select|case)$/.test(words[0] ?? "");
}

function closes({ kind, reserved }: ShellCommand): boolean {
  return kind === "reserved" && /^(?:fi|done|esac|\})$/.test(reserved ?? "");
}

/** The word that closes each compound command. */
function closingsOf(commands: readonly ShellCommand[]): ReadonlyMap<number, ShellCommand> {
  const found = new Map<number, ShellCommand>();
  const open: number[] = [];
  for (const [index, command] of commands.entries()) {
    if (opens(command)) open.push(index);
    const opened = closes(command) ? open.pop() : undefined;
    if (opened !== undefined) found.set(opened, command);
  }
  return found;
}

function push({ frames, performer }: Flow, frame: Frame): void {
  if (frame.isOwn) performer.enter();
  frames.push(frame);
}

function pop({ frames, performer }: Flow): void {
  if (frames.pop()?.isOwn === true) performer.leave();
}

/** An exit ends the innermost subshell: the rest of it, and all that is open in it, does not run. */
function endsAll({ frames }: Flow): boolean {
  const at = frames.findLastIndex(({ isOwn }) => isOwn);
  for (const frame of at === -1 ? [] : frames.slice(at)) frame.around = "no";
  return at === -1;
}

/** A subshell is a frame of its own; what runs in a pipe or beside tells nothing. */
function goOn(flow: Flow, { end }: ShellCommand, certainty: Certainty): void {
  if (end === "(") push(flow, { around: certainty, isOwn: true, fed: null, runs: "yes", taken: null });
  if (end === ")") pop(flow);
  if (/^[|&)]$/.test(end)) flow.result = null;
  // an operator behind a subshell is a command without words
  flow.link = end === "" || end === ")" ? ";" : end;
}

/** A frame knows what stands around it, so the innermost is enough. */
function certaintyIn({ frames, result, link }: Flow, outer: Certainty): Certainty {
  const frame = frames.at(-1);
  const all = frame === undefined ? [outer] : [frame.around, frame.runs];
  if (link === "&&" || link === "||")
    all.push(result === null ? "maybe" : result === (link === "&&") ? "yes" : "no");
  return all.includes("no") ? "no" : all.includes("maybe") ? "maybe" : "yes";
}

function reserve(flow: Flow, word: string): void {
  const frame = flow.frames.at(-1);
  if (/^(?:fi|done|esac|\})$/.test(word)) {
    pop(flow);
    flow.result = null;
  } else if (word === "!") flow.isNegated = !flow.isNegated;
  else if (frame !== undefined && word === "do") frame.runs = "maybe";
  else if (frame !== undefined && word === "then") branch(frame, flow.result);
  else if (frame !== undefined && /^el(?:if|se)$/.test(word))
    frame.runs = frame.taken === true ? "no" : frame.taken === null ? "maybe" : "yes";
}

/** Into the branch of a test with this result. */
function branch(frame: Frame, result: boolean | null): void {
  if (frame.taken === true || result === false) frame.runs = "no";
  else frame.runs = result === null || frame.taken === null ? "maybe" : "yes";
  if (frame.taken === false) frame.taken = result;
}

/** Behind the `}` or `)` of a function's body; a `)` behind its `}` is another's. */
function endOfBody(commands: readonly ShellCommand[], start: number): number {
  let open = 0;
  for (let index = start; index < commands.length; index++) {
    const { reserved, kind, end } = commands[index] ?? { reserved: null, kind: "simple", end: "" };
    const word = kind === "reserved" ? reserved : null;
    if (word === "{") open++;
    if (word === "}" && --open <= 0) return index + 1;
    if (end === "(") open++;
    if (end === ")" && --open <= 0) return index + 1;
  }
  return commands.length;
}
