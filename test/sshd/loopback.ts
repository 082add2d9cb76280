/** A throw-away sshd on loopback that really forwards: keys and files of its own, logging in the caller itself. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Program } from "./driver.ts";

const PROGRAM = "/usr/sbin/sshd";

export interface LoopbackSshd {
  readonly port: number;
  readonly user: string;
  /** a folder of its own, for sockets and the like */
  readonly folder: string;
  /** file of the private key that may log in; its public part lies beside it */
  readonly identity: string;
  readonly knownHosts: string;
  readonly log: () => string;
  /** arguments of ssh(1) that keep it from everything of the user's own */
  readonly sshOptions: readonly string[];
  /** of the listener; sessions are its children */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** Why there can be none on this machine; null: there can. */
export function whyNoSshd(): string | null {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return null;
  } catch {
    return `no program ${PROGRAM}`;
  }
}

export interface SshdOptions {
  /** lines of the configuration, which come first and therefore win */
  readonly lines?: readonly string[];
  readonly address?: string;
  /** options before the key in authorized_keys */
  readonly keyOptions?: string;
  /** the machine's own, or one of the lab's: as root, in a mount namespace where its /tmp is the machine's */
  readonly program?: Program;
}

/** sh -c LAB_SSHD sh ROOT ARGUMENT…: nothing is written in ROOT, which others use, too; root's account is not locked. */
const LAB_SSHD = `set -eu
root=$1
shift
mount --make-rprivate /
mount --rbind /tmp "$root/tmp"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir "$root/run/sshd"
printf 'root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n' >"$root/run/shadow"
mount --bind "$root/run/shadow" "$root/etc/shadow"
exec chroot "$root" /usr/sbin/sshd "$@"
`;

/** The command that runs it, whose process is sshd itself. */
function commandOf({ chroot }: Program, args: readonly string[]): readonly [string, ...string[]] {
  return chroot === undefined
    ? [PROGRAM, ...args]
    : ["unshare", "--mount", "sh", "-c", LAB_SSHD, "sh", chroot, ...args];
}

export async function startSshd({
  lines = [],
  address = "127.0.0.1",
  keyOptions = "",
  program = {},
}: SshdOptions = {}): Promise<LoopbackSshd> {
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "sshd-policy-forward-"));
  chmodSync(folder, 0o755);
  for (const name of ["hostkey", "id"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", join(folder, name)]);
  const publicKey = readFileSync(join(folder, "id.pub"), "utf8");
  writeFileSync(join(folder, "authorized_keys"), `${keyOptions} ${publicKey}`.trimStart());
  const port = await freePort(address);
  const hostKey = readFileSync(join(folder, "hostkey.pub"), "utf8");
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(knownHosts, `[${address}]:${port} ${hostKey}`);
  const config = join(folder, "sshd_config");
  writeFileSync(config, `${[...lines, ...standing(folder, { port, address, program })].join("\n")}\n`);
  const [file, ...args] = commandOf(program, ["-D", "-e", "-f", config]);
  const logFile = openSync(join(folder, "log"), "a");
  const child = spawn(file, args, { stdio: ["ignore", "ignore", logFile] });
  closeSync(logFile);
  const log = (): string => readFileSync(join(folder, "log"), "latin1");
  await listening(child, log);
  const user = userInfo().username;
  const identity = join(folder, "id");
  return {
    port,
    user,
    folder,
    identity,
    knownHosts,
    log,
    pid: child.pid ?? 0,
    sshOptions: sshOptions({ identity, knownHosts, port, user }),
    stop: async () => {
      if (child.exitCode === null) await new Promise((done) => child.once("exit", done).kill("SIGTERM"));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function standing(
  folder: string,
  { port, address, program }: { port: number; address: string; program: Program },
): readonly string[] {
  return [
    `Port ${port}`,
    `ListenAddress ${address}`,
    `HostKey ${folder}/hostkey`,
    "PidFile none",
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "LogLevel VERBOSE",
    "MaxStartups 1000",
    "MaxSessions 1000",
    ...(knowsPenalties(program) ? ["PerSourcePenalties no"] : []),
  ];
}

/** From 9.8 on 127.0.0.1 would be shut out after a few failed logins; older ones refuse the keyword. */
function knowsPenalties({ chroot }: Program): boolean {
  const command = chroot === undefined ? [PROGRAM] : ["chroot", chroot, PROGRAM];
  const text = execFileSync("sh", ["-c", '"$@" -V 2>&1; :', "sh", ...command], { encoding: "latin1" });
  const [, major = "0", minor = "0"] = /OpenSSH_(\d+)\.(\d+)/.exec(text) ?? [];
  return Number(major) * 100 + Number(minor) >= 908;
}

/** The log is a file: sshd would wait for ever for the reader of a pipe, in a test that waits for ssh(1) itself. */
async function listening(child: ChildProcess, log: () => string): Promise<void> {
  while (!log().includes("Server listening")) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`sshd did not start: ${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function sshOptions(of: {
  identity: string;
  knownHosts: string;
  port: number;
  user: string;
}): readonly string[] {
  const options = [
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${of.knownHosts}`,
    "GlobalKnownHostsFile=/dev/null",
  ].flatMap((option) => ["-o", option]);
  return ["-F", "none", "-i", of.identity, ...options, "-p", String(of.port), "-l", of.user];
}

/** Stops all that serves connections of that sshd, everything below its listener, until what it returns is called. */
export function freezeSessions({ pid }: LoopbackSshd): () => void {
  const frozen = freezeBelow(pid);
  if (frozen.length === 0) throw new Error("nobody is logged in");
  return () => {
    for (const process of frozen) signal(process, "SIGCONT");
  };
}

/** Each is stopped before it is asked for its children: what has stopped starts no more. */
function freezeBelow(parent: number): readonly number[] {
  return childrenOf(parent).flatMap((child) => {
    signal(child, "SIGSTOP");
    return [child, ...freezeBelow(child)];
  });
}

function childrenOf(pid: number): readonly number[] {
  const children = unlessEnded(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1")) ?? "";
  return children.split(" ").filter(Boolean).map(Number);
}

function signal(pid: number, name: NodeJS.Signals): void {
  unlessEnded(() => process.kill(pid, name));
}

/** Null where the process that is asked is there no more: a login has helpers that are just ending. */
function unlessEnded<Answer>(ask: () => Answer): Answer | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && "code" in error && /^(?:ENOENT|ESRCH)$/.test(String(error.code)))
      return null;
    throw error;
  }
}

/** Below those that the kernel gives to clients and to servers that ask for any: nobody else gets it meanwhile. */
const CHOSEN = { first: 10_000, count: 5_500 } as const;
/** Files of tests that run side by side choose among ports of their own: one may have let go of a port that it asked for. */
const SIDES = 4;
const side = Number(process.env["VITEST_POOL_ID"] ?? 0) % SIDES;
let chosen = randomInt(CHOSEN.count);

/** A port of loopback that nobody listens on, now and later. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  chosen = (chosen + 1) % CHOSEN.count;
  const server = createServer();
  try {
    const port = await listenOn(server, CHOSEN.first + SIDES * chosen + side, address);
    await new Promise((done) => server.close(done));
    return port;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return freePort(address);
    throw error;
  }
}

/** The port that it listens on. */
export function listenOn(server: Server, port: number, address = "127.0.0.1"): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, address, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
    });
  });
}

export interface TestServer {
  readonly port: number;
  readonly close: () => void;
}

/** A TCP server whose connections are half-open like ssh's, and which ends with its connections. */
export async function serve(
  onConnection: (socket: Socket) => void,
  address = "127.0.0.1",
): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    onConnection(socket);
  });
  const port = await listenOn(server, 0, address);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Sends back what it gets. */
export function serveEcho(address?: string): Promise<TestServer> {
  return serve((socket) => socket.pipe(socket), address);
}
