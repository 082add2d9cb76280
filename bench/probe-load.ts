/**
 * Probes of a live server by the forwarder's own session: connect, log in, one connection, the first line of what is
 * behind it. `PORT USER KEY TARGET COUNT`: so many, one after the other.
 */
import { readFileSync } from "node:fs";
import { connectTcp } from "../src/forward/connect-tcp.ts";
import { connect } from "../src/forward/session.ts";

const timeoutMs = 30_000;

async function probe(
  port: number,
  target: number,
  { user, key }: { user: string; key: string },
): Promise<void> {
  const session = await connect({
    transport: await connectTcp({ host: "127.0.0.1", port }, { timeoutMs }),
    user,
    checkHostKey: async () => null,
    credentials: [{ kind: "key", name: "id", read: async () => ({ text: readFileSync(key, "utf8") }) }],
    timeoutMs,
  });
  const channel = await session.openTcp({ host: "127.0.0.1", port: target });
  const [line] = await channel.take(1).toArray();
  if (String(line) !== "hello\n") throw new Error(`it said "${line}"`);
  session.end();
  await session.closed;
}

const [port, user = "", key = "", target, count] = process.argv.slice(2);
for (let left = Number(count); left > 0; left--) await probe(Number(port), Number(target), { user, key });
