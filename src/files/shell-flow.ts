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
  readonly define: (name: string, body: readonly ShellCommand[]) => void;
  /** never asked about a command that does not run; null: enough was read */
  readonly perform: (command: ShellCommand, certainty: "yes" | "maybe", where: Where) => Outcome | null;
}

interface Frame {
  /** where the whole compound command stands */
  readonly around: Certainty;
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
}

export function followFlow(commands: readonly ShellCommand[], outer: Certainty, performer: Performer): void {
  const flow: Flow = { frames: [], result: null, link: ";", isNegated: false };
  for (let index = 0; index < commands.length; index++) {
    const command = commands[index];
    if (command === undefined) return;
    const certainty = certaintyIn(flow, outer);
    if (command.kind === "function") {
      const end = endOfBody(commands, index + 1);
      performer.define(command.reserved ?? "", commands.slice(index + 1, end));
      index = end - 1;
      continue;
    }
    if (command.kind === "reserved") reserve(flow, command.reserved ?? "", certainty);
    else if (command.words.length > 0) {
      if (/^(?:for|select|case)$/.test(command.words[0] ?? ""))
        flow.frames.push({ around: certainty, runs: "maybe", taken: null });
      if (certainty !== "no") {
        const where = flow.link === "|" || /^[|&]$/.test(command.end) ? "beside" : "here";
        const outcome = performer.perform(command, certainty, where);
        if (outcome === null || (outcome.ends && certainty === "yes" && where === "here")) return;
        flow.result = flow.isNegated && outcome.result !== null ? !outcome.result : outcome.result;
      }
      flow.isNegated = false;
    }
    goOn(flow, command, certainty);
  }
}

/** A subshell is a frame of its own; what runs in a pipe or beside tells nothing. */
function goOn(flow: Flow, { end }: ShellCommand, certainty: Certainty): void {
  if (end === "(") flow.frames.push({ around: certainty, runs: "maybe", taken: null });
  if (end === ")") flow.frames.pop();
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

function reserve(flow: Flow, word: string, certainty: Certainty): void {
  const frame = flow.frames.at(-1);
  if (/^(?:if|while|until|\{)$/.test(word))
    flow.frames.push({ around: certainty, runs: "yes", taken: false });
  else if (/^(?:fi|done|esac|\})$/.test(word)) {
    flow.frames.pop();
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

/** Behind the `}` or `)` of a function's body. */
function endOfBody(commands: readonly ShellCommand[], start: number): number {
  let open = 0;
  for (let index = start; index < commands.length; index++) {
    const { reserved, kind, end } = commands[index] ?? { reserved: null, kind: "simple", end: "" };
    const isReserved = kind === "reserved";
    if ((isReserved && reserved === "{") || end === "(") open++;
    if ((isReserved && reserved === "}") || end === ")") open--;
    if (open <= 0 && ((isReserved && reserved === "}") || end === ")")) return index + 1;
  }
  return commands.length;
}
