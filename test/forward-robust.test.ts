/**
 * Many connections, resets, slow readers and a server that stops answering: nothing is lost, left over or waited for.
 * FORWARD_CONNECTIONS=10000 is the full number; it takes minutes.
 */
import { createHash, randomBytes } from "node:crypto";
import { connect as connectSocket, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listenLocally } from "../src/forward/local.ts";
import type { Session } from "../src/forward/session.ts";
import { parseForward } from "../src/forward/specification.ts";
import { makeTraffic, type Traffic } from "../src/forward/traffic.ts";
import { describeUnless } from "./needs.ts";
import { startForwarder } from "./sshd/forwarders.ts";
import {
  freePort,
  freezeSessions,
  type LoopbackSshd,
  serve,
  serveEcho,
  startSshd,
  whyNoSshd,
} from "./sshd/loopback.ts";
import { logIn } from "./sshd/session.ts";

const missing = whyNoSshd();
const CONNECTIONS = Number(process.env["FORWARD_CONNECTIONS"] ?? 300);

interface Tunnel {
  readonly port: number;
  readonly session: Session;
  readonly traffic: Traffic;
  readonly stop: () => Promise<void>;
}

async function openTunnel(
  sshd: LoopbackSshd,
  target: number,
  keepAlive?: { intervalMs: number; count: number },
): Promise<Tunnel> {
  const session = await logIn(sshd, keepAlive === undefined ? {} : { keepAlive });
  const traffic = makeTraffic(() => {});
  const port = await freePort();
  const forward = parseForward(`127.0.0.1:${port}:127.0.0.1:${target}`, "local");
  if (forward === null) throw new Error("no forward");
  const listening = await listenLocally(session, {
    forward,
    index: 0,
    rules: { gatewayPorts: "no", family: null, unlink: "no", mask: 0o177 },
    traffic,
  });
  return {
    port,
    session,
    traffic,
    stop: async () => {
      await listening.stop();
      session.end();
      await session.closed;
    },
  };
}

function client(port: number): Socket {
  return connectSocket({ host: "127.0.0.1", port, allowHalfOpen: true });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The channels that ssh2 still keeps: the leak that matters. */
function channelsOf({ client: inner }: Session): number {
  const { _chanMgr: manager } = inner as unknown as { _chanMgr: { _count: number } };
  return manager._count;
}

/** What its one channel may still send, and the server. */
function windowsOf({ client: inner }: Session): readonly (number | undefined)[] {
  const { _chanMgr: manager } = inner as unknown as {
    _chanMgr: { _channels: Record<string, { outgoing: { window: number }; incoming: { window: number } }> };
  };
  const [channel] = Object.values(manager._channels);
  return [channel?.outgoing.window, channel?.incoming.window];
}

describeUnless(missing, "a tunnel", () => {
  let sshd: LoopbackSshd;
  beforeAll(async () => {
    // a new key every few megabytes: nothing may be lost or reordered over it
    sshd = await startSshd({ lines: ["RekeyLimit 4M"] });
  });
  afterAll(() => sshd.stop());

  it(`opens and closes ${CONNECTIONS} connections, and keeps nothing of them`, async () => {
    const echo = await serveEcho();
    const tunnel = await openTunnel(sshd, echo.port);
    let left = CONNECTIONS;
    const memory: number[] = [];
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const socket = client(tunnel.port);
        socket.end(`number ${left}`);
        const bytes: Buffer[] = [];
        for await (const chunk of socket) bytes.push(chunk);
        expect(Buffer.concat(bytes).toString()).toMatch(/^number \d+$/);
        if (left % 100 === 0) memory.push(process.memoryUsage().rss);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    await until(
      () => tunnel.traffic.open.size === 0 && channelsOf(tunnel.session) === 0,
      "all channels are closed",
    );
    const [early = 0, late = 0] = [memory[Math.floor(memory.length / 4)], memory.at(-1)];
    expect(late - early).toBeLessThan(60e6);
    await tunnel.stop();
    echo.close();
  }, 900_000);

  it("carries 24 MB each way at once over new keys, byte for byte, to a slow reader", async () => {
    const echo = await serveEcho();
    const tunnel = await openTunnel(sshd, echo.port);
    const bytes = randomBytes(24_000_000);
    const socket = client(tunnel.port);
    socket.end(bytes);
    const hash = createHash("sha256");
    let pauses = 0;
    for await (const chunk of socket) {
      hash.update(chunk);
      if (pauses++ % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    await until(() => tunnel.traffic.open.size === 0, "the connection is through");
    await tunnel.stop();
    echo.close();
  });

  it("holds back a sender whose reader does not read, in bounded memory, while others go on", async () => {
    let sent = 0;
    const source = await serve((socket) => {
      const chunk = Buffer.alloc(65_536);
      const push = (): void => {
        do sent += chunk.length;
        while (socket.write(chunk));
      };
      socket.on("drain", push).on("data", () => {});
      push();
    });
    const echo = await serveEcho();
    const tunnel = await openTunnel(sshd, source.port);
    const other = await openTunnel(sshd, echo.port);
    const idle = client(tunnel.port);
    idle.pause();
    await until(() => sent > 1_000_000, "the source has begun");
    let before = -1;
    await until(() => {
      const stopped = sent === before;
      before = sent;
      return stopped;
    }, "the source is held back");
    await new Promise((resolve) => setTimeout(resolve, 300));
    // two windows of 2 MB, and the kernel's buffers of four sockets
    expect(sent).toBeLessThan(80e6);
    const socket = client(other.port);
    socket.end("still here");
    const [answer] = await socket.toArray();
    expect(String(answer)).toBe("still here");
    idle.destroy();
    await until(() => tunnel.traffic.open.size === 0, "the idle client's channel is closed");
    await Promise.all([tunnel.stop(), other.stop()]);
    source.close();
    echo.close();
  });

  it("passes resets on in mid-stream, from either side, and keeps no half of them", async () => {
    let closed = 0;
    const bytes = randomBytes(1_000_000);
    const stream = await serve((socket) => {
      socket.on("close", () => closed++).on("end", () => socket.end());
      socket.on("data", (chunk: Buffer) => {
        if (chunk.includes("reset")) socket.resetAndDestroy();
      });
      socket.write(bytes);
    });
    const tunnel = await openTunnel(sshd, stream.port);
    const rounds = 20;
    for (let round = 0; round < rounds; round++) {
      const socket = client(tunnel.port);
      const got: Buffer[] = [];
      socket.on("error", () => {}).on("data", (chunk: Buffer) => got.push(chunk));
      await new Promise((resolve) => socket.once("data", resolve));
      if (round % 2 === 0) socket.resetAndDestroy();
      else socket.write("reset");
      await new Promise((resolve) =>
        socket.destroyed ? resolve(null) : socket.once("close", resolve).once("end", () => socket.destroy()),
      );
      // a reset may cost the rest, but what came is what was sent
      const passed = Buffer.concat(got);
      expect(passed.length).toBeGreaterThan(0);
      expect(passed.equals(bytes.subarray(0, passed.length))).toBe(true);
    }
    await until(
      () => closed === rounds && tunnel.traffic.open.size === 0 && channelsOf(tunnel.session) === 0,
      "both sides have let go",
    );
    await tunnel.stop();
    stream.close();
  });

  it("lets a server that fills every buffer on the way say all, and go, when its client has gone", async () => {
    let isOver = false;
    const talker = await serve((socket) => {
      socket
        .on("error", () => {})
        .on("close", () => {
          isOver = true;
        });
      socket.pause();
      // it fills its window, and those of all buffers on the way
      socket.write(Buffer.alloc(64e6), () => {
        socket.on("end", () => socket.end());
        socket.resume();
      });
    });
    const tunnel = await openTunnel(sshd, talker.port);
    const socket = client(tunnel.port).on("error", () => {});
    socket.pause();
    socket.write(Buffer.alloc(24e6));
    await until(() => tunnel.traffic.open.size === 1, "the channel is open");
    await until(() => windowsOf(tunnel.session).join() === "0,0", "both are held back");
    socket.resetAndDestroy();
    // it hears what had been sent and the end, or is reset, as by ssh(1) in the same place
    await until(() => isOver, "the server is let go");
    await until(() => tunnel.traffic.open.size === 0, "nothing is left");
    await tunnel.stop();
    talker.close();
  });

  it("notices a server that stops answering", async () => {
    const frozen = await startSshd();
    const echo = await serveEcho();
    const tunnel = await openTunnel(frozen, echo.port, { intervalMs: 200, count: 2 });
    const socket = client(tunnel.port);
    socket.on("error", () => {});
    socket.write("hello");
    expect(String(await new Promise((resolve) => socket.once("data", resolve)))).toBe("hello");
    const thaw = freezeSessions(frozen);
    const failure = await tunnel.session.closed;
    thaw();
    expect(failure?.kind).toBe("timeout");
    await until(
      () => socket.readableEnded || socket.destroyed || tunnel.traffic.open.size === 0,
      "the client is let go",
    );
    echo.close();
    await frozen.stop();
  });

  it.each([
    ["that reads nothing", (target: number, port: number) => ["-L", `${port}:127.0.0.1:${target}`]],
    ["of -D that never says where to", (_: number, port: number) => ["-D", String(port)]],
  ])("ends on a signal although there is a client %s", async (_, options) => {
    const endless = await serve((socket) => {
      const push = (): void => {
        while (socket.write(Buffer.alloc(1024 * 1024)));
      };
      socket.on("drain", push).on("error", () => {});
      push();
    });
    const port = await freePort();
    const running = await startForwarder("sshd-policy forward", sshd, options(endless.port, port));
    const socket = client(port).on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    // until its buffers are full
    await new Promise((resolve) => setTimeout(resolve, 500));
    const asked = Date.now();
    await running.stop();
    expect(running.child.exitCode).toBe(0);
    expect(Date.now() - asked).toBeLessThan(20_000);
    socket.destroy();
    endless.close();
  });

  it("ends on a signal although the server has frozen", async () => {
    const frozen = await startSshd();
    const running = await startForwarder("sshd-policy forward", frozen, ["-R", "0:127.0.0.1:9"]);
    const thaw = freezeSessions(frozen);
    const asked = Date.now();
    await running.stop();
    thaw();
    expect(running.child.exitCode).toBe(0);
    // two seconds for the listener and two for the goodbye; keep-alive would notice after 45
    expect(Date.now() - asked).toBeLessThan(20_000);
    await frozen.stop();
  });
});
