/** The steps of long work: to people on standard error, to programs as JSON lines, to auditors in the log. */
import { STATE_FOLDER, writeLog } from "../host/journal.ts";
import type { Machine } from "../host/machine.ts";
import type { Step, Tell } from "../host/transaction.ts";
import { visible } from "../report/text.ts";
import { openEventLog, stamped } from "./event-log.ts";

export interface ProgressOptions {
  /** a file, or "-" for standard output */
  readonly events?: string;
  readonly quiet?: boolean;
}

/** Or why the file of --events cannot be written, before anything is done. */
export function openProgress(
  machine: Machine,
  { events, quiet = false }: ProgressOptions,
): Tell | { readonly refused: string } {
  const sinks: Tell[] = [inLog(machine)];
  const log = events === undefined ? null : openEventLog(events);
  if (log !== null && typeof log !== "function") return log;
  if (log !== null) sinks.push(stamped(log));
  const people = forPeople();
  // what a person must do to keep the fix is said in any case
  sinks.push(quiet ? (step) => (step.step === "waiting" ? people(step) : undefined) : people);
  return (step) => {
    for (const sink of sinks) sink(step);
  };
}

const COLUMN = 9;

/** A step that has begun and has nothing to say shows on a terminal only, and is written over when it has ended. */
function forPeople(): Tell {
  // a terminal that is gone must not end what is under way
  process.stderr.on("error", () => {});
  const isTerminal = process.stderr.isTTY === true;
  return ({ step, state, text }) => {
    const name = step.padEnd(COLUMN);
    if (state === "begun") {
      if (text !== "") process.stderr.write(`${name}${visible(text)}\n`);
      else if (isTerminal) process.stderr.write(`${name}…`);
      return;
    }
    const [first = "", ...rest] = text.split("\n").map(visible);
    const prefix = state === "failed" ? "failed: " : state === "skipped" ? "left out: " : "";
    const lines = [`${name}${prefix}${first}`, ...rest.map((line) => `${" ".repeat(COLUMN)}${line}`)];
    process.stderr.write(`${isTerminal ? "\r\u001b[K" : ""}${lines.join("\n")}\n`);
  };
}

/** The log is for later: that it cannot be written must not keep a server from being put back. */
function inLog(machine: Machine): Tell {
  let who = ` by ${machine.self.caller}`;
  return ({ step, state, text }: Step) => {
    if (state === "begun") return;
    const said = text.split("\n").map((line) => visible(line.replace(/^ +/, "")));
    try {
      writeLog(machine, STATE_FOLDER, `[${machine.self.pid}${who}] ${step} ${state}: ${said.join("; ")}`);
      // once is enough: the lines of one run have its number
      who = "";
    } catch {
      // a full disk: the journal decides, not the log
    }
  };
}
