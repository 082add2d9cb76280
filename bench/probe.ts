/** One probe of a live server: connect, log in, one connection through it, the first bytes of what is behind it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { connectTcp } from "../src/forward/connect-tcp.ts";
import { connect } from "../src/forward/session.ts";
import { type LoopbackSshd, startSshd } from "../test/sshd/loopback.ts";
import type { Bench } from "./main.ts";
import { median } from "./measure.ts";

const GREETING = "hello\n";

export const probe: Bench = async ({ runs }) => {
  const sshd = await startSshd();
  const { server, port } = await greet();
  try {
    const times: (readonly [number, number])[] = [];
    for (let run = 0; run < runs * 2; run++)
      times.push([await elapsed(() => ours(sshd, port)), await elapsed(() => throughSsh(sshd, port))]);
    return [
      {
        what: "one probe of a live server: connect, log in, one direct-tcpip",
        peer: "ssh -W",
        unit: "ms",
        ours: median(times.map(([own]) => own)),
        theirs: median(times.map(([, other]) => other)),
        target: { ratioAtMost: 0.6 },
        note: "elapsed; ours within a process that runs",
      },
    ];
  } finally {
    server.close();
    await sshd.stop();
  }
};

async function elapsed(run: () => Promise<void> | void): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

async function greet(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.end(GREETING));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

async function ours(sshd: LoopbackSshd, port: number): Promise<void> {
  const timeoutMs = 30_000;
  const session = await connect({
    transport: await connectTcp({ host: "127.0.0.1", port: sshd.port }, { timeoutMs }),
    user: sshd.user,
    checkHostKey: async () => null,
    credentials: [
      { kind: "key", name: "id", read: async () => ({ text: readFileSync(sshd.identity, "utf8") }) },
    ],
    timeoutMs,
  });
  const channel = await session.openTcp({ host: "127.0.0.1", port });
  for await (const bytes of channel) if (String(bytes) === GREETING) break;
  session.end();
  await session.closed;
}

async function throughSsh(sshd: LoopbackSshd, port: number): Promise<void> {
  const args = [...sshd.sshOptions, "-W", `127.0.0.1:${port}`, "127.0.0.1"];
  const child = spawn("ssh", args, { stdio: ["ignore", "pipe", "ignore"] });
  let heard = "";
  child.stdout.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  });
  await new Promise((resolve) => child.on("close", resolve));
  if (heard !== GREETING) throw new Error(`ssh -W said "${heard}"`);
}
