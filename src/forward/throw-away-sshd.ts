/** A real sshd of the probe's own: its files, its keys, its log. It ends with `stop`. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Job, Listen } from "./job.ts";
import { limitTime } from "./time-limit.ts";

export interface ThrowAwaySshd {
  /** of the one account key that it accepts, as OpenSSH writes it */
  readonly privateKey: string;
  readonly hostPublicKey: string;
  /** log lines so far */
  readonly log: readonly string[];
  readonly stop: () => void;
}

/** servconf.h MAX_LISTEN_SOCKS is 16, two families a port */
const PORTS_A_SERVER = 7;
const START_MS = 20_000;

/** Throws an Error with sshd's own words when it does not start. `folder` is the sandbox's root, or its folder. */
export async function startSshd(job: Job, folder: string): Promise<ThrowAwaySshd> {
  const place = join(folder, job.kind === "root" ? "etc/ssh" : ".");
  for (const { name, text } of job.files) write(join(place, name), text);
  const host = makeKey(join(place, "host_key"));
  const user = makeKey(join(place, "user_key"));
  const options = job.keyOptions === "" ? "" : `${job.keyOptions} `;
  writeFileSync(join(place, "authorized_keys"), `${options}${user.publicKey}`, { mode: 0o644 });
  const log: string[] = [];
  const children: ChildProcess[] = [];
  const stop = (): void => {
    for (const child of children) child.kill("SIGKILL");
  };
  try {
    for (let at = 0; at < job.listen.length; at += PORTS_A_SERVER * 2)
      children.push(await startOne(job, folder, job.listen.slice(at, at + PORTS_A_SERVER * 2), log));
  } catch (error) {
    stop();
    throw error;
  }
  return { privateKey: user.privateKey, hostPublicKey: host.publicKey, log, stop };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, Buffer.from(text, "latin1"), { mode: 0o644 });
}

function makeKey(path: string): { readonly privateKey: string; readonly publicKey: string } {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], { stdio: "pipe" });
  return { privateKey: readFileSync(path, "utf8"), publicKey: readFileSync(`${path}.pub`, "utf8") };
}

async function startOne(
  job: Job,
  folder: string,
  listen: readonly Listen[],
  log: string[],
): Promise<ChildProcess> {
  const main = join(job.kind === "root" ? "/etc/ssh" : folder, job.files[0]?.name ?? "sshd_config");
  const addresses = listen.map(({ address, port }) => `ListenAddress=${bracketed(address)}:${port}`);
  const options = [...addresses, ...job.options].flatMap((text) => ["-o", text]);
  const command = [
    ...(job.kind === "root" ? ["chroot", folder] : []),
    job.sshd,
    "-D",
    "-e",
    "-f",
    main,
    ...options,
  ];
  const child = spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  const first = log.length;
  const started = new Promise<void>((resolve, reject) => {
    const inTime = limitTime(START_MS, () => reject(new Error("sshd did not start in time")));
    let rest = "";
    child.stderr?.on("data", (bytes: Buffer) => {
      const lines = `${rest}${bytes.toString("latin1")}`.split(/\r?\n/);
      rest = lines.pop() ?? "";
      log.push(...lines);
      const listening = log.slice(first).filter((line) => line.startsWith("Server listening on")).length;
      if (listening === listen.length) {
        inTime();
        resolve();
      }
    });
    child.on("error", (error) => reject(new Error(`${job.sshd} cannot be run: ${error.message}`)));
    child.on("close", (code) => {
      inTime();
      const last = [...log.slice(first), rest].filter((line) => line !== "").at(-1);
      reject(new Error(last ?? `it ended with ${code}`));
    });
  });
  await started;
  return child;
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
