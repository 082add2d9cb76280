/** The forwarder beside `ssh -L` on the same throw-away sshd: one stream each way, and short connections. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, type LoopbackSshd, startSshd, whyNoSshd } from "../test/sshd/loopback.ts";
import type { Effort } from "./main.ts";
import { median } from "./measure.ts";
import type { Row } from "./table.ts";

const ROOT = join(import.meta.dirname, "..");
const LOAD = [
  "--import",
  join(ROOT, "node_modules/tsx/dist/loader.mjs"),
  join(import.meta.dirname, "forward-load.ts"),
];

interface Figures {
  /** MB/s, or connections a second */
  readonly perSecond: number;
  /** milliseconds of a connection, for short ones */
  readonly p95?: number;
}

/** Node 20 reads NODE_EXTRA_CA_CERTS at every start. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return rest;
}

function load(...args: readonly (string | number)[]): Figures {
  return JSON.parse(
    execFileSync(process.execPath, [...LOAD, ...args.map(String)], { encoding: "utf8", env: environment() }),
  );
}

async function startTunnel(argv: readonly string[], isUp: (said: string) => boolean): Promise<ChildProcess> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: environment() });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        said += chunk.toString("latin1");
        if (isUp(said)) resolve();
      });
    child.once("exit", () => reject(new Error(`${program} ended: ${said}`)));
  });
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  const ended = once(child, "exit");
  child.kill();
  await ended;
}

function highWaterMark({ pid }: ChildProcess): number {
  return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) / 1024;
}

export async function forward({ runs, scale }: Effort): Promise<readonly Row[]> {
  if (whyNoSshd() !== null || !existsSync("/usr/bin/ssh")) return [];
  const sshd = await startSshd();
  const target = spawn(process.execPath, [...LOAD, "serve"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(target.stdout, "data");
  const port = Number(String(line));
  try {
    return await measure(sshd, port, { rounds: Math.min(runs, 5), scale });
  } finally {
    await stop(target);
    await sshd.stop();
  }
}

async function measure(
  sshd: LoopbackSshd,
  target: number,
  { rounds, scale }: { rounds: number; scale: number },
): Promise<readonly Row[]> {
  const [own, other] = [await freePort(), await freePort()];
  const tunnel = (port: number): string[] => ["-N", "-L", `${port}:127.0.0.1:${target}`, "127.0.0.1"];
  const ours = await startTunnel(
    [
      process.execPath,
      join(ROOT, "dist/cli.js"),
      "forward",
      ...sshd.sshOptions,
      "--events",
      "-",
      ...tunnel(own),
    ],
    (said) => said.includes('"listening"'),
  );
  const peer = await startTunnel(["ssh", ...sshd.sshOptions, "-v", ...tunnel(other)], (said) =>
    said.includes("Entering interactive session"),
  );
  const inTurns = (
    work: (port: number) => Figures,
  ): { ours: readonly Figures[]; theirs: readonly Figures[] } => {
    const pairs = Array.from({ length: rounds }, () => [work(own), work(other)] as const);
    return { ours: pairs.map(([first]) => first), theirs: pairs.map(([, second]) => second) };
  };
  const rate = (figures: readonly Figures[]): number => median(figures.map(({ perSecond }) => perSecond));
  const bytes = Math.round(500e6 * scale);
  const count = Math.round(1000 * scale);
  const rows: Row[] = [];
  for (const direction of ["down", "up"] as const) {
    const found = inTurns((port) => load("stream", port, direction, bytes));
    rows.push({
      what: `forward -L, one stream ${direction}, ${bytes / 1e6} MB`,
      peer: "ssh -L",
      ours: rate(found.ours),
      theirs: rate(found.theirs),
      unit: "MB/s",
      target: { ratioAtLeast: 1 },
    });
  }
  for (const atOnce of [1, 16]) {
    const found = inTurns((port) => load("short", port, count, atOnce));
    const what = `forward -L, ${count} short connections, ${atOnce} at once`;
    rows.push({
      what,
      peer: "ssh -L",
      ours: rate(found.ours),
      theirs: rate(found.theirs),
      unit: "/s",
      target: atOnce === 1 ? { ratioAtLeast: 4 } : { none: true },
    });
    const p95 = (figures: readonly Figures[]): number => median(figures.map((one) => one.p95 ?? 0));
    rows.push({
      what: `${what}: 95 % within`,
      peer: "ssh -L",
      ours: p95(found.ours),
      theirs: p95(found.theirs),
      unit: "ms",
      target: atOnce === 1 ? { oursAtMost: 2 } : { none: true },
    });
  }
  rows.push({
    what: "forward, peak memory after all this",
    peer: "ssh",
    ours: highWaterMark(ours),
    theirs: highWaterMark(peer),
    unit: "MiB",
    target: { oursAtMost: 120 },
  });
  await Promise.all([stop(ours), stop(peer)]);
  return rows;
}
