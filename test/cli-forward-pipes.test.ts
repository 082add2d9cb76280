/** Files that are none: `-F <(…)`, and configuration, keys and known_hosts that come through a pipe. */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless } from "./needs.ts";
import { COMMAND } from "./run-cli.ts";
import { type LoopbackSshd, startSshd, whyNoSshd } from "./sshd/loopback.ts";

const NO_SSHD = whyNoSshd();

describeUnless(NO_SSHD, "forward reads", () => {
  let sshd: LoopbackSshd;
  let jump: LoopbackSshd;
  beforeAll(async () => {
    [sshd, jump] = await Promise.all([startSshd(), startSshd()]);
  });
  afterAll(() => Promise.all([sshd.stop(), jump.stop()]));

  /** Two hops that want the same files, both found at these paths. */
  function config(identity: string, knownHosts: string): string {
    const hosts = [
      ...[`Host last`, `Port ${sshd.port}`, "ProxyJump first", "Host first", `Port ${jump.port}`],
      ...["Host *", "HostName 127.0.0.1", `User ${sshd.user}`, `IdentityFile ${identity}`],
      ...["IdentityAgent none", "BatchMode yes", "GlobalKnownHostsFile none"],
    ];
    return `${[...hosts, `UserKnownHostsFile ${knownHosts}`].join("\n")}\n`;
  }

  interface Outcome {
    readonly stdout: string;
    readonly stderr: string;
    readonly code: number | null;
  }

  /** `$forward` is -W to the server itself: what it prints first is sshd's own version. */
  async function inShell(script: string): Promise<Outcome> {
    const forward = [process.execPath, ...COMMAND, "forward", "-W", `127.0.0.1:${sshd.port}`].join(" ");
    const child = spawn("bash", ["--norc", "-c", script], {
      cwd: sshd.folder,
      env: { PATH: process.env["PATH"] ?? "", forward },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    child.stdin.end("no SSH\n");
    const late = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), 30_000);
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (bytes: Buffer) => {
        said[name] += bytes.toString("latin1");
      });
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    clearTimeout(late);
    return { ...said, code };
  }

  const THROUGH = { stdout: expect.stringMatching(/^SSH-2.0-OpenSSH/), stderr: "", code: 0 };

  it("pipes, once for all hosts on the way", async () => {
    const trusted = [sshd, jump].map(({ knownHosts }) => readFileSync(knownHosts, "utf8")).join("");
    writeFileSync(join(sshd.folder, "both"), trusted);
    // the one key that both know
    writeFileSync(join(jump.folder, "authorized_keys"), readFileSync(join(sshd.folder, "id.pub")));
    writeFileSync(join(sshd.folder, "piped"), config(join(sshd.folder, "key"), join(sshd.folder, "known")));
    const script = [
      "mkfifo -m 600 key known",
      "cat id >key & cat both >known &",
      "exec $forward -F <(cat piped) last",
    ];
    const waiting = ["known", "key"].map(
      (name) => `${join(sshd.folder, name)} is a pipe: waiting for its writer`,
    );
    expect(await inShell(script.join("\n"))).toEqual({
      ...THROUGH,
      stderr: waiting.map((line) => `sshd-policy: ${line}\n`).join(""),
    });
  }, 60_000);

  it("a pipe as long as its writer takes, and says that it waits; one that brings nothing is empty", async () => {
    const here = `-p ${sshd.port} -o UserKnownHostsFile=${sshd.knownHosts} -o BatchMode=yes ${sshd.user}@127.0.0.1`;
    const keyed = `-F none -i <(sleep 2; cat id) ${here}`;
    expect(await inShell(`exec $forward ${keyed}`)).toEqual({
      ...THROUGH,
      stderr: "sshd-policy: /dev/fd/63 is a pipe: waiting for its writer\n",
    });
    expect(await inShell(`exec $forward -F <(true) -i id ${here}`)).toEqual(THROUGH);
  }, 60_000);

  it("of a named configuration what it says, whoever may write it, as ssh(1); /dev/null says nothing", async () => {
    const here = `-p ${sshd.port} -i id -o UserKnownHostsFile=${sshd.knownHosts} -o BatchMode=yes`;
    writeFileSync(join(sshd.folder, "open"), `Host there\nHostName 127.0.0.1\nUser ${sshd.user}\n`);
    chmodSync(join(sshd.folder, "open"), 0o666);
    expect(await inShell(`exec $forward -F open ${here} there`)).toEqual(THROUGH);
    expect(await inShell(`exec $forward -F /dev/null ${here} ${sshd.user}@127.0.0.1`)).toEqual(THROUGH);
    mkdirSync(join(sshd.folder, "folder"));
    writeFileSync(join(sshd.folder, "including"), `Include ${sshd.folder}/folder\nUser ${sshd.user}\n`);
    expect(await inShell(`exec $forward -F including ${here} 127.0.0.1`)).toMatchObject({
      stdout: THROUGH.stdout,
      stderr: `sshd-policy: ${sshd.folder}/folder is left out: illegal operation on a directory\n`,
    });
    for (const [name, because] of [
      ["folder", "illegal operation on a directory"],
      ["/dev/zero", "it is a device"],
    ])
      expect(await inShell(`exec $forward -F ${name} ${here} 127.0.0.1`)).toMatchObject({
        stderr: `sshd-policy: -F ${name}: ${because}\n`,
        code: 2,
      });
  }, 60_000);

  it.each(["<(yes)", "endless"])(
    "no key of a writer who never ends: %s",
    async (key) => {
      const forward = `$forward -F none -p ${sshd.port} -i ${key} -o BatchMode=yes -o IdentityAgent=none`;
      const known = `-o UserKnownHostsFile=${sshd.knownHosts} ${sshd.user}@127.0.0.1`;
      // by far enough for Node.js and 64 MiB
      const ran = await inShell(
        `mkfifo -m 600 endless; yes >endless & ulimit -d 1000000; ${forward} ${known}; code=$?; kill %1; exit $code`,
      );
      expect(ran.stderr).toMatch(/^sshd-policy: left out: .*: there are more than 64 MiB in it$/m);
      expect(ran.code).toBe(1);
    },
    60_000,
  );

  it("no known_hosts that has no end, and writes none that nobody reads", async () => {
    const here = `-F none -p ${sshd.port} -i id -o BatchMode=yes -o GlobalKnownHostsFile=none`;
    expect(
      await inShell(`exec $forward ${here} -o UserKnownHostsFile=/dev/zero ${sshd.user}@127.0.0.1`),
    ).toMatchObject({
      stderr: expect.stringMatching(/^sshd-policy: \/dev\/zero is left out: it is a device\n.* is not known/),
      code: 1,
    });
    execFileSync("mkfifo", [join(sshd.folder, "empty")]);
    expect(
      await inShell(
        `: >empty &\nexec $forward ${here} -o StrictHostKeyChecking=no -o UserKnownHostsFile=empty ${sshd.user}@127.0.0.1`,
      ),
    ).toMatchObject({
      stdout: THROUGH.stdout,
      stderr:
        "sshd-policy: empty is a pipe: waiting for its writer\nsshd-policy: empty cannot be written: it is a pipe\n",
    });
  }, 60_000);
});
