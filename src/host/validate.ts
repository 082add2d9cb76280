/**
 * Whether the host's own sshd takes the files, on its own command line: `sshd -t` with the staged files mounted over the
 * real ones in a mount namespace of its own (unshare(1), mount_namespaces(7)), because a copy elsewhere would read the
 * live drop-ins. Where no namespace can be made (a container without CAP_SYS_ADMIN, another system), a copy whose
 * Includes are rewritten is tested instead, and the answer says so.
 */
import type { Machine, Ran } from "./machine.ts";

/** sshd as the host runs it. */
export interface SshdCommand {
  /** absolute path: sshd refuses a relative one */
  readonly program: string;
  /** -f, -o, -p, -h …, without what decides how it runs (-D, -e, -i) */
  readonly options: readonly string[];
}

export type Verdict =
  | { readonly kind: "accepted"; readonly text: string }
  | { readonly kind: "refused"; readonly because: string }
  /** nothing is known: the test itself cannot be made here */
  | { readonly kind: "untested"; readonly because: string };

export interface Staged {
  /** the real path, and the file that is to stand there */
  readonly path: string;
  readonly newTwin: string;
}

const TEST_LIMIT_MS = 30_000;
/** of our own script, when the mounts fail: sshd itself exits with 0, 1 or 255 */
const NO_MOUNT = 97;
/** of a shell that cannot start the program (POSIX, "Exit Status for Commands") */
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
const MOUNT_AND_RUN = `
while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit ${NO_MOUNT}; shift 2; done
shift; exec "$@"`;
/** The folder that sshd's privilege separation wants (sshd.c; Debian makes it when the service starts). */
const WITH_FOLDER = `folder=$1; shift
mkdir -m 0755 "$folder" || exit ${NO_MOUNT}
"$@"; status=$?; rmdir "$folder"; exit $status`;

/** The files as they stand. */
export async function testLive(machine: Machine, sshd: SshdCommand): Promise<Verdict> {
  return verdictOf(await runTest(machine, testCommand(sshd)), "sshd -t: ok");
}

/** The files as they will be. `copy` is the main file of a copy that stands on its own, made when it is needed. */
export async function testStaged(
  machine: Machine,
  sshd: SshdCommand,
  { staged, copy }: { readonly staged: readonly Staged[]; readonly copy: () => string },
): Promise<Verdict> {
  const inNamespace = await testInNamespace(machine, sshd, staged);
  if (inNamespace.kind !== "untested") return inNamespace;
  const others = sshd.options.filter((option, at) => option !== "-f" && sshd.options[at - 1] !== "-f");
  const ran = await runTest(machine, testCommand({ ...sshd, options: ["-f", copy(), ...others] }));
  const why = `no mount namespace: ${inNamespace.because}`;
  return verdictOf(ran, `sshd -t on a copy with rewritten Includes: ok (${why})`);
}

async function testInNamespace(
  machine: Machine,
  sshd: SshdCommand,
  staged: readonly Staged[],
): Promise<Verdict> {
  if (machine.self.platform !== "linux") return { kind: "untested", because: "not Linux" };
  const mounts = staged.flatMap(({ path, newTwin }) => [newTwin, path]);
  const argv = ["unshare", "--mount", "--propagation", "private", "--"];
  const shell = ["sh", "-c", MOUNT_AND_RUN, "sh", ...mounts, "--"];
  const ran = await runTest(machine, testCommand(sshd), [...argv, ...shell]);
  if (ran.failed !== null) return { kind: "untested", because: `unshare: ${ran.failed}` };
  const isOurs = ran.status === NO_MOUNT || ran.stderr.startsWith("unshare:");
  if (isOurs) return { kind: "untested", because: lastLine(ran.stderr) };
  return verdictOf(ran, "sshd -t on the staged files: ok");
}

function testCommand({ program, options }: SshdCommand): string[] {
  return [program, "-t", ...options];
}

/** sshd with one question. Once more with the folder that it misses: a service that is not running has not made it. */
export async function runTest(
  machine: Machine,
  command: readonly string[],
  wrapper: readonly string[] = [],
): Promise<Ran> {
  const limit = { timeoutMs: TEST_LIMIT_MS };
  const ran = await machine.run([...wrapper, ...command], limit);
  const folder = /^Missing privilege separation directory: (\/[^\r\n]*)/m.exec(ran.stderr)?.[1];
  if (folder === undefined || machine.status(folder) !== null) return ran;
  return machine.run([...wrapper, "sh", "-c", WITH_FOLDER, "sh", folder, ...command], limit);
}

function verdictOf({ status, stderr, failed }: Ran, text: string): Verdict {
  if (failed !== null || status === CANNOT_EXECUTE || status === NOT_FOUND)
    return { kind: "untested", because: `sshd cannot be run: ${failed ?? lastLine(stderr)}` };
  if (status === 0) return { kind: "accepted", text };
  return { kind: "refused", because: stderr.trim() === "" ? `exit code ${status}` : lastLine(stderr) };
}

/** What sshd says last is why it stops; of what unshare and mount say the last counts, too. */
function lastLine(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  return lines.at(-1) ?? "no reason given";
}
