/** `sshd-policy forward` as a user runs it. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeUnless, NOT_ROOT, testUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { COMMAND, runCli } from "./run-cli.ts";
import { ask, forwarderArguments, startForwarder } from "./sshd/forwarders.ts";
import { freePort, type LoopbackSshd, serve, serveEcho, startSshd, whyNoSshd } from "./sshd/loopback.ts";
import type { MailReading } from "./sshd/mail-reading.ts";

const NO_NAMESPACES = NOT_ROOT ?? whyNoFile("/usr/bin/unshare", "/usr/sbin/ip") ?? whyNoSshd();

const TSX = join(import.meta.dirname, "../node_modules/tsx/dist/loader.mjs");

/** The example of ssh(1), "TCP FORWARDING", to the letter. */
describeUnless(NO_NAMESPACES, "the manual's mail", () => {
  function readMail(...args: readonly string[]): MailReading {
    const own = makeFolder();
    chmodSync(own, 0o755);
    const node = [process.execPath, "--import", TSX, join(import.meta.dirname, "sshd/mail-reading.ts")];
    const forwarder = [process.execPath, ...COMMAND, "forward", ...args];
    const { stdout, stderr } = spawnSync(
      "unshare",
      [
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        join(import.meta.dirname, "sshd/mail-hosts.sh"),
        own,
        ...node,
        ...forwarder,
      ],
      { encoding: "latin1", env: { PATH: process.env["PATH"] ?? "", TERM: "dumb" }, timeout: 100_000 },
    );
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  const HEARD = [
    "+OK POP3 at your service",
    "+OK",
    "+OK",
    "+OK 1 48",
    "+OK",
    "Subject: hello",
    "",
    "Meet me at the lighthouse.",
    ".",
    "+OK",
  ];

  it("directly: ssh -L 1100:mail.example.com:110 mail.example.com", () => {
    const { heard, output, exit } = readMail("-L", "1100:mail.example.com:110", "mail.example.com");
    expect(heard, output).toEqual(HEARD);
    expect(output).toContain("encrypted  this machine to mail.example.com: SSH");
    expect(output).toContain("in clear   mail.example.com to mail.example.com:110, inside that machine");
    expect(exit).toBe(0);
  });

  it("indirectly: ssh -L 1100:mail.example.com:110 other.example.com", () => {
    const { heard, output, exit } = readMail("-L", "1100:mail.example.com:110", "other.example.com");
    expect(heard, output).toEqual(HEARD);
    expect(output).toContain("encrypted  this machine to other.example.com: SSH");
    expect(output).toContain(
      "in clear   other.example.com to mail.example.com:110, over the network between them",
    );
    expect(exit).toBe(0);
  });

  it("through a jump host: -J other.example.com keeps it encrypted up to the mail server", () => {
    const { heard, output, exit } = readMail(
      "-J",
      "other.example.com",
      "-L",
      "1100:mail.example.com:110",
      "mail.example.com",
    );
    expect(heard, output).toEqual(HEARD);
    expect(output).toContain(
      "encrypted  this machine to mail.example.com: SSH, through other.example.com, which cannot read it",
    );
    expect(exit).toBe(0);
  });
});

const NO_SSHD = whyNoSshd();

describeUnless(NO_SSHD, "forward", () => {
  let sshd: LoopbackSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());

  function run(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
    const [program, ...before] = forwarderArguments("sshd-policy forward", sshd);
    const { status, stdout, stderr } = spawnSync(program, [...before, ...args], {
      encoding: "latin1",
      input: "over there and back",
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" },
      timeout: 60_000,
    });
    return { code: status, stdout, stderr };
  }

  it("writes what happens as JSON lines, and ends with 0 when it is told to", async () => {
    const echo = await serveEcho();
    const closed = await freePort();
    const events = join(sshd.folder, "events");
    const [good, bad] = [await freePort(), await freePort()];
    const forwards = ["-L", `${good}:127.0.0.1:${echo.port}`, "-L", `${bad}:127.0.0.1:${closed}`];
    const running = await startForwarder("sshd-policy forward", sshd, ["--events", events, ...forwards]);
    expect(await ask({ port: good }, "hello"), running.said()).toBe("hello");
    expect(await ask({ port: bad }, "hello")).toBe("closed");
    await running.stop();
    expect(running.child.exitCode).toBe(0);
    const lines = readFileSync(events, "utf8").trim().split("\n");
    const told = lines.map((line): Record<string, unknown> => JSON.parse(line));
    expect(told.map((one) => one["event"]).sort()).toEqual(
      ["closed", "connected", "disconnected", "listening", "listening", "open", "refused"].sort(),
    );
    const find = (name: string): unknown => told.find((one) => one["event"] === name);
    expect(find("closed")).toMatchObject({ forward: 0, sent: 5, received: 5 });
    expect(find("refused")).toMatchObject({ forward: 1, kind: "connect-failed" });
    expect(told.every((one) => typeof one["time"] === "string")).toBe(true);
    echo.close();
  });

  it("carries 24 MB each way at once over new keys, byte for byte", async () => {
    // the release has no native part of ssh2, so its ciphers are others than those of tests of the source
    const rekeying = await startSshd({ lines: ["RekeyLimit 4M"] });
    const echo = await serveEcho();
    const port = await freePort();
    const forward = ["-L", `${port}:127.0.0.1:${echo.port}`];
    const running = await startForwarder("sshd-policy forward", rekeying, forward);
    const bytes = randomBytes(24_000_000);
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.end(bytes);
    const hash = createHash("sha256");
    for await (const chunk of socket) hash.update(chunk);
    expect(hash.digest("hex"), running.said()).toBe(createHash("sha256").update(bytes).digest("hex"));
    await running.stop();
    echo.close();
    await rekeying.stop();
  });

  it("-W joins its standard streams with a connection", async () => {
    // spawnSync holds this process, so the echo lives in another one
    const port = await freePort();
    const path = join(makeFolder(), "echo");
    const script = `for (const at of [[${port},"127.0.0.1"],["${path}"]])
      require("net").createServer({allowHalfOpen:true},s=>s.pipe(s)).listen(...at)`;
    const echo = spawn(process.execPath, ["-e", script]);
    while ((await ask({ port }, "x")) !== "x") await new Promise((resolve) => setTimeout(resolve, 50));
    for (const to of [`127.0.0.1:${port}`, path])
      expect(run("-W", to, "127.0.0.1"), to).toEqual({ code: 0, stdout: "over there and back", stderr: "" });
    echo.kill();
    const refused = run("-W", `127.0.0.1:${await freePort()}`, "127.0.0.1");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/Connection refused/);
  });

  it.each([
    ["has said goodbye, while its own input is open", false],
    ["has ended but still reads, when that has been sent", true],
  ])("-W ends soon when the other side %s", async (_, isSending) => {
    const chunks = isSending ? Array.from({ length: 20 }, () => randomBytes(100_000)) : [];
    let received = 0;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("data", (bytes) => {
        received += bytes.length;
      });
      socket.end("goodbye");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const [program, ...before] = forwarderArguments("sshd-policy forward", sshd);
    const child = spawn(program, [...before, "-W", `127.0.0.1:${port}`, "127.0.0.1"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" },
      timeout: 30_000,
    });
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString("latin1");
    });
    await once(child.stdout, "data");
    for (const chunk of chunks) {
      child.stdin.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [code] = await once(child, "close");
    expect([code, said]).toEqual([0, "goodbye"]);
    expect(received).toBe(chunks.length * 100_000);
    server.close();
  });

  it("listens on the family of -4 or -6 alone", async () => {
    const port = await freePort();
    const running = await startForwarder("sshd-policy forward", sshd, ["-4T", "-L", `${port}:127.0.0.1:1`]);
    await running.stop();
    expect(running.said()).toContain(`this machine listens on 127.0.0.1:${port}\n`);
    expect(run("-6", "-L", "0:a:1", "127.0.0.1")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("AddressFamily leaves out that address"),
    });
  });

  it("leaves out known_hosts that cannot be read, and keys that are folders, by name", () => {
    const { code, stderr } = runCli([
      ...["forward", "-F", "none", "-i", sshd.folder, "-o", "IdentityAgent=none", "-o", "BatchMode=yes"],
      ...["-o", `GlobalKnownHostsFile=${sshd.folder}`, "-o", `UserKnownHostsFile=${sshd.knownHosts}`],
      ...["-p", String(sshd.port), "-L", "0:a:1", "127.0.0.1"],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${sshd.folder} is left out: illegal operation on a directory\n`);
    expect(stderr).toContain(`left out: ${sshd.folder}: illegal operation on a directory\n`);
    expect(stderr).toContain("there was nothing to try");
  });

  it("ends with 1 when no forward can be had, or one with ExitOnForwardFailure", async () => {
    const taken = await serve(() => {});
    const listen = ["-L", `127.0.0.1:${taken.port}:127.0.0.1:1`];
    expect(run(...listen, "127.0.0.1")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/address already in use/),
    });
    const both = [...listen, "-L", "0:127.0.0.1:1", "-o", "ExitOnForwardFailure=yes"];
    expect(run(...both, "127.0.0.1").code).toBe(1);
    taken.close();
  });

  it("says as an error why the connection was lost", async () => {
    const lost = await startSshd();
    const running = await startForwarder("sshd-policy forward", lost, ["-L", "0:127.0.0.1:1"]);
    execFileSync("pkill", ["-KILL", "-P", String(lost.pid)]);
    if (running.child.exitCode === null) await once(running.child, "exit");
    expect(running.said()).toContain("\nsshd-policy: connection lost: the server closed the connection\n");
    expect(running.child.exitCode).toBe(1);
    await lost.stop();
  });

  it("refuses a host key that is not known, and never asks without a terminal", () => {
    const { code, stderr } = runCli([
      ...["forward", "-F", "none", "-i", sshd.identity, "-o", "IdentityAgent=none", "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${join(sshd.folder, "no-such-file")}`, "-p", String(sshd.port)],
      ...["-L", "0:127.0.0.1:1", "127.0.0.1"],
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/host key of \[127\.0\.0\.1\]:\d+ is not known \(ssh-ed25519 SHA256:/);
  });

  testUnless(
    whyNoFile("/dev/full"),
    "outlives a full disk: neither its events nor its lines end a forward",
    async () => {
      const echo = await serveEcho();
      const port = await freePort();
      const [program, ...before] = forwarderArguments("sshd-policy forward", sshd);
      const full = openSync("/dev/full", "w");
      const running = spawn(
        program,
        [...before, "--events", "/dev/full", "-L", `${port}:127.0.0.1:${echo.port}`, "127.0.0.1"],
        { stdio: ["ignore", full, "pipe"] },
      );
      let said = "";
      running.stderr?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      const over = once(running, "exit");
      for (let tries = 0; tries < 300 && (await ask({ port }, "hello")) !== "hello"; tries++)
        await new Promise((resolve) => setTimeout(resolve, 100));
      // the lines of the first connection have been told by now, in vain
      expect(await ask({ port }, "again"), said).toBe("again");
      running.kill("SIGTERM");
      expect((await over)[0], said).toBe(0);
      expect(said.trim().split("\n").sort()).toEqual([
        "sshd-policy: /dev/full cannot be written any more: no space left on device",
        "sshd-policy: standard output cannot be written any more: no space left on device",
      ]);
      closeSync(full);
      echo.close();
    },
  );

  it("connects nowhere when its events cannot be written, or the file of -F is not there", () => {
    const nowhere = join(sshd.folder, "no", "such", "file");
    const forward = ["-L", "0:127.0.0.1:1", "127.0.0.1"];
    expect(run("--events", nowhere, ...forward)).toEqual({
      code: 2,
      stdout: "",
      stderr: `sshd-policy: --events ${nowhere} cannot be written: no such file or directory\n`,
    });
    expect(run("-F", nowhere, ...forward)).toEqual({
      code: 2,
      stdout: "",
      stderr: `sshd-policy: -F ${nowhere}: no such file or directory\n`,
    });
  });

  it("refuses jumps that go round in circles, where ssh starts itself for ever", () => {
    const config = join(sshd.folder, "circle");
    writeFileSync(config, "Host hop\n  HostName 127.0.0.1\nHost *\n  ProxyJump hop\n", { mode: 0o600 });
    expect(runCli(["forward", "-F", config, "-L", "0:a:1", "last"])).toEqual({
      code: 2,
      stdout: "",
      stderr: "sshd-policy: hop: ProxyJump goes round in circles\n",
    });
  });

  it("names the jump host that does not open the way, and why", async () => {
    const closed = await startSshd({ lines: ["AllowTcpForwarding no"] });
    const config = join(closed.folder, "config");
    const files = [closed.knownHosts, sshd.knownHosts].join(" ");
    writeFileSync(
      config,
      `Host hop\n  HostName 127.0.0.1\n  Port ${closed.port}\nHost *\n  UserKnownHostsFile ${files}\n  IdentityFile ${closed.identity}\n`,
      { mode: 0o600 },
    );
    const args = ["forward", "-F", config, "-J", `${closed.user}@hop`, "-p", String(sshd.port)];
    const { code, stderr } = runCli([...args, "-L", "0:a:1", "127.0.0.1"]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining("the jump host hop says: administratively prohibited: open failed"),
    ]);
    await closed.stop();
  });

  it("refuses a changed host key whatever StrictHostKeyChecking says", () => {
    const knownHosts = join(sshd.folder, "changed");
    const other = readFileSync(`${sshd.identity}.pub`, "latin1");
    writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${other}`);
    const { code, stderr } = runCli([
      ...["forward", "-F", "none", "-i", sshd.identity, "-o", `UserKnownHostsFile=${knownHosts}`],
      ...["-o", "StrictHostKeyChecking=no", "-p", String(sshd.port), "-L", "0:127.0.0.1:1", "127.0.0.1"],
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/is not the known one/) });
  });

  it("says in words what the system refused, and where another program has the port", async () => {
    const dead = await freePort();
    const unreached = runCli(["forward", "-F", "none", "-p", String(dead), "-L", "0:a:1", "me@127.0.0.1"]);
    expect(unreached).toMatchObject({
      code: 1,
      stderr: `sshd-policy: me@127.0.0.1 port ${dead}: 127.0.0.1:${dead}: connection refused\n`,
    });
    const noFolder = run("-L", `${sshd.folder}/none/socket:a:1`, "127.0.0.1");
    expect(noFolder.stderr).toBe(`sshd-policy: ${sshd.folder}/none/socket: there is no such folder\n`);
    const taken = await serve(() => {});
    const running = await startForwarder("sshd-policy forward", sshd, ["-L", `${taken.port}:127.0.0.1:1`]);
    await running.stop();
    expect(running.said()).toContain(
      `listens on [::1]:${taken.port}, but not on 127.0.0.1:${taken.port}: address already in use`,
    );
    taken.close();
  });

  const noScript = whyNoFile("/usr/bin/script");
  /** What a terminal of this size is sent until Ctrl-C, which comes when `isOver` says so. */
  async function onTerminal(
    size: string,
    forwards: readonly string[],
    isOver: (terminal: string) => boolean,
  ): Promise<string> {
    const words = [...forwarderArguments("sshd-policy forward", sshd), ...forwards, "127.0.0.1"];
    const command = `stty ${size}; exec ${words.map((word) => `'${word}'`).join(" ")}`;
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", TERM: "xterm" },
      stdio: ["pipe", "pipe", "inherit"],
      timeout: 30_000,
    });
    let terminal = "";
    child.stdout.on("data", (bytes: Buffer) => {
      terminal += bytes.toString("latin1");
      if (isOver(terminal) && child.stdin.writable) child.stdin.end("\u0003");
    });
    await once(child, "close");
    return terminal;
  }

  testUnless(noScript, "shows all on a terminal that does not know its size", async () => {
    const echo = await serveEcho();
    const [port, socks] = [await freePort(), await freePort()];
    const [dead, closed] = [await freePort(), await freePort()];
    const forwards = [
      ...["-L", `${port}:127.0.0.1:${echo.port}`, "-D", `${socks}`],
      ...["-L", `${dead}:127.0.0.1:${closed}`],
    ];
    let client: Socket | null = null;
    const terminal = await onTerminal("rows 0 cols 0", forwards, (shown) => {
      if (client === null && shown.includes(`${closed}: this machine listens on `)) {
        client = connect({ host: "127.0.0.1", port }).on("error", () => {});
        client.write("hello");
        void ask({ port: dead }, "hello");
      }
      return /5 B received\r\n-L [^#]* 1 refused/.test(shown);
    });
    echo.close();
    expect(terminal).toMatch(/127\.0\.0\.1 {3}up \d:\d\d {3}Ctrl-C ends\r\n/);
    expect(terminal).toMatch(
      new RegExp(
        `\r\n-L ${port} -> 127\\.0\\.0\\.1:${echo.port} {3}1 open of 1 {3}5 B sent, 5 B received\r\n` +
          ` {4}#1 127\\.0\\.0\\.1:\\d+ to 127\\.0\\.0\\.1:${echo.port} {3}5 B sent, 5 B received\r\n` +
          `-L ${dead} -> 127\\.0\\.0\\.1:${closed} {3}0 open of 0, 1 refused {3}0 B sent, 0 B received\r\n` +
          `-D ${socks} -> SOCKS {3}0 open of 0 {3}0 B sent, 0 B received\r\n`,
      ),
    );
  });

  testUnless(noScript, "cuts what it shows to the size of the terminal", async () => {
    const ports = [await freePort(), await freePort(), await freePort()];
    const forwards = ports.flatMap((port) => ["-L", `${port}:there:1`]);
    const isOver = (shown: string): boolean => shown.includes(`-L ${ports[2]} -> there:1: this machine`);
    const terminal = await onTerminal("rows 3 cols 30", forwards, isOver);
    // drawn for the last time when it ends
    const last = terminal.slice(terminal.lastIndexOf("127.0.0.1   up ")).split("\r\n");
    expect(last).toEqual([
      expect.stringMatching(/^127\.0\.0\.1 {3}up \d:\d\d {3}Ctrl-C $/),
      `-L ${ports[0]} -> there:1   0 open of 0`.slice(0, 29),
      "",
    ]);
  });

  it("leaves out a key that is a device, which has no end", () => {
    const { code, stderr } = run("-i", "/dev/zero", "-W", "127.0.0.1:9", "-o", "BatchMode=yes", "127.0.0.1");
    expect(code).toBe(1);
    expect(stderr).toContain("left out: /dev/zero: it is a device\n");
  });

  it("names a key that has a passphrase which nobody can give", () => {
    const locked = join(sshd.folder, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", locked]);
    const { code, stderr } = runCli([
      ...["forward", "-F", "none", "-i", locked, "-o", "IdentityAgent=none", "-o", "BatchMode=yes"],
      ...["-o", `UserKnownHostsFile=${sshd.knownHosts}`, "-p", String(sshd.port), "-L", "0:a:1", "127.0.0.1"],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${locked} is left out: it has a passphrase, which was not given`);
  });
});

describe("wrong usage of forward", () => {
  it.each([
    [["-L", "8080:db", "host"], /-L 8080:db: wanted is \[bind:\]port:host:hostport/],
    [["-D", "x", "host"], /-D x: wanted is \[bind:\]port/],
    [["-W", "db", "host"], /-W db: wanted is host:port/],
    [["-L", "8080:db:1", "-oProxyCommand=x"], /missing required argument/],
    [["-L", "8080:db:1", "--", "-oProxyCommand=x"], /is no destination/],
    [["-fNL", "8080:db:1", "host"], /-f: ssh\(1\) has it, this forwarder has not/],
    [["-L", "8080:db:1", "host", "true"], /too many arguments/],
    [["-L", "8080:db:1", "-J", "a,b'@c", "host"], /"b'@c" is no jump host/],
    [["-L", "8080:db:1", "-l", "a'b", "host"], /-l User: "a'b" is none that ssh would take/],
    [["-o", "Tunnel=yes", "-L", "8080:db:1", "host"], /not an option of this forwarder/],
    [["host"], /nothing to forward/],
  ])("%j is said", (args, message) => {
    const { code, stdout, stderr } = runCli(["forward", "-F", "none", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });

  it("a Node.js without WebAssembly is said, and no dump of a library", () => {
    for (const args of [
      ["forward", "-F", "none", "-D", "1080", "host"],
      ["probe", "--against", "me@192.0.2.1", "-"],
    ])
      expect(runCli(args, { env: { NODE_OPTIONS: "--jitless" } })).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/sshd-policy: SSH needs WebAssembly, which .*\n$/),
      });
  });

  const noSetpriv = NOT_ROOT === null ? whyNoFile("/usr/bin/setpriv") : null;
  testUnless(noSetpriv, "a port below 1024 is refused before anything is connected", () => {
    const drop = ["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"];
    const before = process.getuid?.() === 0 ? ["setpriv", ...drop] : [];
    const [program = "", ...args] = [...before, process.execPath, ...COMMAND, "forward", "-F", "none"];
    const { status, stderr } = spawnSync(program, [...args, "-L", "80:db:80", "nowhere.invalid"], {
      encoding: "latin1",
      env: { PATH: process.env["PATH"] ?? "" },
    });
    expect(stderr).toMatch(/port 80 is privileged on this machine \(below \d+\).*for example 8080/);
    expect(status).toBe(2);
  });
});
