/** The SSH session before a real sshd. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectTcp } from "../src/forward/connect-tcp.ts";
import type { SshFailure } from "../src/forward/failure.ts";
import type { Session } from "../src/forward/session.ts";
import { describeUnless } from "./needs.ts";
import { freePort, type LoopbackSshd, serveEcho, startSshd, whyNoSshd } from "./sshd/loopback.ts";
import { logIn } from "./sshd/session.ts";

const missing = whyNoSshd();

function failureKind(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (failure: SshFailure) => failure.kind,
  );
}

describeUnless(missing, "a session", () => {
  let sshd: LoopbackSshd;
  let session: Session;
  beforeAll(async () => {
    sshd = await startSshd({ lines: ["PermitOpen *:*"] });
    session = await logIn(sshd);
  });
  afterAll(async () => {
    session.end();
    await sshd.stop();
  });

  it("knows the server's version", () => {
    expect(session.serverVersion).toMatch(/^OpenSSH_/);
  });

  it("opens a channel, and keeps reading after its own end", async () => {
    const echo = await serveEcho();
    const channel = await session.openTcp({ host: "127.0.0.1", port: echo.port });
    channel.end("over there and back");
    expect(await text(channel)).toBe("over there and back");
    echo.close();
  });

  it("tells why a channel does not open", async () => {
    const port = await freePort();
    expect(await failureKind(session.openTcp({ host: "127.0.0.1", port }))).toBe("connect-failed");
    expect(await failureKind(session.openSocket(join(sshd.folder, "none")))).toBe("connect-failed");
  });

  it("lets the server listen, on a port of its choice and on a socket, until it is told otherwise", async () => {
    const port = await session.listenTcp({ host: "localhost", port: 0 }, (incoming) => {
      incoming.accept().end(`hello ${incoming.origin?.host}`);
    });
    const greeting = await text(await connectTcp({ host: "127.0.0.1", port }, { timeoutMs: 30_000 }));
    expect(greeting).toBe("hello 127.0.0.1");
    await session.unlistenTcp({ host: "localhost", port });
    expect(await failureKind(connectTcp({ host: "127.0.0.1", port }, { timeoutMs: 30_000 }))).toBe(
      "unreachable",
    );

    const path = join(sshd.folder, "listening");
    await session.listenSocket(path, (incoming) => incoming.accept().end(`from ${incoming.origin}`));
    expect(await text(await session.openSocket(path))).toBe("from null");
    expect(await failureKind(session.listenSocket(path, () => {}))).toBe("request-refused");
    await session.unlistenSocket(path);
  });

  it("refuses a key that is not accepted, a host key that is not known, and a login that nobody can make", async () => {
    const wrong = readFileSync(join(sshd.folder, "hostkey"), "utf8");
    const credentials = [{ kind: "key", name: "other", read: async () => ({ text: wrong }) }] as const;
    expect(await failureKind(logIn(sshd, { credentials }))).toBe("authentication");
    expect(await failureKind(logIn(sshd, { credentials: [] }))).toBe("authentication");
    expect(await failureKind(logIn(sshd, { checkHostKey: async () => "never seen" }))).toBe("host-key");
  });

  it("says that it is closed: null when we ended it, else why", async () => {
    const ended = await logIn(sshd);
    ended.end();
    expect(await ended.closed).toBe(null);
    expect(await failureKind(ended.openTcp({ host: "127.0.0.1", port: 1 }))).toBe("closed");
  });
});

describeUnless(missing, "a server's refusal", () => {
  it("is told apart from a destination that does not answer", async () => {
    const sshd = await startSshd({ lines: ["AllowTcpForwarding no"] });
    const session = await logIn(sshd);
    expect(await failureKind(session.openTcp({ host: "127.0.0.1", port: 9 }))).toBe("prohibited");
    expect(await failureKind(session.listenTcp({ host: "localhost", port: 0 }, () => {}))).toBe(
      "request-refused",
    );
    session.end();
    await sshd.stop();
  });
});
