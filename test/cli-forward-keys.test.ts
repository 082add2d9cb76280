/** Which keys are offered, in which order, and in which formats: by OpenSSH's own client and by ours, as sshd's log has it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { forwarderArguments, type Program } from "./sshd/forwarders.ts";
import { type LoopbackSshd, serveEcho, startSshd, type TestServer, whyNoSshd } from "./sshd/loopback.ts";

const missing = whyNoSshd() ?? whyNoFile("/usr/bin/ssh", "/usr/bin/ssh-agent");
const hello = "over there and back";

/** Keys of the agent, and options: "wrong1" to "wrong7" are nobody's, "good" may log in, GONE is good's public part alone. */
const CASES: readonly (readonly [agent: string, options: string])[] = [
  ["wrong1 wrong2 wrong3 wrong4", "-i good"],
  ["wrong1 wrong2 wrong3 wrong4", "-i wrong1 -i wrong2 -i wrong3 -i wrong4 -i good"],
  ["wrong1 wrong2 wrong3 wrong4 wrong5 wrong6 wrong7 good", "-o IdentityFile=none"],
  ["wrong1 wrong2 wrong3 wrong4 wrong5 wrong6 wrong7 good", "-i good"],
  ["wrong1 wrong2 good", "-o IdentitiesOnly=yes -i wrong2 -i good.pub"],
  ["wrong1 wrong2 good", "-o IdentitiesOnly=yes -i wrong2"],
  ["wrong1 good", "-i locked"],
  ["wrong1", "-i locked -i good"],
  ["wrong1", "-o IdentityAgent=/gone -i good"],
  ["wrong1 good", "-o IdentitiesOnly=yes -i locked-beside-garbage"],
  ["wrong1 good", "-o IdentitiesOnly=yes -i locked-beside-wrong1"],
];

describeUnless(missing, "ssh and sshd-policy forward", () => {
  let sshd: LoopbackSshd;
  let echo: TestServer;
  const folder = makeFolder();
  let agent: ChildProcess;
  const inFolder = (name: string): string => join(folder, name);
  beforeAll(async () => {
    [sshd, echo] = [await startSshd({ lines: ["MaxAuthTries 6"] }), await serveEcho()];
    for (const part of ["", ".pub"]) copyFileSync(`${sshd.identity}${part}`, inFolder(`good${part}`));
    // the same key with a passphrase, and without its public part beside it
    copyFileSync(sshd.identity, inFolder("locked"));
    execFileSync("ssh-keygen", ["-q", "-p", "-N", "secret", "-f", inFolder("locked")], { stdio: "ignore" });
    for (const other of ["garbage", "wrong1"])
      copyFileSync(inFolder("locked"), inFolder(`locked-beside-${other}`));
    writeFileSync(inFolder("locked-beside-garbage.pub"), "hello world\n");
    for (let number = 1; number <= 7; number++) makeKey(`wrong${number}`, ["-t", "ed25519"]);
    copyFileSync(inFolder("wrong1.pub"), inFolder("locked-beside-wrong1.pub"));
    agent = spawn("ssh-agent", ["-D", "-a", inFolder("agent")], { stdio: ["ignore", "pipe", "ignore"] });
    await once(agent.stdout ?? agent, "data");
  });
  afterAll(async () => {
    agent.kill();
    echo.close();
    await sshd.stop();
  });

  function makeKey(name: string, args: readonly string[], passphrase = ""): string {
    const key = ["ssh-keygen", "-q", "-N", passphrase, "-C", name, "-f", inFolder(name), ...args];
    execFileSync(key[0] ?? "", key.slice(1));
    return inFolder(name);
  }

  /** Whether it gets in, and sshd's lines about the keys that it offers: F a failed one, A the one that is taken. */
  async function offers(program: Program, options: readonly string[]): Promise<object> {
    const [file, ...args] = forwarderArguments(program, { ...sshd, sshOptions: ownOptions() });
    const before = sshd.log().length;
    const child = spawn(file, [...args, ...options, "-W", `127.0.0.1:${echo.port}`, "127.0.0.1"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", SSH_AUTH_SOCK: inFolder("agent") },
    });
    let heard = "";
    child.stdout.on("data", (bytes: Buffer) => {
      heard += bytes.toString("latin1");
    });
    child.stdin.on("error", () => {}).end(hello);
    await once(child, "close");
    // sshd's log comes through a pipe
    await new Promise((resolve) => setTimeout(resolve, 200));
    const lines = sshd
      .log()
      .slice(before)
      .matchAll(/^(Failed|Accepted) publickey .* (SHA256:\S+)/gm);
    return { in: heard === hello, offered: [...lines].map(([, what, key]) => `${what} ${key}`) };
  }

  /** Of those of sshd without the key, and without what keeps agents out. */
  function ownOptions(server: LoopbackSshd = sshd): readonly string[] {
    const files = [
      `UserKnownHostsFile=${server.knownHosts}`,
      "GlobalKnownHostsFile=/dev/null",
      "BatchMode=yes",
    ];
    return [
      "-F",
      "none",
      ...files.flatMap((file) => ["-o", file]),
      "-p",
      String(server.port),
      "-l",
      server.user,
    ];
  }

  it.each(CASES)("agree with %j in the agent, and %s", async (held, options) => {
    const env = { PATH: process.env["PATH"] ?? "", SSH_AUTH_SOCK: inFolder("agent") };
    execFileSync("ssh-add", ["-q", "-D"], { env, stdio: "ignore" });
    const names = held === "" ? [] : held.split(" ");
    if (names.length > 0) execFileSync("ssh-add", ["-q", ...names.map(inFolder)], { env, stdio: "ignore" });
    const args = options
      .split(" ")
      .map((word) => (/^(good|wrong|locked)/.test(word) ? inFolder(word) : word));
    const ours = await offers("sshd-policy forward", args);
    expect(ours).toEqual(await offers("ssh", args));
    if (held.startsWith("wrong1 wrong2 wrong3") && options.endsWith("-i good"))
      expect(ours).toMatchObject({ in: true });
  });

  /** An agent whose every answer somebody has to allow first (ssh-add -c); null: he never does. */
  async function serveAgent(name: string, after: number | null): Promise<Server> {
    const server = createServer((socket) => {
      socket.on("error", () => {}).on("close", () => {});
      if (after === null) return;
      setTimeout(() => socket.pipe(connect(inFolder("agent"))).pipe(socket), after);
    });
    await once(server.listen(inFolder(name)), "listening");
    return server;
  }

  it("wait for an agent as long as it takes, and longer than for the server", async () => {
    const env = { PATH: process.env["PATH"] ?? "", SSH_AUTH_SOCK: inFolder("agent") };
    execFileSync("ssh-add", ["-q", "-D"], { env, stdio: "ignore" });
    execFileSync("ssh-add", ["-q", inFolder("good")], { env, stdio: "ignore" });
    const slow = await serveAgent("slow", 1_500);
    const args = [
      "-o",
      `IdentityAgent=${inFolder("slow")}`,
      "-o",
      "IdentityFile=none",
      "-o",
      "ConnectTimeout=1",
    ];
    expect(await offers("sshd-policy forward", args)).toMatchObject({ in: true });
    slow.close();
  });

  it("end with the server's patience where an agent never answers", async () => {
    const impatient = await startSshd({ lines: ["LoginGraceTime 1"] });
    const silent = await serveAgent("silent", null);
    const of = { ...impatient, sshOptions: ownOptions(impatient) };
    const [file = "", ...args] = forwarderArguments("sshd-policy forward", of);
    const options = ["-o", `IdentityAgent=${inFolder("silent")}`, "-D", "0"];
    const child = spawn(file, [...args, ...options, "127.0.0.1"], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => {
      said += text;
    });
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said).toMatch(/the server closed the connection during the login|Timeout|ended the connection/);
    silent.close();
    await impatient.stop();
  }, 30_000);
});
