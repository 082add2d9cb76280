/** The forwarder beside `ssh -L` and beside plain ssh2, on the same throw-away sshd: streams, and short connections. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, type LoopbackSshd, startSshd, whyNoSshd } from "../test/sshd/loopback.ts";
import type { Bench } from "./main.ts";
import { median } from "./measure.ts";
import type { Row } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const TSX = [process.execPath, "--import", join(ROOT, "node_modules/tsx/dist/loader.mjs")];
/** Who sends and who counts, each with a `serve` of its own. */
const STREAMS = ["perl", join(import.meta.dirname, "streams.pl")];
const SHORT = ["perl", join(import.meta.dirname, "short-connections.pl")];
const OURS = [process.execPath, join(ROOT, "dist/cli.js"), "forward"];
const FAST_CIPHER = "aes128-gcm@openssh.com";
/** Turns of all tunnels with short connections; more do not fit into two minutes. */
const MOST_ROUNDS = 3;
/** Of the short connections, these make so many: each takes them 40 ms. */
const SLOW_PART = 0.2;
const SLOW: readonly string[] = ["ssh -L", "plain ssh2"];

interface Figures {
  /** MB/s, or connections a second */
  readonly perSecond: number;
  /** milliseconds that half of the connections take at most, and 95 % of them: short ones */
  readonly p50?: number;
  readonly p95?: number;
}

interface Measured {
  readonly name: string;
  readonly port: number;
}

interface Tunnel extends Measured {
  readonly process: ChildProcess;
}

/** Node 20 reads NODE_EXTRA_CA_CERTS at every start. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return rest;
}

function start([program = "", ...args]: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: environment() });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  await ended;
}

/**
 * Resolves with what it said so far when the pattern is in it. It is read on, since a full pipe would stop the tunnel, but
 * looked at no more: that takes the longer the more it says, and time from what is measured.
 */
function heard(child: ChildProcess, pattern: RegExp): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said += chunk.toString("latin1");
      if (!pattern.test(said)) return;
      for (const stream of [child.stdout, child.stderr]) stream?.off("data", hear).resume();
      resolve(said);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", hear);
    child.once("exit", (code) => reject(new Error(`${child.spawnfile} ended with ${code}: ${said}`)));
  });
}

/** Not execFileSync: while this process waits, it must go on reading what the tunnels say. */
async function load(program: readonly string[], ...args: readonly (string | number)[]): Promise<Figures> {
  return JSON.parse(await heard(start([...program, ...args.map(String)]), /\n/));
}

const connections = (port: number, count: number, atOnce: number): Promise<Figures> =>
  load(SHORT, "load", port, count, atOnce);

interface Ends {
  readonly sshd: LoopbackSshd;
  readonly target: number;
}

const TUNNELS: Readonly<Record<string, (at: Ends, port: number) => Promise<ChildProcess>>> = {
  ours: async ({ sshd, target }, port) => {
    const child = start([...OURS, ...sshd.sshOptions, "-L", `${port}:127.0.0.1:${target}`, "127.0.0.1"]);
    await heard(child, /listens on/);
    return child;
  },
  "ssh -L": (at, port) => startSsh(at, port, []),
  "ssh -L, AES": (at, port) => startSsh(at, port, ["-c", FAST_CIPHER]),
  "no SSH": async ({ target }, port) => {
    const child = start([...TSX, join(import.meta.dirname, "relay.ts"), String(port), String(target)]);
    await heard(child, /listening/);
    return child;
  },
  "plain ssh2": async ({ sshd, target }, port) => {
    const script = join(import.meta.dirname, "plain-ssh2.ts");
    const child = start([...TSX, script, ...[sshd.port, sshd.user, sshd.identity, port, target].map(String)]);
    await heard(child, /listening/);
    return child;
  },
};

/** What each side agrees on with this sshd, of its own accord. */
async function ciphers({ sshd }: Ends): Promise<string> {
  const listen = ["-N", "-D", String(await freePort())];
  const told = async (argv: readonly string[], pattern: RegExp): Promise<string> => {
    const child = start([...argv, ...sshd.sshOptions, ...listen, "127.0.0.1"]);
    const [, cipher = "?"] = pattern.exec(await heard(child, pattern)) ?? [];
    await stop(child);
    return cipher;
  };
  const own = await told([...OURS, "--events", "-"], /"cipher":"([^"]*)"/);
  return `${own}, ssh: ${await told(["ssh", "-v"], /kex: client->server cipher: (\S+)/)}`;
}

/** -v tells when it is up, but each connection of it, too: so it is asked whether it listens. */
async function startSsh(
  { sshd, target }: Ends,
  port: number,
  more: readonly string[],
): Promise<ChildProcess> {
  const forward = ["-N", "-L", `${port}:127.0.0.1:${target}`];
  const child = start(["ssh", ...sshd.sshOptions, ...more, ...forward, "127.0.0.1"]);
  child.stdout?.resume();
  child.stderr?.resume();
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      await connections(port, 1, 1);
      return child;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

/** `serving` answers the connections: STREAMS or SHORT. */
async function withTunnels(
  names: readonly string[],
  serving: readonly string[],
  measure: (tunnels: readonly Tunnel[], of: Ends & { readonly ciphers: string }) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  if (whyNoSshd() !== null || !existsSync("/usr/bin/ssh")) return [];
  const sshd = await startSshd();
  const target = start([...serving, "serve"]);
  const running: ChildProcess[] = [target];
  try {
    const at = { sshd, target: Number(await heard(target, /\n/)) };
    const tunnels: Tunnel[] = [];
    for (const name of names) {
      const tunnel = await openTunnel(name, at);
      running.push(tunnel.process);
      tunnels.push(tunnel);
    }
    return await measure(tunnels, { ...at, ciphers: await ciphers(at) });
  } finally {
    await Promise.all(running.map(stop));
    await sshd.stop();
  }
}

async function openTunnel(name: string, at: Ends): Promise<Tunnel> {
  const port = await freePort();
  const process = await TUNNELS[name]?.(at, port);
  if (process === undefined) throw new Error(`no tunnel ${name}`);
  return { name, port, process };
}

/** By name of the tunnel: in turns, so that a busy machine slows all. */
async function inTurns<One extends { readonly name: string }>(
  tunnels: readonly One[],
  rounds: number,
  work: (tunnel: One) => Promise<Figures>,
): Promise<(name: string, of: (figures: Figures) => number) => number> {
  const found = new Map<string, Figures[]>(tunnels.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const tunnel of tunnels) found.get(tunnel.name)?.push(await work(tunnel));
  return (name, of) => median((found.get(name) ?? []).map(of));
}

const rate = ({ perSecond }: Figures): number => perSecond;
const middle = ({ p50 = Number.NaN }: Figures): number => p50;
const slow = ({ p95 = Number.NaN }: Figures): number => p95;

/** `down`: from the server's side to the client of the forward. One bench each: both take more than a minute. */
export const forwardStream =
  (direction: "down" | "up"): Bench =>
  ({ runs, scale }) =>
    withTunnels(
      ["ours", "ssh -L", "ssh -L, AES", "plain ssh2"],
      STREAMS,
      async (tunnels, { ciphers: note, ...at }) => {
        const bytes = Math.round(500e6 * scale);
        const through = ({ port }: Measured): Promise<Figures> =>
          load(STREAMS, "load", port, direction, bytes);
        const of = await inTurns(tunnels, runs, through);
        // V8 compiles during the first stream of a process
        const fresh = ["ours", "ssh -L", "ssh -L, AES"].map((name) => ({ name }));
        const first = await inTurns(fresh, runs, async ({ name }) => {
          const tunnel = await openTunnel(name, at);
          return through(tunnel).finally(() => stop(tunnel.process));
        });
        const what = `forward -L, one stream ${direction}, ${bytes / 1e6} MB`;
        const row = { what, ours: of("ours", rate), unit: "MB/s" } as const;
        return [
          { ...row, peer: "ssh -L", theirs: of("ssh -L", rate), target: { ratioAtLeast: 1 }, note },
          {
            ...row,
            peer: `-c ${FAST_CIPHER}`,
            theirs: of("ssh -L, AES", rate),
            target: { ratioAtLeast: 0.9 },
          },
          { ...row, peer: "plain ssh2", theirs: of("plain ssh2", rate), target: { none: true } },
          ...["ssh -L", "ssh -L, AES"].map(
            (peer): Row => ({
              ...{ what: `${what}, the first of its process`, peer, unit: "MB/s" },
              ...{ ours: first("ours", rate), theirs: first(peer, rate), target: { none: true } },
            }),
          ),
          memoryOf(tunnels),
        ];
      },
    );

/** What stands beside the short connections; what nothing encrypts and what nothing forwards are the floors. */
const FLOOR = "no tunnel";
const PEERS = ["ssh -L", "plain ssh2", "no SSH", FLOOR] as const;

export const forwardShort: Bench = ({ runs, scale }) =>
  withTunnels(["ours", "ssh -L", "plain ssh2", "no SSH"], SHORT, async (tunnels, { target }) => {
    const measured: readonly Measured[] = [...tunnels, { name: FLOOR, port: target }];
    const count = Math.round(1000 * scale);
    const through = ({ name, port }: Measured, atOnce: number): Promise<Figures> =>
      connections(port, SLOW.includes(name) ? Math.ceil(count * SLOW_PART) : count, atOnce);
    // what has just started is slower, and that is its start: V8 compiles while the first connections wait
    for (const one of measured) await through(one, 1);
    const rows: Row[] = [];
    for (const atOnce of [1, 16]) {
      const of = await inTurns(measured, Math.min(runs, MOST_ROUNDS), (one) => through(one, atOnce));
      const what = `forward -L, ${count} short connections, ${atOnce} at once`;
      for (const peer of PEERS) {
        const compared = (figure: (figures: Figures) => number): Pick<Row, "peer" | "ours" | "theirs"> => ({
          peer,
          ours: of("ours", figure),
          theirs: of(peer, figure),
        });
        const isTarget = atOnce === 1 && peer === "ssh -L";
        const none = { none: true } as const;
        rows.push(
          { what, ...compared(rate), unit: "/s", target: isTarget ? { ratioAtLeast: 4 } : none },
          { what: `${what}: half within`, ...compared(middle), unit: "ms", target: none },
          {
            what: `${what}: 95 % within`,
            ...compared(slow),
            unit: "ms",
            target: isTarget ? { oursAtMost: 2 } : none,
          },
        );
      }
    }
    return [...rows, memoryOf(tunnels)];
  });

/** Connections of the long run, and after how many of them the memory is looked at. */
const MANY = 50_000;
const STEP = 5_000;

/** Whether memory stays flat once V8's heap has taken its size, which the first step sees to. Takes more than a minute. */
export const forwardLong: Bench = ({ scale }) =>
  withTunnels(["ours"], SHORT, async ([tunnel]) => {
    if (tunnel === undefined) return [];
    const step = Math.round(STEP * scale);
    const rows: Row[] = [];
    let first = 0;
    for (let made = step; made <= MANY * scale; made += step) {
      await connections(tunnel.port, step, 16);
      const ours = residentMiB(tunnel, "VmRSS");
      first ||= ours;
      rows.push({
        what: `forward -L, memory after ${made} connections`,
        peer: `after ${step}`,
        ours,
        theirs: first,
        unit: "MiB",
        target: { ratioAtMost: 1.2 },
      });
    }
    return rows;
  });

function residentMiB({ process: { pid = 0 } }: Tunnel, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(new RegExp(`^${what}:\\s*(\\d+)`, "m").exec(status)?.[1]) / 1024;
}

function memoryOf(tunnels: readonly Tunnel[]): Row {
  const peak = (name: string): number => {
    const tunnel = tunnels.find((one) => one.name === name);
    return tunnel === undefined ? Number.NaN : residentMiB(tunnel, "VmHWM");
  };
  return {
    what: "forward, peak memory after all this",
    peer: "plain ssh2",
    ours: peak("ours"),
    theirs: peak("plain ssh2"),
    unit: "MiB",
    target: { oursAtMost: 120 },
  };
}
