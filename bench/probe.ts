/**
 * Probes of a live server: connect, log in, one connection through it, the first line of what is behind it. Whole
 * processes on both sides, start to exit: `forward -W` of the release makes one, as `ssh -W` does, and the forwarder's session twenty.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { type LoopbackSshd, startSshd } from "../test/sshd/loopback.ts";
import type { Bench } from "./main.ts";
import { median } from "./measure.ts";

const GREETING = "hello\n";
const MANY = 20;
/** ssh 9.2 prefers a post-quantum key exchange, which costs both sides more. */
const SAME_KEY_EXCHANGE = ["-o", "KexAlgorithms=curve25519-sha256"];

export const probe: Bench = async ({ work, runs, scale }) => {
  const many = Math.max(2, Math.round(MANY * scale));
  const program = join(work, "probe-load.mjs");
  await bundle(program);
  const sshd = await startSshd();
  const { server, port } = await greet();
  const own = [process.execPath, program, ...[sshd.port, sshd.user, sshd.identity, port, many].map(String)];
  const forward = [process.execPath, join(import.meta.dirname, "../dist/cli.js"), "forward"];
  try {
    const times = { one: [], many: [], ssh: [], same: [] } as Record<string, number[]>;
    for (let run = 0; run < runs; run++) {
      times["one"]?.push(await elapsed([...forward, ...through(sshd, port)], GREETING));
      times["many"]?.push((await elapsed(own, "")) / many);
      times["ssh"]?.push(await elapsed(["ssh", ...through(sshd, port)], GREETING));
      times["same"]?.push(await elapsed(["ssh", ...SAME_KEY_EXCHANGE, ...through(sshd, port)], GREETING));
    }
    const of = (name: string): number => median(times[name] ?? []);
    const row = { unit: "ms", peer: "ssh -W", theirs: of("ssh") } as const;
    return [
      {
        ...row,
        what: `a probe of a live server, of ${many} in one process`,
        ours: of("many"),
        target: { ratioAtMost: 0.6 },
        note: "elapsed, start of the process included",
      },
      {
        ...row,
        what: `a probe, of ${many} in one process`,
        peer: "ssh -W, curve25519",
        ours: of("many"),
        theirs: of("same"),
        target: { none: true },
      },
      {
        ...row,
        what: "forward -W, one probe a process",
        ours: of("one"),
        target: { ratioAtMost: 0.6 },
      },
    ];
  } finally {
    server.close();
    await sshd.stop();
  }
};

/** As in the release: one file, without the native part of ssh2. */
async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, "probe-load.ts")],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    external: ["cpu-features", "*.node"],
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    define: { __dirname: '"."' },
    logLevel: "error",
  });
}

async function elapsed([program = "", ...args]: readonly string[], expected: string): Promise<number> {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const start = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env });
  let heard = "";
  child.stdout.on("data", (bytes: Buffer) => {
    heard += bytes.toString("latin1");
  });
  const [code] = await once(child, "close");
  if (code !== 0 || heard !== expected) throw new Error(`${program} ended with ${code} and said "${heard}"`);
  return performance.now() - start;
}

async function greet(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.end(GREETING));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

function through({ sshOptions }: LoopbackSshd, port: number): string[] {
  return [...sshOptions, "-W", `127.0.0.1:${port}`, "127.0.0.1"];
}
