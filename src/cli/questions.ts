/** Questions on the terminal, as ssh(1) asks them: /dev/tty, whatever standard input is. */
import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import type { Talk } from "../forward/host-key.ts";
import { visibleText } from "../report/text.ts";
import { complain } from "./output.ts";

export function terminalTalk(): Talk {
  return {
    note: (text) => complain(visibleText(text.trimEnd())),
    ask: (text, echo) => askOnTerminal(text.split("\n").map(visibleText).join("\n"), echo),
  };
}

const CONTROL = {
  interrupt: 0x03,
  endOfInput: 0x04,
  backspace: 0x08,
  newline: 0x0a,
  enter: 0x0d,
  kill: 0x15,
  erase: 0x7f,
} as const;

/** Null without a terminal, and when the answer is broken off. */
function askOnTerminal(text: string, echo: "shown" | "hidden"): Promise<string | null> {
  let descriptor: number;
  try {
    descriptor = openSync("/dev/tty", "r+");
  } catch {
    return Promise.resolve(null);
  }
  const input = new ReadStream(descriptor);
  // first: who is quick to type a password must not see it
  input.setRawMode(true);
  writeSync(descriptor, text);
  return new Promise((resolve) => {
    const bytes: number[] = [];
    const finish = (answer: string | null): void => {
      input.setRawMode(false);
      writeSync(descriptor, "\r\n");
      input.destroy();
      resolve(answer);
    };
    // a terminal that is gone takes no mode any more
    const giveUp = (): void => {
      input.destroy();
      resolve(null);
    };
    input.once("error", giveUp).once("end", giveUp);
    input.on("data", (chunk: Buffer) => {
      for (const byte of chunk) {
        if (byte === CONTROL.newline || byte === CONTROL.enter)
          return finish(Buffer.from(bytes).toString("utf8"));
        if (byte === CONTROL.endOfInput) return finish(null);
        if (byte === CONTROL.interrupt) {
          finish(null);
          // as where the terminal makes a signal of it: nobody is asked again
          process.kill(process.pid, "SIGINT");
          return;
        }
        const taken = takeBack(bytes, byte);
        if (taken === null) bytes.push(byte);
        if (echo === "shown")
          writeSync(descriptor, taken === null ? Buffer.from([byte]) : Buffer.from("\b \b".repeat(taken)));
      }
    });
  });
}

/** Line editing as the terminal has it, which is off here (termios(3), VERASE and VKILL); how many characters went, null: none is asked to. */
function takeBack(bytes: number[], byte: number): number | null {
  const isOne = byte === CONTROL.erase || byte === CONTROL.backspace;
  if (!isOne && byte !== CONTROL.kill) return null;
  const starts = [...bytes.keys()].filter((at) => !isContinuation(bytes[at] ?? 0));
  const kept = isOne ? Math.max(0, starts.length - 1) : 0;
  bytes.length = starts[kept] ?? 0;
  return starts.length - kept;
}

/** RFC 3629, section 3: the second and later bytes of a character */
function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
