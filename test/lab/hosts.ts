/**
 * Real hosts with a real init system for tests: a layer over a root that `test/lab/host make` left in the cache, so the
 * cached root stays as it is, and a power cycle keeps what was written.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Where `test/lab/host make` leaves root file systems. */
export const LAB: string = process.env["SSHD_POLICY_LAB"] ?? "/var/cache/sshd-policy-lab";
const HOST = join(import.meta.dirname, "host");
const TMPFS = 0x01021994;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabHost {
  /** runs a shell command on the booted host */
  readonly run: (script: string, env?: Readonly<Record<string, string>>) => Promise<Ran>;
  /** as run, and throws unless it succeeds; standard output without the newline at its end */
  readonly must: (script: string) => Promise<string>;
  /** writes a file, before the first boot */
  readonly write: (path: string, text: string, mode?: number) => void;
  readonly boot: () => Promise<void>;
  /** pulls the plug */
  readonly stop: () => Promise<void>;
  /** stops the host and removes what it wrote */
  readonly remove: () => Promise<void>;
}

/** Why hosts of this base cannot be booted here; null when they can. */
export function whyNoHost(base: string): string | null {
  if (process.getuid?.() !== 0) return "needs root to boot a host";
  if (!existsSync(join(LAB, base, "etc/lab-init")))
    return `no host in ${join(LAB, base)}: test/lab/host make ${base}`;
  return null;
}

/** A host over the base, not booted yet. */
export function layerHost(base: string): LabHost {
  // an overlay over an overlay (a container's /tmp) is refused, a tmpfs is not
  const shm = existsSync("/dev/shm") && statfsSync("/dev/shm").type === TMPFS ? "/dev/shm" : LAB;
  let folder: string | null = null;
  // made when it is first needed: tests that are left out leave nothing behind
  const layer = (): string => {
    folder ??= mkdtempSync(join(shm, `sshd-policy-${base}-`));
    return join(folder, "host");
  };
  let up = false;
  const call = (...words: readonly string[]): Promise<Ran> => execute(HOST, words);
  const run: LabHost["run"] = (script, env = {}) =>
    call(
      "run",
      layer(),
      "env",
      "-i",
      "HOME=/root",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      "bash",
      "-c",
      script,
    );
  const must: LabHost["must"] = async (script) => {
    const { code, stdout, stderr } = await run(script);
    if (code !== 0) throw new Error(`${script}\nfailed (${code}): ${stderr}${stdout}`);
    return stdout.replace(/\n$/, "");
  };
  return {
    run,
    must,
    write: (path, text, mode = 0o644) => {
      const inside = join(layer(), "upper", path);
      mkdirSync(dirname(inside), { recursive: true });
      writeFileSync(inside, text, { mode });
    },
    boot: async () => {
      if (!existsSync(join(layer(), "base"))) await succeed(call("layer", layer(), base));
      await succeed(call("boot", layer()));
      up = true;
    },
    stop: async () => {
      up = false;
      await succeed(call("stop", layer()));
    },
    remove: async () => {
      if (up) await call("stop", layer());
      up = false;
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function succeed(running: Promise<Ran>): Promise<void> {
  const { code, stderr, stdout } = await running;
  if (code !== 0) throw new Error(`${stderr}${stdout}`);
}

async function execute(program: string, words: readonly string[]): Promise<Ran> {
  const running = promisify(execFile)(program, words, {
    encoding: "latin1",
    maxBuffer: 1 << 26,
    timeout: 180_000,
  });
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || !("stdout" in error) || !("stderr" in error))
      throw error;
    const code = typeof error.code === "number" ? error.code : 255;
    return { code, stdout: String(error.stdout), stderr: String(error.stderr) };
  }
}
