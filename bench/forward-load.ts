/**
 * A client and a server for streams through the forwarder, as a program of its own: their work must not count as the
 * forwarder's. `serve`: prints its port, then sends or counts bytes as the first byte of a connection says.
 * `stream PORT up|down BYTES`: measures through that port, and prints a line of JSON.
 * `relay PORT TARGET`: what any forwarder on Node.js costs at least, a relay without SSH.
 */
import { connect, createServer, type Socket } from "node:net";

const CHUNK = Buffer.alloc(64 * 1024, 0x61);
const HEADER_LENGTH = 9;

/** `d` and a count: send so many bytes. `u` and a count: take them, then answer one byte. */
function header(kind: "d" | "u", count: number): Buffer {
  const bytes = Buffer.alloc(HEADER_LENGTH);
  bytes.write(kind);
  bytes.writeBigUInt64BE(BigInt(count), 1);
  return bytes;
}

function sendBytes(socket: Socket, count: number): void {
  let left = count;
  const push = (): void => {
    while (left > 0) {
      const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
      left -= chunk.length;
      if (!socket.write(chunk)) break;
    }
    if (left === 0) socket.end();
  };
  socket.on("drain", push);
  push();
}

function serve(): void {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let head = Buffer.alloc(0);
    let missing = -1;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      if (missing >= 0) missing -= chunk.length;
      else {
        head = Buffer.concat([head, chunk]);
        if (head.length < HEADER_LENGTH) return;
        const count = Number(head.readBigUInt64BE(1));
        const kind = String.fromCharCode(head[0] ?? 0);
        if (kind === "d") return sendBytes(socket, count);
        missing = count - (head.length - HEADER_LENGTH);
      }
      if (missing === 0) socket.end("k");
    });
  });
  server.listen({ host: "127.0.0.1", port: 0, backlog: 512 }, () => {
    const address = server.address();
    process.stdout.write(`${typeof address === "object" && address !== null ? address.port : 0}\n`);
  });
}

/** A forwarder that stands still must not hold the bench. */
const PATIENCE_MS = 60_000;

/** Milliseconds until the other side has closed; rejects when bytes are missing. */
function run(port: number, { kind, count }: { kind: "d" | "u"; count: number }): Promise<number> {
  const started = performance.now();
  const expected = kind === "d" ? count : 1;
  return new Promise((resolve, reject) => {
    let got = 0;
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
    socket.on("data", (chunk: Buffer) => {
      got += chunk.length;
    });
    socket.on("error", reject);
    socket.on("end", () => {
      socket.end();
      if (got === expected) resolve(performance.now() - started);
      else reject(new Error(`${got} bytes of ${expected}`));
    });
    socket.write(header(kind, count));
    if (kind === "u") sendBytes(socket, count);
  });
}

async function stream(port: number, direction: string, count: number): Promise<void> {
  const ms = await run(port, { kind: direction === "up" ? "u" : "d", count });
  process.stdout.write(`${JSON.stringify({ perSecond: count / 1e6 / (ms / 1000) })}\n`);
}

function relay(port: number, target: number): void {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const other = connect({ host: "127.0.0.1", port: target, allowHalfOpen: true, noDelay: true });
    socket.on("error", () => other.destroy()).pipe(other);
    other.on("error", () => socket.destroy()).pipe(socket);
  });
  server.listen({ host: "127.0.0.1", port, backlog: 512 }, () => {
    process.stdout.write("listening\n");
  });
}

/** No answer within the time is an error, also where a connection just stands. */
function hurry(): void {
  setTimeout(() => {
    process.stderr.write("nothing moves any more\n");
    process.exit(1);
  }, PATIENCE_MS).unref();
}

const [command, port, direction = "", count] = process.argv.slice(2);
if (command === "serve") serve();
else if (command === "relay") relay(Number(port), Number(direction));
else {
  hurry();
  await stream(Number(port), direction, Number(count));
}
