/** `--events`: what happens, as JSON lines for programs. */
import { openSync, writeFileSync } from "node:fs";
import { inAscii } from "../report/text.ts";
import { complain } from "./output.ts";
import { writeStandardOutput } from "./standard-output.ts";
import { systemReason } from "./system-reason.ts";

/** Takes whole lines. */
export type EventLog = (lines: string) => void;

/** To a file, which is emptied first, or for "-" to standard output. */
export function openEventLog(path: string): EventLog | { readonly refused: string } {
  if (path === "-") return untilItFails("standard output", printText);
  try {
    const file = openSync(path, "w");
    return untilItFails(path, (lines) => writeFileSync(file, lines));
  } catch (error) {
    return { refused: `--events ${path} cannot be written: ${systemReason(error)}` };
  }
}

/** An event as a line, with the time. */
export function stamped(log: EventLog): (event: object) => void {
  return (event) => log(eventLine({ time: new Date().toISOString(), ...event }));
}

/** One event as JSON. */
export function eventLine(event: object): string {
  return `${inAscii(JSON.stringify(event))}\n`;
}

export function printText(text: string): void {
  writeStandardOutput([Buffer.from(text)]);
}

/** A full disk is told once and ends the telling, not what is told of: connections, or a fix that is being undone. */
export function untilItFails(name: string, write: EventLog): EventLog {
  let failed = false;
  return (lines) => {
    if (failed) return;
    try {
      write(lines);
    } catch (error) {
      if (!(error instanceof Error && "syscall" in error)) throw error;
      failed = true;
      complain(`${name} cannot be written any more: ${systemReason(error)}`);
    }
  };
}
