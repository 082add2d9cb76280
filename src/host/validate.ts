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

/** Why sshd would not start with the files and all else that it needs as they stand, with what to do; null: it would. */
export async function whyRefusedAsItStands(machine: Machine, sshd: SshdCommand): Promise<string | null> {
  if (machine.realPath(sshd.program) === null)
    return `${sshd.program}, which runs, is not there any more: install it again`;
  // without the folder that a test makes for itself: who is let in needs it, too
  const ran = await machine.run(testCommand(sshd), { timeoutMs: TEST_LIMIT_MS });
  const verdict = verdictOf(ran, "");
  switch (verdict.kind) {
    case "accepted":
      return null;
    case "refused":
      return `sshd refuses to start as everything is: ${firstComplaint(ran)}; mend that first`;
    case "untested":
      return `whether sshd would start cannot be asked: ${verdict.because}`;
  }
}

/** What sshd says last is only how many lines it does not know. */
function firstComplaint({ stderr, status }: Ran): string {
  const lines = linesOf(stderr);
  const isCount = / terminating, \d+ bad configuration options$/.test(lines.at(-1) ?? "");
  return (isCount ? lines[0] : lines.at(-1)) ?? `exit code ${status}`;
}

/** The files as they will be. `copy` gives a copy that stands on its own, where it is needed. */
export async function testStaged(
  machine: Machine,
  sshd: SshdCommand,
  { staged, copy }: { readonly staged: readonly Staged[]; readonly copy: () => readonly Copy[] },
): Promise<Verdict> {
  const inNamespace = await testInNamespace(machine, sshd, staged);
  // an sshd that gives no answer there (it reads a FIFO, say) must not be asked about a copy without what holds it up
  if (inNamespace.kind !== "no namespace") return inNamespace;
  const ran = await withCopy(machine, copy(), (main) =>
    runTest(machine, testCommand(readingFrom(sshd, main))),
  );
  return verdictOf(ran, `${OF_COPY}: ok (no mount namespace: ${inNamespace.because})`);
}

const OF_COPY = "sshd -t on a copy with rewritten Includes";

function readingFrom({ program, options }: SshdCommand, main: string): SshdCommand {
  const others = options.filter((option, at) => option !== "-f" && options[at - 1] !== "-f");
  return { program, options: ["-f", main, ...others] };
}

export interface Copy {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A copy that stands on its own as files, its main file first; they are removed afterwards. */
export async function withCopy<T>(
  machine: Machine,
  files: readonly Copy[],
  act: (main: string) => Promise<T>,
): Promise<T> {
  try {
    for (const { path, bytes } of files) {
      machine.create(path);
      machine.write(path, bytes);
    }
    return await act(files[0]?.path ?? "");
  } finally {
    for (const { path } of files) machine.unlink(path);
  }
}

/**
 * For another user than root, who can neither mount nor read the host keys: a copy in `folder`, which must be there and
 * private, with a host key of the test's own. Run so, sshd wants neither its user nor its folder (sshd.c main).
 */
export async function testAsUser(
  machine: Machine,
  sshd: SshdCommand,
  { folder, files }: { readonly folder: string; readonly files: readonly Copy[] },
): Promise<Verdict> {
  const key = `${folder}/key`;
  const made = await machine.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
  if (made.status !== 0)
    return { kind: "untested", because: `ssh-keygen: ${made.failed ?? lastLine(made.stderr)}` };
  try {
    const ran = await withCopy(machine, files, (main) => {
      const { program, options } = readingFrom(sshd, main);
      return runTest(machine, testCommand({ program, options: [...options, "-h", key] }));
    });
    return verdictOf(ran, `${OF_COPY} and with a host key of the test's own: ok (not run by root)`);
  } finally {
    for (const path of [key, `${key}.pub`]) machine.unlink(path);
  }
}

async function testInNamespace(
  machine: Machine,
  sshd: SshdCommand,
  staged: readonly Staged[],
): Promise<Verdict | { readonly kind: "no namespace"; readonly because: string }> {
  if (machine.self.platform !== "linux") return { kind: "no namespace", because: "not Linux" };
  const mounts = staged.flatMap(({ path, newTwin }) => [newTwin, path]);
  const argv = ["unshare", "--mount", "--propagation", "private", "--"];
  const shell = ["sh", "-c", MOUNT_AND_RUN, "sh", ...mounts, "--"];
  const ran = await runTest(machine, testCommand(sshd), [...argv, ...shell]);
  if (ran.failed !== null) return { kind: "no namespace", because: `unshare: ${ran.failed}` };
  const isOurs = ran.status === NO_MOUNT || ran.stderr.startsWith("unshare:");
  if (isOurs) return { kind: "no namespace", because: lastLine(ran.stderr) };
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

/** Of a test that was ended by the limit, or by a signal. */
export const GAVE_NO_ANSWER: string = `sshd gave no answer within ${TEST_LIMIT_MS / 1000} s, or was killed`;

function verdictOf({ status, stderr, failed }: Ran, text: string): Verdict {
  if (failed !== null || status === CANNOT_EXECUTE || status === NOT_FOUND)
    return { kind: "untested", because: `sshd cannot be run: ${failed ?? lastLine(stderr)}` };
  if (status === null) return { kind: "untested", because: GAVE_NO_ANSWER };
  if (status === 0) return { kind: "accepted", text };
  return { kind: "refused", because: stderr.trim() === "" ? `exit code ${status}` : lastLine(stderr) };
}

/** What sshd says last is why it stops; of what unshare and mount say the last counts, too. */
function lastLine(text: string): string {
  return linesOf(text).at(-1) ?? "no reason given";
}

function linesOf(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== "");
}
