/** A session of our own client with a throw-away sshd. */
import { readFileSync } from "node:fs";
import { connectTcp } from "../../src/forward/connect-tcp.ts";
import { type ConnectOptions, connect, type Session } from "../../src/forward/session.ts";
import type { LoopbackSshd } from "./loopback.ts";

export async function logIn(sshd: LoopbackSshd, options: Partial<ConnectOptions> = {}): Promise<Session> {
  const transport = await connectTcp({ host: "127.0.0.1", port: sshd.port }, { timeoutMs: 30_000 });
  return connect({
    transport,
    user: sshd.user,
    checkHostKey: async () => null,
    credentials: [
      { kind: "key", name: "id", read: async () => ({ text: readFileSync(sshd.identity, "utf8") }) },
    ],
    timeoutMs: 30_000,
    ...options,
  });
}
