/** Questions on the terminal, as ssh(1) asks them: /dev/tty, whatever standard input is. */
import { openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import type { Talk } from "../forward/host-key.ts";
import { visibleText } from "../report/text.ts";
import { complain } from "./output.ts";

export interface TerminalTalk extends Talk {
  /** Nobody waits for answers any more: breaks off a question that stands, and asks no other. */
  readonly close: () => void;
}

export function terminalTalk(): TerminalTalk {
  let phase: "open" | "closed" = "open";
  let breakOff = (): void => {};
  return {
    note: (text) => complain(text.trimEnd()),
    ask: (text, echo) =>
      new Promise((answer) => {
        const shown = text.split("\n").map(visibleText).join("\n");
        const question = phase === "closed" ? null : askOnTerminal(shown, { echo, answer });
        if (question === null) answer(null);
        else breakOff = question.breakOff;
      }),
    close: () => {
      phase = "closed";
      breakOff();
    },
  };
}

const CONTROL = {
  endOfInput: 0x04,
  backspace: 0x08,
  newline: 0x0a,
  enter: 0x0d,
  kill: 0x15,
  erase: 0x7f,
} as const;

/** Keys of which a terminal makes signals for all that runs on it, which is off while we read (termios(3), ISIG). */
const SIGNAL_KEYS: ReadonlyMap<number, NodeJS.Signals> = new Map([
  [0x03, "SIGINT"],
  [0x1a, "SIGTSTP"],
  [0x1c, "SIGQUIT"],
]);
const TO_ALL_OF_OURS = 0;

interface Asking {
  readonly echo: "shown" | "hidden";
  /** null: it was broken off */
  readonly answer: (text: string | null) => void;
}

/** Null without a terminal. */
function askOnTerminal(text: string, { echo, answer }: Asking): { readonly breakOff: () => void } | null {
  let descriptor: number;
  try {
    descriptor = openSync("/dev/tty", "r+");
  } catch {
    return null;
  }
  const input = new ReadStream(descriptor);
  const bytes: number[] = [];
  const show = (): void => {
    bytes.length = 0;
    // first: who is quick to type a password must not see it
    input.setRawMode(true);
    writeSync(descriptor, text);
  };
  const restore = (): void => {
    input.setRawMode(false);
    writeSync(descriptor, "\n");
  };
  const leave = (given: string | null): void => {
    signals.forget();
    input.destroy();
    answer(given);
  };
  const finish = (given: string | null): void => {
    if (input.destroyed) return;
    restore();
    leave(given);
  };
  const signals = onSignals({ ending: () => finish(null), stopping: restore, continued: show });
  show();
  // a terminal that is gone takes no mode any more
  input.once("error", () => leave(null)).once("end", () => leave(null));
  input.on("data", (chunk: Buffer) => {
    for (const byte of chunk) {
      if (byte === CONTROL.newline || byte === CONTROL.enter)
        return finish(Buffer.from(bytes).toString("utf8"));
      if (byte === CONTROL.endOfInput) return finish(null);
      const signal = SIGNAL_KEYS.get(byte);
      if (signal !== undefined) return void process.kill(TO_ALL_OF_OURS, signal);
      const taken = takeBack(bytes, byte);
      if (taken === null) bytes.push(byte);
      if (echo === "shown")
        writeSync(descriptor, taken === null ? Buffer.from([byte]) : Buffer.from("\b \b".repeat(taken)));
    }
  });
  return { breakOff: () => finish(null) };
}

/** Of those that end a program (openbsd-compat/readpassphrase.c): Node.js ignores SIGPIPE, and could not do so again. */
const ENDING = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

/** Each does what it always does, once the terminal has been given back. */
function onSignals(heard: {
  readonly ending: () => void;
  readonly stopping: () => void;
  readonly continued: () => void;
}): { readonly forget: () => void } {
  const end = (signal: NodeJS.Signals): void => {
    heard.ending();
    process.kill(process.pid, signal);
  };
  const stop = (): void => {
    forget();
    heard.stopping();
    // it comes back when somebody lets us go on, or at once where nobody could (an orphaned process group)
    process.kill(process.pid, "SIGTSTP");
    listen();
    heard.continued();
  };
  const listen = (): void => {
    for (const name of ENDING) process.on(name, end);
    process.on("SIGTSTP", stop);
  };
  const forget = (): void => {
    for (const name of ENDING) process.off(name, end);
    process.off("SIGTSTP", stop);
  };
  listen();
  return { forget };
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
