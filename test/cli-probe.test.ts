/** `probe` as people and scripts run it: exit codes, JSON, events, as an ordinary user, on a live server, killed. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { dockerArchive, file, tar } from "./images/writing.ts";
import { describeUnless, testUnless } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { COMMAND, type Ran, runCli } from "./run-cli.ts";
import { type LoopbackSshd, startSshd, whyNoSshd } from "./sshd/loopback.ts";
import { whyNoProbe } from "./sshd/probing.ts";
import { PROGRAMS } from "./sshd/programs.ts";

const missing = whyNoProbe({});
const MATCHING = "AllowTcpForwarding no\nMatch User bob\n  AllowTcpForwarding local\n  PermitOpen db:5432\n";

const PROJECT = new URL("..", import.meta.url).pathname;

/** In a mount namespace, so that nothing of it shows on the machine; /mnt is the checkout, which others may not reach. */
function runIn(setup: string, args: readonly string[]): Ran {
  const script = `set -e; mount --make-rprivate /; mount --bind ${PROJECT} /mnt; ${setup} "$@"`;
  const command = COMMAND.map((part) => part.replace(PROJECT, "/mnt/"));
  const { status, stdout, stderr } = spawnSync(
    "unshare",
    ["--mount", "sh", "-c", script, "sh", process.execPath, ...command, ...args],
    { encoding: "latin1", env: { PATH: process.env["PATH"] ?? "" } },
  );
  return { code: status, stdout, stderr };
}

interface Attempted {
  readonly capability: string;
  readonly target: string;
  readonly predicted: string;
  readonly observed: string | null;
  readonly differs: boolean;
  readonly why: string;
}

function attemptsOf({ stdout }: Ran): readonly Attempted[] {
  return JSON.parse(stdout).attempts;
}

describeUnless(missing, "probe", () => {
  test("0 when all is as predicted; JSON holds each attempt, --events each as it comes", () => {
    const root = makeRoot({ "/sshd_config": MATCHING });
    const events = join(root, "events");
    const ran = runCli(["probe", `${root}/sshd_config`, "--format", "json", "--events", events]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ...{ version: 1, complete: true, limits: [], assumptions: [], changes: [] },
    });
    const attempts = attemptsOf(ran);
    expect(attempts.find(({ target }) => target === "db:5432")).toMatchObject({
      capability: "tcp-local",
      connection: { user: "bob", addr: "198.51.100.7" },
      predicted: "open",
      observed: "open",
      differs: false,
    });
    const told = readFileSync(events, "latin1").trim().split("\n");
    expect(told.map((line) => JSON.parse(line).event).filter((event) => event === "attempt").length).toBe(
      attempts.length,
    );
  });

  test("what the prediction takes for granted is said: a block for routing domains is not tried", () => {
    const ran = runCli(["probe", "-"], { stdin: "Match RDomain vrf1\n  AllowTcpForwarding no\n" });
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("\ntaken for granted: there are no routing domains (no VRF)\n");
  });

  test.each([
    [3, "(<stdin>:1, <stdin>:2, <stdin>:3)"],
    [5, "(<stdin>:1, <stdin>:2, <stdin>:3 and 2 more)"],
  ])("what is changed of %i lines is said with three of them", (count, lines) => {
    const ran = runCli(["probe", "-"], { stdin: "HostKey /nowhere\n".repeat(count) });
    expect(ran.stdout).toContain(`\nchanged: HostKey is off: the probe has a host key of its own ${lines}\n`);
  });

  test("the configuration of an image, in the sshd of this machine; an image without sshd has nothing to try", () => {
    const work = makeFolder();
    const members = [
      file("etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n"),
      file("etc/group", "root:x:0:\nbob:x:1000:\n"),
      file("usr/sbin/sshd", "\x7fELF"),
      file("etc/ssh/sshd_config", `Include sshd_config.d/*.conf\n${MATCHING}`),
      file("etc/ssh/sshd_config.d/10.conf", "AllowAgentForwarding no\n"),
    ];
    writeFileSync(join(work, "web.tar"), dockerArchive({ layers: [{ tar: tar(members), command: "all" }] }));
    const ran = runCli(["probe", "--image", join(work, "web.tar"), "--format", "json"]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const agent = attemptsOf(ran).filter(({ capability }) => capability === "agent");
    expect(new Set(agent.map(({ observed }) => observed))).toEqual(new Set(["refused"]));
    expect(attemptsOf(ran).find(({ target }) => target === "db:5432")).toMatchObject({ observed: "open" });
    const bare = dockerArchive({ layers: [{ tar: tar(members.slice(0, 2)), command: "all" }] });
    writeFileSync(join(work, "bare.tar"), bare);
    expect(runCli(["probe", "--image", join(work, "bare.tar")])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(/no sshd/),
    });
  });

  test("1 and the connection for a difference, here of another release than the one that is named", () => {
    const root = makeRoot({ "/sshd_config": "DisableForwarding yes\n" });
    const ran = runCli(["probe", `${root}/sshd_config`, "--openssh", "8.4p1"]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^difference {2}agent: predicted open, seen refused$/m);
    expect(ran.stdout).toContain("-C user=alice,host=198.51.100.7");
  });

  test("2 for what sshd refuses, and for a program that is none", () => {
    const root = makeRoot({ "/bad": "AllowTcpForwrding no\n", "/good": MATCHING });
    expect(runCli(["probe", `${root}/bad`])).toMatchObject({ code: 2, stdout: "" });
    const none = runCli(["probe", `${root}/good`, "--sshd", "/nowhere/sshd"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("/nowhere/sshd is no program that can be run");
  });

  test("3 and why, where what runs inside has no WebAssembly", () => {
    const root = makeRoot({ "/sshd_config": MATCHING });
    const args = ["--no-expose-wasm", ...COMMAND, "probe", `${root}/sshd_config`];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "latin1" });
    expect(stderr).toMatch(/^sshd-policy: the probe failed: SSH needs WebAssembly, which .*\n$/);
    expect(status).toBe(3);
  });

  test("3 as an ordinary user, who sees what he can and is told the rest", () => {
    const root = makeRoot({
      "/sshd_config": `${MATCHING}Match all\n  PermitTunnel yes\n  GatewayPorts yes\n`,
    });
    const accounts = join(root, "accounts");
    mkdirSync(accounts);
    copyFileSync("/etc/passwd", join(accounts, "passwd"));
    copyFileSync("/etc/group", join(accounts, "group"));
    writeFileSync(join(accounts, "passwd"), "carla:x:4321:4321::/tmp:/bin/sh\n", { flag: "a" });
    writeFileSync(join(accounts, "group"), "carla:x:4321:\n", { flag: "a" });
    execFileSync("chmod", ["-R", "a+rX", root]);
    const mounts = `mount --bind ${accounts}/passwd /etc/passwd; mount --bind ${accounts}/group /etc/group;`;
    const ran = runIn(`${mounts} exec setpriv --reuid 4321 --regid 4321 --clear-groups`, [
      "probe",
      `${root}/sshd_config`,
      "--format",
      "json",
    ]);
    expect(ran.code).toBe(3);
    const attempts = attemptsOf(ran);
    expect(attempts.filter(({ differs }) => differs)).toEqual([]);
    expect(attempts.find(({ capability }) => capability === "tcp-local")).toMatchObject({
      observed: "refused",
    });
    expect(attempts.find(({ capability }) => capability === "tun")).toMatchObject({ why: "needs" });
    expect(JSON.parse(ran.stdout).limits).toEqual(["user bob: only a probe that root runs can log in there"]);
  });

  test("nothing is seen where nobody gets in, as foreseen, and no word of what would be as predicted", () => {
    const root = makeRoot({ "/sshd_config": MATCHING });
    const ran = runCli(["probe", "--key-options", 'expiry-time="20010101"', `${root}/sshd_config`]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain(`no login, as foreseen: the key's expiry-time="20010101" is over`);
    expect(ran.stdout).toContain("nothing seen\n");
    expect(ran.stdout).not.toContain("as predicted");
  });

  test("leaves nothing when it is killed", async () => {
    const blocks = Array.from(
      { length: 150 },
      (_, index) => `Match User u${index}\n  AllowTcpForwarding yes\n`,
    );
    const root = makeRoot({ "/sshd_config": blocks.join("") });
    const child = spawn(process.execPath, [...COMMAND, "probe", `${root}/sshd_config`, "--events", "-"]);
    await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
    const commands = (pattern: string): string =>
      spawnSync("pgrep", ["-a", ...pattern.split(" ")], { encoding: "latin1" }).stdout;
    const [folder = ""] = /\/tmp\/sshd-policy-probe-[0-9a-f-]+/.exec(commands(`-P ${child.pid}`)) ?? [];
    expect(existsSync(folder)).toBe(true);
    expect(commands(`-f ${folder}`)).toContain("sshd");
    child.kill("SIGKILL");
    await expect.poll(() => existsSync(folder), { timeout: 60_000 }).toBe(false);
    await expect.poll(() => commands(`-f ${folder}`), { timeout: 60_000 }).toBe("");
  });
});

describeUnless(missing, "where a probe runs", () => {
  const probed = (setup: string): Ran => {
    const root = makeRoot({ "/sshd_config": `${MATCHING}Match all\n  PermitTunnel yes\n` });
    execFileSync("chmod", ["-R", "a+rX", root]);
    return runIn(setup, ["probe", `${root}/sshd_config`, "--format", "json"]);
  };

  test.each(["077", "0777", "0"])("root's umask is not that of the probe: %s", (mask) => {
    const ran = probed(`umask ${mask}; exec`);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(attemptsOf(ran).find(({ target }) => target === "db:5432")).toMatchObject({ observed: "open" });
  });

  test("a machine without tun devices lacks what they need, for root, too", () => {
    const root = makeRoot({ "/sshd_config": "PermitTunnel yes\nMatch User root\n  PermitTunnel ethernet\n" });
    const ran = runIn("mount -t tmpfs tmpfs /dev/net; exec", [
      ...["probe", `${root}/sshd_config`, "--format", "json"],
    ]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const tun = attemptsOf(ran).filter(({ capability }) => capability === "tun");
    expect(tun.map(({ why }) => why)).toEqual(["needs", "needs", "needs", "needs"]);
  });

  test.each([
    [
      "setpriv --bounding-set -sys_admin --inh-caps -sys_admin",
      "no namespaces can be made here, as in most containers",
    ],
    ["setpriv --bounding-set -net_admin --inh-caps -net_admin", "that takes CAP_NET_ADMIN"],
  ])("what is missing is said, and what to do: %s", (setup, said) => {
    const ran = probed(`exec ${setup}`);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain(said);
  });

  test("a user without an account is told so", () => {
    const without = "exec setpriv --reuid 54321 --regid 54321 --clear-groups";
    const told = "no account here has the number 54321 of this user\n";
    expect(probed(without)).toMatchObject({ code: 3, stderr: `sshd-policy: the probe failed: ${told}` });
    const forward = runIn(without, ["forward", "-L", "8080:db:1", "host"]);
    expect(forward).toEqual({ code: 2, stdout: "", stderr: `sshd-policy: ${told}` });
  });
});

testUnless(missing, "clients that differ in their names alone have rows of their own", () => {
  const block = "AllowTcpForwarding no\nMatch Host gw.example\n  AllowTcpForwarding yes\n";
  const root = makeRoot({ "/sshd_config": `UseDNS yes\n${block}` });
  const { stdout } = runCli(["probe", `${root}/sshd_config`]);
  expect(stdout).toMatch(/^ {2}alice 198\.51\.100\.7 \(gw\.example\) to 192\.0\.2\.1:22 +open /m);
  expect(stdout).toMatch(/^ {2}alice 198\.51\.100\.7 to 192\.0\.2\.1:22 +refused /m);
});

const notLive = missing ?? whyNoSshd();
describeUnless(notLive, "probe --against", () => {
  let sshd: LoopbackSshd;
  beforeAll(async () => {
    sshd = await startSshd({ lines: ["AllowTcpForwarding local", "PermitOpen 127.0.0.1:*"] });
  });
  afterAll(() => sshd.stop());

  const against = (
    file: string,
    known: string,
    { server = sshd, more = [] }: { server?: LoopbackSshd; more?: readonly string[] } = {},
  ): Ran => {
    const home = makeFolder();
    mkdirSync(join(home, ".ssh"), { mode: 0o700 });
    writeFileSync(join(home, ".ssh/known_hosts"), known);
    const to = `${server.user}@127.0.0.1:${server.port}`;
    return runIn(`mount --bind ${home} ${homedir()}; exec`, [
      "probe",
      "--against",
      to,
      "-i",
      server.identity,
      ...more,
      "--format",
      "json",
      file,
    ]);
  };

  test("0 when the server does what its configuration says, harmless", () => {
    const ran = against(join(sshd.folder, "sshd_config"), readFileSync(sshd.knownHosts, "latin1"));
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const attempts = attemptsOf(ran);
    const seen = (capability: string): unknown =>
      attempts.find((one) => one.capability === capability)?.observed;
    expect([seen("tcp-local"), seen("tcp-remote"), seen("agent")]).toEqual(["open", "refused", "open"]);
    // PermitOpen 127.0.0.1:* also opens the socket of that name
    expect(attempts.filter(({ why }) => why === "left-out").map(({ capability }) => capability)).toEqual([
      "unix-local",
      "unix-local",
      "unix-remote",
      "tun",
      "tun",
    ]);
    expect(sshd.log()).not.toMatch(/Starting session/);
  });

  test("1 when it runs with something else than the file", () => {
    const other = join(makeRoot({ "/sshd_config": "AllowTcpForwarding no\n" }), "sshd_config");
    const ran = against(other, readFileSync(sshd.knownHosts, "latin1"));
    expect(ran.code).toBe(1);
    expect(attemptsOf(ran).filter(({ differs }) => differs)).toMatchObject([
      { capability: "tcp-local", predicted: "refused", observed: "open" },
    ]);
  });

  test("counts the options that the key has on the server, and runs no sshd of its own", async () => {
    const server = await startSshd({ keyOptions: 'no-agent-forwarding,permitopen="db:5432"' });
    const seen = (...more: readonly string[]): Ran =>
      against(join(server.folder, "sshd_config"), readFileSync(server.knownHosts, "latin1"), {
        server,
        more,
      });
    const differing = attemptsOf(seen()).filter(({ differs }) => differs);
    expect(new Set(differing.map(({ capability }) => capability))).toEqual(new Set(["tcp-local", "agent"]));
    const told = seen("--key-options", 'no-agent-forwarding,permitopen="db:5432"');
    expect(attemptsOf(told).filter(({ differs }) => differs)).toEqual([]);
    expect(told.code).toBe(0);
    expect(seen("--sshd", "/usr/sbin/sshd")).toEqual({
      code: 2,
      stdout: "",
      stderr: "sshd-policy: --against asks the server's own sshd: not /usr/sbin/sshd\n",
    });
    await server.stop();
  });

  test.each(PROGRAMS.filter(({ chroot }) => chroot !== undefined))(
    "judges by the package that the banner names, with its backports: $chroot",
    async (program) => {
      const server = await startSshd({ program, lines: ["DisableForwarding yes"] });
      const file = join(server.folder, "sshd_config");
      const ran = against(file, readFileSync(server.knownHosts, "latin1"), { server });
      expect(attemptsOf(ran).filter(({ differs }) => differs)).toEqual([]);
      expect(ran.code).toBe(0);
      await server.stop();
    },
  );

  test("knows the client's name where the server looks none up, and says so where it does", () => {
    const config = readFileSync(join(sshd.folder, "sshd_config"), "latin1");
    const probed = (text: string): Ran => {
      const file = join(sshd.folder, "other_config");
      writeFileSync(file, text);
      return against(file, readFileSync(sshd.knownHosts, "latin1"));
    };
    const block = "Match Host nowhere.example\n  AllowTcpForwarding no\n";
    expect(probed(`${config}${block}`).code).toBe(0);
    const named = probed(`UseDNS yes\n${config}${block}`);
    expect(named.code).toBe(3);
    const untried = attemptsOf(named).filter(({ why }) => why === "untried");
    expect(new Set(untried.map(({ capability }) => capability))).toEqual(new Set(["tcp-local"]));
    expect(attemptsOf(named).filter(({ differs }) => differs)).toEqual([]);
    // what no name decides is seen all the same
    expect(attemptsOf(named).find(({ capability }) => capability === "agent")?.observed).toBe("open");
    const other = `UseDNS yes\n${config}Match Host nowhere.example User nobody-here\n  AllowTcpForwarding no\n`;
    expect(probed(other).code).toBe(0);
  });

  test("what the user's groups decide is tried only where they are known", () => {
    const config = readFileSync(join(sshd.folder, "sshd_config"), "latin1");
    const file = join(sshd.folder, "grouped_config");
    const probed = (text: string, ...more: readonly string[]): Ran => {
      writeFileSync(file, `${config}${text}`);
      return against(file, readFileSync(sshd.knownHosts, "latin1"), { more });
    };
    const block = "Match Group *\n  PermitOpen none\n";
    const unknown = probed(block);
    expect(unknown.code).toBe(3);
    expect(attemptsOf(unknown).filter(({ differs }) => differs)).toEqual([]);
    const untried = attemptsOf(unknown).filter(({ why }) => why === "untried");
    expect(new Set(untried.map(({ capability }) => capability))).toEqual(new Set(["tcp-local"]));
    expect(attemptsOf(unknown).find(({ capability }) => capability === "agent")?.observed).toBe("open");
    const known = probed(block, "--accounts", "host");
    expect(known.code).toBe(1);
    expect(attemptsOf(known).find(({ differs }) => differs)).toMatchObject({ predicted: "refused" });
    expect(probed("Match Group dev User nobody-here\n  PermitOpen none\n").code).toBe(0);
  });

  test("2 and no login where the host key is not known", () => {
    const ran = against(join(sshd.folder, "sshd_config"), "");
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain("is not known");
  });
});
