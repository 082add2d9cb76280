/**
 * A real sshd as judge. One shell stays open in a private mount namespace in which /etc/ssh is a folder of ours and
 * the test accounts exist; it runs `sshd` again and again, which costs little more than sshd itself.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseRelease, type Release } from "../../grammar/release.ts";
import { type AccountFiles, accountFiles, type Person, withPerson } from "./accounts.ts";
import { optionsOf, type ServerTree, writeTree } from "./server-tree.ts";

export interface Run {
  readonly exit: number;
  /** latin1 */
  readonly stdout: string;
  readonly stderr: string;
}

export interface Sshd {
  readonly name: string;
  readonly release: Release;
  /** paths of the tree lie below /etc/ssh; each run has the options that it holds */
  readonly place: (tree: ServerTree) => void;
  /** from now on this account exists, in these groups alone, whoever had its name before; null: the test accounts alone */
  readonly admit: (person: Person | null) => void;
  /** from now on these lines of passwd(5) and group(5) come before the machine's, as they are */
  readonly populate: (lines: { readonly passwd: string; readonly group: string }) => void;
  /** one run of the program. Arguments hold no line feed. */
  readonly run: (args: readonly string[]) => Promise<Run>;
  readonly close: () => Promise<void>;
}

export type Opened =
  | { readonly kind: "open"; readonly sshd: Sshd }
  | { readonly kind: "skipped"; readonly reason: string };

export interface Program {
  /** absolute path, inside the root file system where one is given */
  readonly program?: string;
  /** a root file system to change into, for other releases than the machine's */
  readonly chroot?: string;
}

const SCRIPT = join(import.meta.dirname, "inside.sh");
/** Arguments that give the run the host key of the tests. */
export const HOST_KEY: readonly string[] = ["-h", "/run/key"];
const END_OF_RUN = /\x1e(\d+)\n/;

export async function openSshd({ program = "/usr/sbin/sshd", chroot = "/" }: Program = {}): Promise<Opened> {
  const found = join(chroot, program);
  try {
    accessSync(found, constants.X_OK);
  } catch {
    return { kind: "skipped", reason: `no program ${found}` };
  }
  const release = releaseOf(program, chroot);
  if (release === null) return { kind: "skipped", reason: `${found} does not tell its release` };
  const work = makeWork();
  const child = spawn("unshare", [...namespaces(), "sh", SCRIPT, chroot, work, program], {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const sshd = makeSshd(child, work, { name: found, release });
  // its answer also says that the script has made passwd and group
  const first = await sshd.run(["-T", ...HOST_KEY, "-f", "none"]);
  if (first.exit === 0) return { kind: "open", sshd };
  await sshd.close();
  return { kind: "skipped", reason: `${found} does not run here: ${first.stderr.trim()}` };
}

/** Not as root, a user namespace makes the mounts possible where the kernel allows it. */
function namespaces(): string[] {
  return process.getuid?.() === 0 ? ["--mount"] : ["--mount", "--map-root-user"];
}

function makeWork(): string {
  const work = mkdtempSync(join(tmpdir(), "sshd-policy-"));
  mkdirSync(join(work, "etc"));
  const { passwd, group } = accountFiles();
  writeFileSync(join(work, "passwd.more"), passwd);
  writeFileSync(join(work, "group.more"), group);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(work, "key")]);
  return work;
}

/** The package version where Debian's database has it, since `sshd -V` does not name the vendor everywhere. */
function releaseOf(program: string, chroot: string): Release | null {
  if (program === "/usr/sbin/sshd") {
    try {
      const database = join(chroot, "var/lib/dpkg");
      // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholder
      const arguments_ = ["--admindir", database, "-W", "-f", "${Version}", "openssh-server"];
      return parseRelease(execFileSync("dpkg-query", arguments_, { encoding: "latin1", stdio: "pipe" }));
    } catch {
      // no Debian: ask the program itself
    }
  }
  if (chroot !== "/") return null;
  const text = execFileSync("sh", ["-c", '"$0" -V 2>&1; :', program], { encoding: "latin1" });
  return parseRelease(/OpenSSH_(\d+\.\d+(?:p\d+)?)/.exec(text)?.[1] ?? "");
}

function makeSshd(
  child: ChildProcess,
  work: string,
  { name, release }: { name: string; release: Release },
): Sshd {
  // a child that has gone shows in the outputs; the write error says nothing more
  child.stdin?.on("error", () => {});
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  const outputs = [collect(child, 1), collect(child, 3)] as const;
  const complaint = collect(child, 2);
  let own: AccountFiles | null = null;
  let options: readonly string[] = [];
  const exist = (change: (own: AccountFiles) => AccountFiles): void => {
    own ??= { passwd: readLatin1(join(work, "passwd")), group: readLatin1(join(work, "group")) };
    const { passwd, group } = change(own);
    // written in place: the namespace has these very files mounted
    writeFileSync(join(work, "passwd"), passwd, "latin1");
    writeFileSync(join(work, "group"), group, "latin1");
  };
  return {
    name,
    release,
    admit: (person) => exist((own) => (person === null ? own : withPerson(own, person))),
    populate: (lines) =>
      exist((own) => ({ passwd: `${lines.passwd}${own.passwd}`, group: `${lines.group}${own.group}` })),
    place: (tree) => {
      options = optionsOf(tree).flatMap((text) => ["-o", text]);
      const below = Object.entries(tree).map(([path, content]) => [path.replace(/^\/etc\/ssh/, ""), content]);
      writeTree(join(work, "etc"), Object.fromEntries(below));
    },
    run: async (wanted) => {
      const args = [...options, ...wanted];
      child.stdin?.write(Buffer.from([args.length, ...args, ""].join("\n"), "latin1"));
      const [out, err] = await Promise.all(outputs.map((output) => output.next()));
      if (out === undefined || err === undefined || out === null || err === null)
        return { exit: -1, stdout: "", stderr: complaint.rest() };
      return { exit: out.exit, stdout: out.text, stderr: err.text };
    },
    close: async () => {
      child.stdin?.end();
      await ended;
      rmSync(work, { recursive: true, force: true });
    },
  };
}

function readLatin1(path: string): string {
  return readFileSync(path, "latin1");
}

interface Output {
  /** text up to the end of the run; null when the child has gone */
  readonly next: () => Promise<{ readonly text: string; readonly exit: number } | null>;
  readonly rest: () => string;
}

function collect(child: ChildProcess, descriptor: 1 | 2 | 3): Output {
  let buffer = "";
  let closed = false;
  let wake: (() => void) | null = null;
  const stream = child.stdio[descriptor];
  stream?.on("data", (chunk: Buffer) => {
    buffer += chunk.toString("latin1");
    wake?.();
  });
  stream?.on("close", () => {
    closed = true;
    wake?.();
  });
  return {
    next: async () => {
      for (;;) {
        const end = END_OF_RUN.exec(buffer);
        if (end !== null) {
          const text = buffer.slice(0, end.index);
          buffer = buffer.slice(end.index + end[0].length);
          return { text, exit: Number(end[1]) };
        }
        if (closed) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    rest: () => buffer,
  };
}
