/** An sshd that is stopped (SIGSTOP) after the login answers nothing: whoever waits for it gets an end, and hears why. */
import { spawn, spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { startForwards } from "../src/forward/forwarder.ts";
import { observe } from "../src/forward/observe.ts";
import type { Session } from "../src/forward/session.ts";
import type { HostSettings } from "../src/forward/settings.ts";
import { parseForward } from "../src/forward/specification.ts";
import { type ForwardEvent, makeTraffic } from "../src/forward/traffic.ts";
import type { Request } from "../src/policy/attempt.ts";
import { makeRoot } from "./auditing.ts";
import { describeUnless } from "./needs.ts";
import { COMMAND } from "./run-cli.ts";
import { freePort, freezeSessions, startSshd, whyNoSshd } from "./sshd/loopback.ts";
import { whyNoProbe } from "./sshd/probing.ts";
import { logIn } from "./sshd/session.ts";

const missing = whyNoSshd();

interface Frozen {
  readonly session: Session;
  readonly thaw: () => Promise<void>;
}

/** `afterMs`: when the session notices. */
async function frozenSession(afterMs: number): Promise<Frozen> {
  const sshd = await startSshd();
  const session = await logIn(sshd, { keepAlive: { intervalMs: afterMs / 2, count: 1 } });
  const thaw = freezeSessions(sshd);
  return {
    session,
    thaw: async () => {
      thaw();
      session.end();
      await session.closed;
      await sshd.stop();
    },
  };
}

const SETTINGS = {
  gatewayPorts: "no",
  family: null,
  unlink: "no",
  mask: 0o177,
  exitOnForwardFailure: false,
} as unknown as HostSettings;

describeUnless(missing, "a frozen server", () => {
  const requests = async (): Promise<readonly Request[]> => [
    { kind: "open-tcp", host: "127.0.0.1", port: await freePort() },
    { kind: "open-socket", path: `/tmp/sshd-policy-frozen-${process.pid}` },
    { kind: "listen-tcp", host: "localhost", port: await freePort() },
    { kind: "listen-socks", host: "localhost", port: await freePort() },
    { kind: "listen-socket", path: `/tmp/sshd-policy-frozen-${process.pid}-in` },
    { kind: "agent" },
    { kind: "x11" },
    { kind: "tun", mode: "ethernet", unit: null },
  ];
  const around = {
    listenAt: "127.0.0.1",
    fileOf: (path: string) => path,
    dialled: ["127.0.0.1"],
    isAllOwn: false,
    tunUnit: 0,
  };

  it("has refused nothing of what a probe asks it", { timeout: 120_000 }, async () => {
    const { session, thaw } = await frozenSession(1_000);
    const seen = await Promise.all((await requests()).map((request) => observe(session, request, around)));
    for (const observation of seen)
      expect(observation).toMatchObject({
        observed: null,
        why: "untried",
        detail: "the SSH connection broke: the server stopped answering",
      });
    await thaw();
  });

  it("is no refusal of a listener, either, and ends the forwards", { timeout: 120_000 }, async () => {
    const { session, thaw } = await frozenSession(1_000);
    const told: ForwardEvent[] = [];
    const forwards = [
      parseForward(`127.0.0.1:${await freePort()}:127.0.0.1:9`, "local"),
      parseForward("0:127.0.0.1:9", "remote"),
    ].flatMap((forward) => forward ?? []);
    const starting = startForwards({ session, route: [], end: session.end }, forwards, {
      settings: SETTINGS,
      traffic: makeTraffic((event) => told.push(event)),
      over: new Promise(() => {}),
    });
    await expect(starting).rejects.toMatchObject({
      kind: "timeout",
      message: "the server stopped answering",
    });
    expect(told.map(({ event }) => event)).toEqual(["listening"]);
    await thaw();
  });

  it("does not hold who wants to end before it has answered", { timeout: 120_000 }, async () => {
    const { session, thaw } = await frozenSession(600_000);
    const forward = parseForward("0:127.0.0.1:9", "remote");
    const asked = Date.now();
    const forwarding = await startForwards(
      { session, route: [], end: session.end },
      forward === null ? [] : [forward],
      {
        settings: SETTINGS,
        traffic: makeTraffic(() => {}),
        over: new Promise((resolve) => setTimeout(resolve, 200)),
      },
    );
    expect(forwarding.listening).toEqual([]);
    expect(await session.closed).toBeNull();
    expect(Date.now() - asked).toBeLessThan(30_000);
    await thaw();
  });
});

describe("a server that leaves one request unanswered", () => {
  it("is asked no more, as no answer could be told from another's", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let end = (): void => {};
    const closed = new Promise<null>((resolve) => {
      end = () => resolve(null);
    });
    const listenTcp = (): Promise<number> => new Promise(() => {});
    const session = { listenTcp, closed, end: () => end() } as unknown as Session;
    const around = { listenAt: "127.0.0.1", fileOf: String, dialled: [], isAllOwn: false, tunUnit: 0 };
    const listen = { kind: "listen-tcp", host: "localhost", port: 9 } as const;
    const first = observe(session, listen, around);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await first).toMatchObject({ observed: null, detail: "no answer within 30 s" });
    expect(await observe(session, listen, around)).toMatchObject({
      observed: null,
      detail: "the SSH connection broke: it has been ended",
    });
    vi.useRealTimers();
  });
});

const noProbe = whyNoProbe({});
describeUnless(noProbe, "a frozen sshd of a probe", () => {
  it("is given up within half a minute, with exit code 3", { timeout: 180_000 }, async () => {
    const names = Array.from({ length: 150 }, (_, index) => `u${index}`);
    const blocks = names.map((name) => `Match User ${name}\n  AllowTcpForwarding local\n`);
    const root = makeRoot({ "/sshd_config": blocks.join("") });
    const child = spawn(process.execPath, [...COMMAND, "probe", `${root}/sshd_config`, "--events", "-"]);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    let complaint = "";
    child.stderr.on("data", (bytes: Buffer) => {
      complaint += bytes.toString("latin1");
    });
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    child.stdout.resume();
    const commands = spawnSync("pgrep", ["-a", "-P", String(child.pid)], { encoding: "latin1" }).stdout;
    const [folder = ""] = /\/tmp\/sshd-policy-probe-[0-9a-f-]+/.exec(commands) ?? [];
    const found = spawnSync("pgrep", ["-f", "sshd_config.*HostKey=/etc/ssh/host_key"], {
      encoding: "latin1",
    });
    // the oldest, since what it forks for a connection has its words for a moment
    const [listener = 0] = found.stdout
      .split("\n")
      .filter((pid) => pid !== "" && rootOf(pid) === folder)
      .map(Number);
    expect(listener).toBeGreaterThan(0);
    process.kill(listener, "SIGSTOP");
    expect(await ended).toBe(3);
    expect(complaint).toMatch(/the probe failed: no answer to the key exchange within 20 s/);
  });
});

/** The root folder of a process, as its chroot was called; empty where it has ended. */
function rootOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/root`);
  } catch {
    return "";
  }
}
