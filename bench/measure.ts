/**
 * Whole processes, start to exit: CPU time (user and system, of the process and all its children) and peak memory.
 * Two commands are run in turns, so that a busy machine slows both; figures are medians.
 */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Command {
  readonly argv: readonly string[];
  /** exit codes that are right; anything else is an error of the bench. Default: 0 and 1 (findings remain) */
  readonly exits?: readonly number[];
}

export interface Pair {
  /** milliseconds of CPU, medians */
  readonly ours: number;
  readonly peer: number;
}

/** Node 20 reads NODE_EXTRA_CA_CERTS at every start, which doubles the floor. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return { ...rest, TIMEFORMAT: "%3U %3S" };
}

/**
 * bash's `time` prints what getrusage(2) says of finished children, cut down to whole milliseconds, user and system each:
 * of so many runs in a row, as of one `node -e 0` that would be a twentieth.
 */
export function cpuOf({ argv, exits = [0, 1] }: Command, runs = 1): number {
  const script =
    'n=$1 right=$2; shift 2; time for ((; n > 0; n--)); do "$@" >/dev/null 2>&1; code=$?; [[ $right = *" $code "* ]] || break; done; exit $code';
  const run = spawnSync("bash", ["-c", script, "bash", String(runs), ` ${exits.join(" ")} `, ...argv], {
    env: environment(),
    encoding: "latin1",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (run.status === null || !exits.includes(run.status))
    throw new Error(
      `${argv.join(" ")} ended with ${run.status ?? run.signal}, which no measurement is worth`,
    );
  const [user = NaN, system = NaN] = run.stderr.trim().split("\n").at(-1)?.split(" ").map(Number) ?? [];
  return ((user + system) * 1000) / runs;
}

/** What takes so little is run several times for a figure. */
const SHORT_MS = 100;
const AT_ONCE = 5;

export function comparePair(ours: Command, peer: Command, turns: number): Pair {
  const [own, other] = [ours, peer].map((command) => (cpuOf(command) < SHORT_MS ? AT_ONCE : 1));
  const times = Array.from({ length: turns }, () => [cpuOf(ours, own), cpuOf(peer, other)] as const);
  return { ours: median(times.map(([own]) => own)), peer: median(times.map(([, other]) => other)) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** MiB: the kernel's high-water mark, looked at every few milliseconds until the process ends (Linux). */
export async function peakMemory({ argv, exits = [0, 1] }: Command): Promise<number> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { env: environment(), stdio: "ignore" });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, highWaterMark(child.pid));
  }, 3);
  const code = await new Promise<number | null>((done, failed) => {
    child.on("error", failed);
    child.on("exit", done);
  });
  clearInterval(timer);
  if (code === null || !exits.includes(code)) throw new Error(`${argv.join(" ")} ended with ${code}`);
  return peak / 1024;
}

function highWaterMark(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** MB/s of a function over a text, warm: the median of several rounds of CPU time in this process. */
export function throughput(bytes: number, work: () => void, rounds: number): number {
  const rates = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return bytes / (user + system);
  });
  // the first rounds warm the compiler up
  return median(rates.slice(Math.floor(rounds / 3)));
}
