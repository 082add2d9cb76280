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
        if (byte === CONTROL.erase || byte === CONTROL.backspace) {
          if (bytes.pop() !== undefined && echo === "shown") writeSync(descriptor, "\b \b");
        } else {
          bytes.push(byte);
          if (echo === "shown") writeSync(descriptor, Buffer.from([byte]));
        }
      }
    });
  });
}
