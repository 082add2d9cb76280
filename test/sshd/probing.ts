/** A probe of a configuration as tests write it down, by the machine's sshd or one of the lab's. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { parseRelease } from "../../grammar/release.ts";
import { type ProbeResult, probe } from "../../src/cli/probe-run.ts";
import { findSshd, type SshdProgram } from "../../src/cli/sshd-program.ts";
import type { Account } from "../../src/files/tree.ts";
import { differs, type ProbedAttempt } from "../../src/policy/probed.ts";
import { formatSpecification } from "../../src/policy/specification.ts";
import { targetText } from "../../src/report/probe.ts";
import type { Program } from "./driver.ts";
import { load } from "./reading.ts";
import { memoryTree, type ServerTree } from "./server-tree.ts";

/** The part inside is the source, too, but bundled once: a probe starts it each time. */
const bundle = join(mkdtempSync(join(tmpdir(), "sshd-policy-inside-")), "inside.cjs");
await build({
  absWorkingDir: new URL("../..", import.meta.url).pathname,
  entryPoints: ["src/cli/main.ts"],
  outfile: bundle,
  bundle: true,
  format: "cjs",
  platform: "node",
  external: ["cpu-features", "*.node"],
  define: { __VERSION__: '"0.0.0-test"' },
  logLevel: "error",
});
process.once("exit", () => rmSync(dirname(bundle), { recursive: true, force: true }));
const INSIDE = [process.execPath, bundle, "probe-inside"];

/** Why no probe can run here; null where one can. */
export function whyNoProbe({ chroot = "/" }: Program): string | null {
  if (process.getuid?.() !== 0) return "namespaces and accounts need root";
  const found = findSshd(chroot, undefined, null);
  return typeof found === "string" ? found : null;
}

export function programOf({ chroot = "/" }: Program): SshdProgram {
  const found = findSshd(chroot, undefined, null);
  if (typeof found === "string") throw new Error(found);
  return found;
}

export interface ProbeTreeOptions {
  readonly program?: Program;
  /** judge by this release instead of the program's own: a fault on purpose */
  readonly judgedAs?: string;
  readonly accounts?: readonly Account[];
  readonly keyOptions?: string;
}

export async function probeTree(tree: ServerTree, options: ProbeTreeOptions = {}): Promise<ProbeResult> {
  const program = programOf(options.program ?? {});
  const release = parseRelease(options.judgedAs ?? "") ?? program.release;
  return await probe({
    config: load(tree, release),
    tree: memoryTree(tree),
    accounts: options.accounts ?? null,
    world: null,
    keyOptions: options.keyOptions ?? "",
    program: { ...program, release },
    inside: INSIDE,
    onEvent: () => {},
  });
}

/** "bob tcp-local db:5432: predicted open, seen refused (why)", one line each. */
export function differencesOf({ attempts }: ProbeResult): readonly string[] {
  return attempts.filter(differs).map((probed) => `${attemptText(probed)} (${probed.observation.detail})`);
}

function attemptText({ connection, attempt, observation }: ProbedAttempt): string {
  const seen = `${observation.observed} ${observation.answeredAt.join(",")}`;
  const predicted = `${attempt.predicted} ${attempt.listensAt?.join(",") ?? ""}`;
  return `${formatSpecification(connection)}: ${attempt.capability} ${targetText(attempt.request)}: predicted ${predicted}, seen ${seen}`;
}
