/** Servers that do not play by the rules: what they try is refused, and we neither crash, hang nor grow. */
import { generateKeyPairSync } from "node:crypto";
import { connect as connectSocket, type Socket } from "node:net";
import ssh2, { type Connection } from "ssh2";
import { describe, expect, it } from "vitest";
import { connectTcp } from "../src/forward/connect-tcp.ts";
import type { SshFailure } from "../src/forward/failure.ts";
import { type Channel, connect, type Session } from "../src/forward/session.ts";
import { testUnless } from "./needs.ts";
import { listenOn, serve, serveEcho, startSshd, type TestServer, whyNoSshd } from "./sshd/loopback.ts";

const HOST_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  type: "pkcs1",
  format: "pem",
});

async function logIn(port: number, timeoutMs = 20_000): Promise<Session> {
  return connect({
    transport: await connectTcp({ host: "127.0.0.1", port }, { timeoutMs }),
    user: "alice",
    checkHostKey: async () => null,
    credentials: [],
    timeoutMs,
  });
}

function failureOf(promise: Promise<unknown>): Promise<SshFailure | null> {
  return promise.then(
    () => null,
    (failure: SshFailure) => failure,
  );
}

/** The inside of ssh2's server, to send what its interface does not. */
interface Raw {
  forwardedTcpip: (channel: number, window: number, packet: number, of: object) => void;
  openssh_forwardedStreamLocal: (channel: number, window: number, packet: number, of: object) => void;
  channelOpenConfirm: (theirs: number, ours: number, window: number, packet: number) => void;
  channelData: (channel: number, data: Buffer) => void;
  channelClose: (channel: number) => void;
  channelEOF: (channel: number) => void;
  channelExtData: (channel: number, data: Buffer, type: number) => void;
  _handlers: Record<string, (protocol: Raw, ...rest: unknown[]) => void>;
}

interface FakeServer extends TestServer {
  /** resolves at the first login */
  readonly raw: Promise<{ raw: Raw; connection: Connection }>;
}

/** A server that lets everybody in. */
async function serveSsh(): Promise<FakeServer> {
  let found = (_: { raw: Raw; connection: Connection }): void => {};
  const raw = new Promise<{ raw: Raw; connection: Connection }>((resolve) => {
    found = resolve;
  });
  const server = new ssh2.Server({ hostKeys: [HOST_KEY] }, (connection) => {
    connection.on("authentication", (attempt) => attempt.accept());
    connection.on("error", () => {});
    connection.on("ready", () => {
      const { _protocol } = connection as unknown as { _protocol: Raw };
      found({ raw: _protocol, connection });
    });
  });
  return { port: await listenOn(server as never, 0), close: () => server.close(), raw };
}

/** A session with a channel that the server has opened as it should. */
async function openChannel(): Promise<{
  readonly server: FakeServer;
  readonly session: Session;
  readonly raw: Raw;
  readonly channel: Channel;
  /** the channel's number on our side */
  readonly ours: number;
}> {
  const server = await serveSsh();
  const session = await logIn(server.port);
  const { raw } = await server.raw;
  let ours = -1;
  raw._handlers["CHANNEL_OPEN"] = (protocol, of) => {
    ours = (of as { sender: number }).sender;
    protocol.channelOpenConfirm(ours, 7, 2_000_000, 32_768);
  };
  const channel = await session.openTcp({ host: "db", port: 5432 });
  return { server, session, raw, channel, ours };
}

describe("a banner", () => {
  const strange: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
    [
      "of another protocol",
      (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
      /does not speak SSH.*HTTP\/1\.1 400/,
    ],
    ["of SSH 1", (socket) => socket.write("SSH-1.5-old\r\n"), /another SSH than 2\.0: "SSH-1\.5-old/],
    ["without end", (socket) => socket.write("x".repeat(200_000)), /does not speak SSH/],
    ["of endless lines", (socket) => socket.write("hello\n".repeat(50_000)), /does not speak SSH/],
    ["of no bytes at all", (socket) => socket.end(), /./],
    ["that is silence", () => {}, /no answer to the key exchange within 0\.5 s/],
    [
      "before a packet of 4 GB",
      (socket) => socket.write(Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.alloc(64, 0xff)])),
      /./,
    ],
    [
      "before a packet of no bytes",
      (socket) => socket.write(Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.alloc(64)])),
      /./,
    ],
    [
      "with terminal escapes and no SSH",
      (socket) => socket.end("\u001b[2J\u0000\u0007\n"),
      /does not speak SSH/,
    ],
  ];
  it.each(strange)("%s is refused", async (_, behave, because) => {
    const server = await serve((socket) => {
      socket.resume();
      behave(socket);
    });
    const failure = await failureOf(logIn(server.port, 500));
    expect(failure?.message).toMatch(because);
    expect(failure?.name).toBe("SshFailure");
    server.close();
  });

  testUnless(whyNoSshd(), "that comes byte by byte is heard to its end", async () => {
    const sshd = await startSshd();
    const slow = await serve((socket) => {
      const real = connectSocket({ host: "127.0.0.1", port: sshd.port }).on("error", () => {});
      let sent = 0;
      real.on("data", async (chunk: Buffer) => {
        real.pause();
        for (const byte of chunk) {
          socket.write(Buffer.from([byte]));
          if (sent++ < 60) await new Promise((resolve) => setTimeout(resolve, 1));
        }
        real.resume();
      });
      socket.pipe(real);
    });
    // the login fails for want of a key, which is behind the banner
    expect((await failureOf(logIn(slow.port)))?.kind).toBe("authentication");
    slow.close();
    await sshd.stop();
  });
});

describe("a server that lets us in", () => {
  it("cannot open what nobody asked for, however often it tries", async () => {
    const server = await serveSsh();
    const session = await logIn(server.port);
    const { raw } = await server.raw;
    const answers: string[] = [];
    raw._handlers["CHANNEL_OPEN_FAILURE"] = () => answers.push("refused");
    raw._handlers["CHANNEL_OPEN_CONFIRMATION"] = () => answers.push("opened");
    for (let channel = 0; channel < 5_000; channel++) {
      raw.forwardedTcpip(channel, 1e6, 32_768, {
        boundAddr: "localhost",
        boundPort: 80,
        remoteAddr: "1.2.3.4",
        remotePort: 5,
      });
      // names that every object has
      raw.openssh_forwardedStreamLocal(channel, 1e6, 32_768, {
        socketPath: channel % 2 === 0 ? "constructor" : "__proto__",
      });
    }
    while (answers.length < 10_000) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(new Set(answers)).toEqual(new Set(["refused"]));
    session.end();
    server.close();
  });

  it("cannot open more at once than we can hold, whatever becomes of them, and again when some have ended", async () => {
    const server = await serveSsh();
    const session = await logIn(server.port);
    const { raw, connection } = await server.raw;
    connection.on("request", (accept) => accept?.());
    const answers: string[] = [];
    const opened: number[] = [];
    raw._handlers["CHANNEL_OPEN_FAILURE"] = () => answers.push("refused");
    raw._handlers["CHANNEL_OPEN_CONFIRMATION"] = (_, of) => {
      answers.push("opened");
      opened.push((of as { sender: number }).sender);
    };
    const flood = async (count: number): Promise<number> => {
      const before = answers.length;
      for (let channel = 0; channel < count; channel++)
        raw.forwardedTcpip(before + channel, 1e6, 32_768, {
          ...{ boundAddr: "localhost", boundPort: 80, remoteAddr: "1.2.3.4", remotePort: 5 },
        });
      while (answers.length < before + count) await new Promise((resolve) => setTimeout(resolve, 10));
      return answers.slice(before).filter((answer) => answer === "opened").length;
    };
    // clients that never say where to, as a listener of SOCKS takes them
    await session.listenTcp({ host: "localhost", port: 80 }, ({ accept }) => accept().resume());
    expect(await flood(5_000)).toBe(4_096);
    let closed = 0;
    raw._handlers["CHANNEL_CLOSE"] = () => closed++;
    for (const channel of opened.splice(0, 1_000)) raw.channelClose(channel);
    while (closed < 1_000) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await flood(2_000)).toBe(1_000);
    session.end();
    server.close();
  });

  it("cannot make us loop with packets of 0 bytes", async () => {
    const server = await serveSsh();
    const session = await logIn(server.port);
    const { raw } = await server.raw;
    raw._handlers["CHANNEL_OPEN"] = (protocol, of) => {
      const { sender } = of as { sender: number };
      protocol.channelOpenConfirm(sender, 7, 2_000_000, 0);
    };
    const channel = await session.openTcp({ host: "db", port: 5432 });
    channel.on("error", () => {});
    channel.write("hello");
    expect((await session.closed)?.message).toMatch(/0 bytes a packet/);
    server.close();
  });

  it.each([
    ["data", (raw: Raw, channel: number, chunk: Buffer) => raw.channelData(channel, chunk)],
    ["error output", (raw: Raw, channel: number, chunk: Buffer) => raw.channelExtData(channel, chunk, 1)],
  ])("cannot fill our memory with %s beyond the window", async (kind, send) => {
    // nobody reads it
    const { server, session, raw, channel, ours } = await openChannel();
    channel.on("error", () => {});
    const before = process.memoryUsage().arrayBuffers;
    // a divisor of the window: ssh2 itself drops what comes when it is exactly 0
    const chunk = Buffer.alloc(32_768);
    let failure: SshFailure | null | undefined;
    session.closed.then((found) => {
      failure = found;
    });
    for (let sent = 0; sent < 64e6 && failure === undefined; sent += chunk.length) {
      send(raw, ours, chunk);
      if ((sent / chunk.length) % 32 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(channel.readableLength).toBeLessThan(6e6);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150e6);
    if (kind === "data") expect((await session.closed)?.message).toMatch(/more than the channel's window/);
    session.end();
    server.close();
  });

  it("cannot fill our memory beyond the window of a stream whose local program reads no more", async () => {
    const { server, session, raw, channel, ours } = await openChannel();
    const granted: number[] = [];
    raw._handlers["CHANNEL_WINDOW_ADJUST"] = (_, __, amount) => granted.push(amount as number);
    let program: Socket | undefined;
    let read = 0;
    const local = await serve((socket) => {
      program = socket.on("data", ({ length }) => {
        read += length;
      });
    });
    const socket = connectSocket({ host: "127.0.0.1", port: local.port, allowHalfOpen: true });
    channel.deliverTo(socket.on("error", () => {}));
    const chunk = Buffer.alloc(32_768);
    for (let sent = 0; sent < 2 ** 20; sent += chunk.length) raw.channelData(ours, chunk);
    while (granted.length === 0 || read < 2 ** 20) await new Promise((resolve) => setTimeout(resolve, 5));
    // what was taken, and once as much again as ssh2 grants
    expect(granted).toEqual([3 * 2 ** 20]);
    program?.pause();
    let failure: SshFailure | null | undefined;
    session.closed.then((found) => {
      failure = found;
    });
    for (let sent = 0; sent < 64e6 && failure === undefined; sent += chunk.length) {
      raw.channelData(ours, chunk);
      if (sent % 2 ** 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect((await session.closed)?.message).toMatch(/more than the channel's window/);
    // what the kernel has taken was granted anew, and what it has not is less than a window
    const written = socket.bytesWritten - socket.writableLength;
    expect(granted.slice(1).reduce((sum, amount) => sum + amount, 0)).toBeLessThanOrEqual(written);
    expect(socket.writableLength).toBeLessThan(4.5 * 2 ** 20);
    socket.destroy();
    session.end();
    local.close();
    server.close();
  });

  it("may send a little more than the window, as there are servers that miscount", async () => {
    const { server, session, raw, channel, ours } = await openChannel();
    // the window, which is granted once more when half of it has come
    const sent = 3 * 2 ** 20 + 100_000;
    for (let left = sent; left > 0; left -= 32_768)
      raw.channelData(ours, Buffer.alloc(Math.min(left, 32_768)));
    const deadline = Date.now() + 30_000;
    while (channel.readableLength < sent && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(channel.readableLength).toBe(sent);
    expect(await Promise.race([session.closed, "open"])).toBe("open");
    session.end();
    server.close();
  });

  it.each([
    ["has gone is granted more: what it sends must not block the rest", "program"],
    ["reads no more is granted nothing once it has closed the channel", "channel"],
  ])("that has filled the window of a stream whose local program %s", async (_, gone) => {
    const { server, session, raw, channel, ours } = await openChannel();
    const granted: unknown[] = [];
    raw._handlers["CHANNEL_WINDOW_ADJUST"] = (_, __, amount) => granted.push(amount);
    const local = await serve((socket) => socket.pause());
    const socket = connectSocket({ host: "127.0.0.1", port: local.port, allowHalfOpen: true });
    // as one whose kernel takes nothing
    socket._write = () => {};
    Object.assign(socket, { _writev: null });
    channel.deliverTo(socket.on("error", () => {}));
    for (let sent = 0; sent < 2 * 2 ** 20; sent += 32_768) raw.channelData(ours, Buffer.alloc(32_768));
    while (socket.writableLength < 2 * 2 ** 20) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(granted).toEqual([]);
    if (gone === "channel") {
      raw.channelClose(ours);
      await new Promise((resolve) => channel.once("close", resolve));
    }
    socket.destroy();
    if (gone === "program") await expect.poll(() => granted.length, { timeout: 30_000 }).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(granted).toEqual(gone === "program" ? [4 * 2 ** 20] : []);
    session.end();
    local.close();
    server.close();
  });

  it("ends what it says to a local program with its end alone, which the program's own words outlive", async () => {
    const { server, session, raw, channel, ours } = await openChannel();
    const said: Buffer[] = [];
    raw._handlers["CHANNEL_DATA"] = (_, __, data) => said.push(data as Buffer);
    let heard = "";
    const local = await serve((socket) => {
      socket.on("data", (chunk: Buffer) => {
        heard += chunk.toString();
      });
      socket.on("end", () => setTimeout(() => socket.end(`it said ${heard}`), 150));
    });
    const socket = connectSocket({ host: "127.0.0.1", port: local.port, allowHalfOpen: true });
    channel.deliverTo(socket.on("error", () => {}));
    socket.pipe(channel);
    raw.channelData(ours, Buffer.from("hello"));
    raw.channelEOF(ours);
    await new Promise((resolve) => setTimeout(resolve, 50));
    raw.channelData(ours, Buffer.from("more"));
    const deadline = Date.now() + 30_000;
    while (said.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(Buffer.concat(said).toString()).toBe("it said hello");
    session.end();
    local.close();
    server.close();
  });

  it.each(["data", "error output"])("cannot make us stumble over %s after the end", async (kind) => {
    // a client that is served without a look at errors, as a probe does
    const { server, session, raw, channel, ours } = await openChannel();
    const heard: Buffer[] = [];
    channel.on("data", (chunk: Buffer) => heard.push(chunk));
    raw.channelData(ours, Buffer.from("hello"));
    raw.channelEOF(ours);
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    for (let time = 0; time < 3; time++)
      if (kind === "data") raw.channelData(ours, Buffer.from("more"));
      else raw.channelExtData(ours, Buffer.from("more"), 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(Buffer.concat(heard).toString()).toBe("hello");
    session.end();
    expect(await session.closed).toBe(null);
    server.close();
  });

  it("is not heard any more while it takes no answers, and again when it does", async () => {
    const server = await serveSsh();
    const session = await logIn(server.port);
    const { raw, connection } = await server.raw;
    const { _sock: theirs } = connection as unknown as { readonly _sock: Socket };
    const { _sock: ours } = session.client as unknown as { readonly _sock: Socket };
    const { ping } = raw as unknown as { readonly ping: () => void };
    theirs.pause();
    // until nothing of it is taken for a while
    let stuck = 0;
    for (let asked = 0; stuck < 20 && asked < 1_000_000; ) {
      const isFull = theirs.writableLength > 2 ** 20;
      for (let count = isFull ? 0 : 1_000; count > 0; count--, asked++) ping.call(raw);
      stuck = isFull ? stuck + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, isFull ? 25 : 0));
      theirs.pause();
    }
    expect(stuck).toBe(20);
    expect(ours.writableLength).toBeGreaterThan(2 ** 20);
    expect(ours.writableLength).toBeLessThan(4.5 * 2 ** 20);
    theirs.resume();
    while (theirs.writableLength > 0 || ours.writableLength > 0)
      await new Promise((resolve) => setTimeout(resolve, 10));
    session.end();
    server.close();
  }, 120_000);

  it("tells its own words when it throws us out", async () => {
    const server = await serveSsh();
    const session = await logIn(server.port);
    const { connection } = await server.raw;
    const { _protocol: protocol } = connection as unknown as {
      _protocol: { disconnect: (reason: number) => void };
    };
    protocol.disconnect(2);
    expect((await session.closed)?.kind).toBe("closed");
    server.close();
  });

  it("does not disturb a session beside it", async () => {
    const [server, echo] = [await serveSsh(), await serveEcho()];
    const session = await logIn(server.port);
    const { raw } = await server.raw;
    raw.channelData(12_345, Buffer.from("to nobody"));
    raw.channelOpenConfirm(999, 1, 1, 1);
    expect(
      await Promise.race([
        session.closed.then(() => "closed"),
        new Promise((resolve) => setTimeout(resolve, 200, "open")),
      ]),
    ).toBe("open");
    session.end();
    expect(await session.closed).toBe(null);
    echo.close();
    server.close();
  });
});
