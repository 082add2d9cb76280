/**
 * A small host: two configuration files and a state folder on a tmpfs of their own, which can be filled and made
 * read-only, and beside it a service that takes the files up when it starts, as sshd does.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { openRuns } from "../../src/host/journal.ts";
import type { Machine } from "../../src/host/machine.ts";
import type { Replacement } from "../../src/host/replace.ts";
import type { LiveFix } from "../../src/host/transaction.ts";
import { type Restarted, type Restarter, recoverRun } from "../../src/host/undo.ts";

export interface SmallHost {
  readonly folder: string;
  readonly stateFolder: string;
  readonly service: string;
  readonly files: readonly Replacement[];
}

/** Small enough to be filled in no time. */
const DISK = "size=256k,mode=0755";

export function makeHost(folder: string): SmallHost {
  mkdirSync(`${folder}/disk`, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", DISK, "tmpfs", `${folder}/disk`]);
  mkdirSync(`${folder}/disk/etc/conf.d`, { recursive: true });
  mkdirSync(`${folder}/disk/state`, { mode: 0o700 });
  const texts: Readonly<Record<string, string>> = {
    [`${folder}/disk/etc/conf.d/50.conf`]: "AllowTcpForwarding yes\n",
    [`${folder}/disk/etc/sshd_config`]: `Include ${folder}/disk/etc/conf.d/*.conf\nX11Forwarding yes\n`,
  };
  const files = Object.entries(texts).map(([path, text]) => {
    writeFileSync(path, text);
    chownSync(path, 0, 7);
    chmodSync(path, 0o640);
    execFileSync("setfattr", ["-n", "trusted.label", "-v", "kept", path]);
    return {
      path,
      before: Buffer.from(text),
      after: Buffer.from(text.replace("Forwarding yes", "Forwarding no")),
    };
  });
  writeFileSync(`${folder}/service`, serviceScript(folder), { mode: 0o755 });
  const host = { folder, stateFolder: `${folder}/disk/state`, service: `${folder}/service`, files };
  execFileSync(host.service);
  return host;
}

export function removeHost({ folder }: SmallHost): void {
  execFileSync("umount", ["--lazy", `${folder}/disk`]);
  rmSync(folder, { recursive: true, force: true });
}

/** The file `refuse` holds how often it does not come up; then it is down. */
function serviceScript(folder: string): string {
  return `#!/bin/sh
cd ${folder} && rm -f running || exit 1
left=$(cat refuse 2>/dev/null || echo 0)
if [ "$left" -gt 0 ]; then echo $((left - 1)) >refuse; echo "Address already in use" >&2; exit 1; fi
cat disk/etc/conf.d/50.conf disk/etc/sshd_config >running
`;
}

export function refuseStarts({ folder }: SmallHost, times: number): void {
  writeFileSync(`${folder}/refuse`, String(times));
}

export function fillDisk({ folder }: SmallHost): void {
  try {
    writeFileSync(`${folder}/disk/filler`, Buffer.alloc(1024 * 1024), { flag: "a" });
  } catch {
    // that is what it is for
  }
}

export function makeReadOnly({ folder }: SmallHost): void {
  execFileSync("mount", ["-o", "remount,ro", `${folder}/disk`]);
}

export function mendDisk({ folder }: SmallHost): void {
  execFileSync("mount", ["-o", "remount,rw", `${folder}/disk`]);
  rmSync(`${folder}/disk/filler`, { force: true });
}

export interface Sshd {
  readonly program: string;
  readonly key: string;
}

export function liveFix(host: SmallHost, machine: Machine, { program, key }: Sshd): LiveFix {
  const restart = (): Promise<Restarted> => startService(host, machine);
  return {
    stateFolder: host.stateFolder,
    files: host.files,
    sshd: { program, options: ["-f", host.files[1]?.path ?? "", "-h", key] },
    copy: () => [],
    service: {
      record: {
        how: "restart",
        silent: [],
        configFile: "",
        restartCommand: host.service,
        manager: {
          kind: "given",
          name: "",
          listens: [],
          restart: [host.service],
          reload: null,
          status: null,
        },
        old: null,
        rescue: null,
      },
      restart,
      bringBack: withoutRescue(restart),
    },
    prove: async () => ({ kind: "holds", text: "" }),
    confirm: null,
    mode: "apply",
    stopped: () => null,
  };
}

async function startService({ service }: SmallHost, machine: Machine): Promise<Restarted> {
  const { status, stderr } = await machine.run([service]);
  return status === 0 ? { kind: "up", text: "up" } : { kind: "down", because: stderr.trim() };
}

/** What the next run, or `sshd-policy recover`, does first. */
export async function recoverHost(host: SmallHost, machine: Machine): Promise<void> {
  for (const run of openRuns(machine, host.stateFolder))
    await recoverRun(
      machine,
      run,
      withoutRescue(() => startService(host, machine)),
    );
}

function withoutRescue(restart: () => Promise<Restarted>): Restarter {
  return { restart, rescue: async (because) => ({ kind: "down", because }) };
}

/** "before" and "after" are whole: bytes, mode, owner, attributes, and the service runs with them. */
export function stateOf(host: SmallHost): string {
  for (const what of ["before", "after"] as const) if (differences(host, what).length === 0) return what;
  return `between: ${[differences(host, "before").join(", "), differences(host, "after").join(", ")].join(" | ")}`;
}

function differences(host: SmallHost, what: "before" | "after"): string[] {
  const wrong: string[] = [];
  for (const file of host.files) {
    const { mode, uid, gid } = lstatSync(file.path);
    if (Buffer.compare(readFileSync(file.path), file[what]) !== 0) wrong.push(`bytes of ${file.path}`);
    if ((mode & 0o7777) !== 0o640 || uid !== 0 || gid !== 7) wrong.push(`mode or owner of ${file.path}`);
    const label = ["--only-values", "--absolute-names", "-n", "trusted.label", file.path];
    if (execFileSync("getfattr", label, { encoding: "latin1" }) !== "kept")
      wrong.push(`label of ${file.path}`);
  }
  if (runningOf(host) !== host.files.map((file) => String(file[what])).join("")) wrong.push("the service");
  return wrong;
}

/** Names that are no part of the host, and runs that are not over. */
export function leftOver({ folder, stateFolder }: SmallHost, machine: Machine): string[] {
  const known = ["conf.d", "conf.d/50.conf", "sshd_config"];
  const names = readdirSync(`${folder}/disk/etc`, { recursive: true, encoding: "utf8" });
  const runs = openRuns(machine, stateFolder).map(({ journal }) => `a run that is ${journal.state}`);
  return [...names.filter((name) => !known.includes(name)), ...runs];
}

function runningOf({ folder }: SmallHost): string | null {
  try {
    return readFileSync(`${folder}/running`, "utf8");
  } catch {
    return null;
  }
}

/** Each file is one of the two texts, whatever else: nobody ever reads a part of one. */
export function isWhole({ files }: SmallHost): boolean {
  return files.every(({ path, before, after }) => {
    const now = readFileSync(path);
    return Buffer.compare(now, before) === 0 || Buffer.compare(now, after) === 0;
  });
}
