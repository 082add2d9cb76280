/** The ends of a forward that a probe opens: one side greets with a text that nobody else knows, the other reads it. */
import { connect, createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";

const TIMEOUT_MS = 5_000;

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

export async function dial(endpoint: Endpoint, expected: string): Promise<string> {
  const socket = connect(endpoint);
  return await readGreeting(socket, expected.length);
}

/** The other side's first line, at most `length` characters; empty when it says nothing in time. */
export async function readGreeting(stream: Duplex, length: number): Promise<string> {
  let text = "";
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, TIMEOUT_MS);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    stream.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (text.length >= length || text.includes("\n")) finish();
    });
    stream.on("error", finish);
    stream.on("close", finish);
    stream.on("end", finish);
  });
  stream.destroy();
  return text.slice(0, length);
}
