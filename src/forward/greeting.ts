/** The ends of a forward that a probe opens: one side greets with a text that nobody else knows, the other reads it. */
import { connect, createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { limitTime } from "./time-limit.ts";

/** A machine that is busy takes its time, and what is there answers at once. */
const TIMEOUT_MS = 20_000;

export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

export function makeNonce(): string {
  return `sshd-policy ${crypto.randomUUID()}\n`;
}

/** Listens and sends the text to whoever comes. Null: something of the probe's own listens there already. */
export async function greet(endpoint: Endpoint, text: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.end(text);
  });
  return await new Promise((resolve) => {
    server.once("error", () => resolve(null));
    server.listen({ ...endpoint, ...("path" in endpoint ? { writableAll: true } : {}) }, () =>
      resolve(server),
    );
  });
}

/** "silence": neither a line nor an end came in time, so that nobody can say who is there. */
export type Heard = "greeting" | "no greeting" | "silence";

/** At once, as the one may have to wait for the others' turn. */
export async function whereItAnswers(
  addresses: readonly string[],
  dialAt: (address: string) => Promise<Heard>,
): Promise<Answered> {
  const heard = await Promise.all(addresses.map(dialAt));
  const those = (wanted: Heard): readonly string[] => addresses.filter((_, at) => heard[at] === wanted);
  return { answeredAt: those("greeting"), silentAt: those("silence") };
}

export interface Answered {
  readonly answeredAt: readonly string[];
  readonly silentAt: readonly string[];
}

export function dial(endpoint: Endpoint, expected: string): Promise<Heard> {
  return readGreeting(connect(endpoint), expected);
}

/** Whether the other side says that line, behind so many bytes of another kind. */
export async function readGreeting(stream: Duplex, expected: string, behind = 0): Promise<Heard> {
  let text = "";
  const isSaid = await new Promise<boolean>((resolve) => {
    const inTime = limitTime(TIMEOUT_MS, () => resolve(false));
    const finish = (): void => {
      inTime();
      resolve(true);
    };
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (text.length >= behind + expected.length || text.includes("\n", behind)) finish();
    });
    stream.on("error", finish);
    stream.on("close", finish);
    stream.on("end", finish);
  });
  stream.destroy();
  if (!isSaid) return "silence";
  return text.slice(behind) === expected ? "greeting" : "no greeting";
}
