/** The command line as a process: exit codes, streams, and what it refuses to read. */
import { spawnSync } from "node:child_process";
import { mkdirSync, openSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { COMMAND, runCli } from "./run-cli.ts";

const CLOSED = "AllowTcpForwarding no\nAllowAgentForwarding no\nPermitRootLogin no\n";
const OPEN = "AllowTcpForwarding yes\nAllowAgentForwarding no\nPermitRootLogin no\n";
const ESCAPE = "\u001b";

describe("audit", () => {
  test("0 when nothing is found, 1 when findings remain, --fail-on decides", () => {
    const root = makeRoot({ "/closed": CLOSED, "/open": OPEN, "/agent": "AllowTcpForwarding no\n" });
    expect(runCli(["audit", "--quiet", `${root}/closed`])).toEqual({ code: 0, stdout: "", stderr: "" });
    const open = runCli(["audit", `${root}/open`]);
    expect(open.code).toBe(1);
    expect(open.stdout).toContain(`${root}/open:1:20: high: everybody may tunnel TCP and unix sockets`);
    expect(open.stdout).toContain("[tcp-forwarding]");
    expect(runCli(["audit", "--fail-on", "medium", `${root}/agent`]).code).toBe(0);
  });

  test("--root and --openssh", () => {
    const root = makeRoot({
      "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nAllowTcpForwarding no\n",
      "/etc/ssh/sshd_config.d/a.conf": "AllowTcpForwarding yes\n",
    });
    const ran = runCli(["audit", "--root", root, "--openssh", "9.2p1", "--format", "json"]);
    const [target] = JSON.parse(ran.stdout).targets;
    expect(ran.code).toBe(1);
    expect(target).toMatchObject({ openssh: "9.2p1", complete: true, error: null });
    const finding = target.findings.find(({ rule }: { rule: string }) => rule === "tcp-forwarding");
    expect(finding).toMatchObject({
      file: `${root}/etc/ssh/sshd_config.d/a.conf`,
      start: { line: 1, column: 20, offset: 19 },
      witness: { user: "alice", lport: 22, rdomain: "" },
      fix: { safety: "safe", edits: [{ start: 19, end: 22, text: "no" }] },
      suppressed: null,
    });
  });

  test("--root without an sshd has nothing to judge; an empty folder is no root", () => {
    const root = makeRoot({ "/etc/passwd": "root:x:0:0::/root:/bin/sh\n" });
    const stderr = `sshd-policy: ${root}: there is no sshd in it (none in the system's folders, /usr/local or /opt, and nothing found that starts one elsewhere), so there is nothing to judge\n`;
    for (const command of ["audit", "exposure", "check"])
      expect(runCli([command, "--root", root])).toMatchObject({ code: 0, stderr });
    expect(runCli(["audit", "--root", makeRoot({})])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("No such file or directory"),
    });
  });

  test.each([
    ["audit", []],
    ["exposure", []],
    ["check", []],
    ["effective", ["-C", "user=a,addr=192.0.2.1"]],
    ["compare", ["--openssh", "9.2..9.3"]],
  ])("%s takes the options that all commands have in common", (command, options) => {
    const root = makeRoot({ "/closed": "DisableForwarding yes\n" });
    const common = ["--jobs", "2", "--config", `${root}/policy`, "--quiet", "--color", "never"];
    writeFileSync(`${root}/policy`, "version: 1\n");
    expect(runCli([command, ...common, ...options, `${root}/closed`])).toMatchObject({ code: 0, stderr: "" });
    expect(runCli([command, "--jobs", "0", ...options, `${root}/closed`]).code).toBe(2);
  });

  test.each(["exposure", "check"])("%s --events tells its begin and its end", (command) => {
    const root = makeRoot({ "/broken": "Bogus yes\n" });
    const { code } = runCli([command, "--events", `${root}/events`, `${root}/broken`]);
    const lines = readFileSync(`${root}/events`, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: expect.stringMatching(/^20.*Z$/), event: "begun", command },
      { time: expect.stringMatching(/^20.*Z$/), event: "ended", exit: code },
    ]);
    expect(runCli([command, "--events", `${root}/no/events`, `${root}/broken`])).toEqual({
      code: 2,
      stdout: "",
      stderr: `sshd-policy: --events ${root}/no/events cannot be written: no such file or directory\n`,
    });
  });

  test.each([
    [["--root", "/a", "--root", "/b"], /argument '\/b' is invalid\. it can be given once only/],
    [["--repo", "/a", "--repo", "/b"], /argument '\/b' is invalid\. it can be given once only/],
    [[""], /a FILE has no name: an empty argument stands where one is wanted/],
  ])("no target is left out without a word: %j", (options, message) => {
    expect(runCli(["audit", ...options])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });

  test("a release that is older than all known is named whole", () => {
    const root = makeRoot({ "/open": OPEN });
    const { stdout } = runCli(["audit", "--openssh", "3.1", "--format", "pretty", `${root}/open`]);
    expect(stdout).toContain("given with --openssh 3.1, older than 7.4, the oldest known: read as 7.4");
  });

  test.each([["audit", "sshd_config"], ["--help"], ["audit", "--help"]])(
    "an answer that cannot be written is an error: %j",
    (...args) => {
      const cwd = makeRoot({ "/sshd_config": OPEN });
      const command = `"${process.execPath}" "$@" > /dev/full`;
      const { status, stderr } = spawnSync("sh", ["-c", command, "sh", ...COMMAND, ...args], { cwd });
      expect(String(stderr)).toMatch(
        /^sshd-policy: standard output cannot be written: (ENOSPC|no space left on device)/,
      );
      expect(status).toBe(2);
    },
  );

  test.each(["/etc/ssh/other", "etc/ssh/other"])("FILE of a root: %s", (file) => {
    const root = makeRoot({
      "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
      "/etc/ssh/sshd_config": CLOSED,
      "/etc/ssh/other": "Include sshd_config\nPermitTunnel yes\n",
    });
    const { stdout } = runCli(["audit", "--openssh", "9.2", "--root", root, file]);
    expect(stdout).toMatch(/^[^\n]* \[tunnel-device\]\n$/);
    expect(stdout.startsWith(`${root}/etc/ssh/other:2:14: `)).toBe(true);
  });

  test("a repository's file is not judged by the drop-ins of this machine", () => {
    const root = makeRoot({
      "/repo/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nAllowTcpForwarding no\n",
      "/repo/sshd_config.d/a.conf": "AllowTcpForwarding yes\n",
    });
    const ran = runCli(["audit", "--rule", "tcp-forwarding", "sshd_config"], { cwd: `${root}/repo` });
    expect(ran.stdout).toMatch(/^sshd_config\.d\/a\.conf:1:20: high: /);
  });

  test("a drop-in is audited through the file that includes it, and shows its own findings", () => {
    const root = makeRoot({
      "/repo/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nX11Forwarding yes\n",
      "/repo/sshd_config.d/a.conf": "Match User bob\n  AllowTcpForwarding yes\n",
      "/repo/sshd_config.d/b.conf": "AllowTcpForwarding no\n",
    });
    const ran = runCli(["audit", "sshd_config.d/a.conf"], { cwd: `${root}/repo` });
    expect(ran.stdout).toContain("sshd_config.d/a.conf:2:22: high: user bob");
    expect(ran.stdout).not.toContain("x11-forwarding");
  });

  test("a drop-in folder belongs to the sshd_config beside it, to no other file", () => {
    const root = makeRoot({ "/sshd_config": CLOSED, "/sshd_config.d/a.conf": "Port 22\n", "/other": CLOSED });
    expect(runCli(["audit", `${root}/sshd_config`]).stdout).toContain("[drop-in-not-included]");
    expect(runCli(["audit", `${root}/other`]).stdout).toBe("");
  });

  test("a drop-in alone is a fragment: what it does not set is unknown", () => {
    const root = makeRoot({ "/sshd_config.d/a.conf": "PermitRootLogin no\n" });
    expect(runCli(["audit", `${root}/sshd_config.d/a.conf`]).code).toBe(0);
  });

  test("exposure and effective of a fragment give no default as a fact", () => {
    const root = makeRoot({ "/sshd_config.d/a.conf": "AllowTcpForwarding no\n" });
    const run = (...args: string[]) => runCli([...args, "--openssh", "9.2", `${root}/sshd_config.d/a.conf`]);
    expect(run("audit", "--format", "pretty").stdout).toContain("a drop-in by itself");
    const exposed = run("exposure", "--format", "json");
    expect(exposed.code).toBe(3);
    const [target] = JSON.parse(exposed.stdout).targets;
    expect(target.complete).toBe(false);
    const allowed = new Map(
      target.regions.map((region: { capability: string; allowed: unknown }) => [
        region.capability,
        region.allowed,
      ]),
    );
    expect(allowed.get("x11")).toBe("unknown");
    expect(allowed.get("tun")).toBe("unknown");
    expect(allowed.has("tcp-local")).toBe(false);
    const effective = run("effective", "-C", "user=a,addr=192.0.2.1");
    expect(effective).toMatchObject({ code: 3, stdout: "allowtcpforwarding no\n" });
    expect(effective.stderr).toContain("a drop-in by itself");
    const json = JSON.parse(run("effective", "-C", "user=a", "--format", "json").stdout);
    expect(json.connections[0].capabilities).toMatchObject({
      "tcp-local": false,
      "unix-local": false,
      tun: true,
    });
  });

  test("a baseline leaves out what was there, though lines move, and shows what is new", () => {
    const root = makeRoot({ "/sshd_config": OPEN });
    const run = (...args: string[]): ReturnType<typeof runCli> =>
      runCli(["audit", "sshd_config", ...args], { cwd: root });
    expect(run("--write-baseline", "base.json").code).toBe(0);
    writeFileSync(`${root}/sshd_config`, `# moved\n\n${OPEN}`);
    expect(run("--quiet", "--baseline", "base.json")).toEqual({ code: 0, stdout: "", stderr: "" });
    writeFileSync(`${root}/sshd_config`, `${OPEN}X11Forwarding yes\n`);
    const now = run("--baseline", "base.json");
    expect(now.code).toBe(1);
    expect(now.stdout).toMatch(/^sshd_config:4:15: medium: [^\n]*\[x11-forwarding\]\n$/);
    expect(run("--baseline", "sshd_config").code).toBe(2);
  });

  test("a default points at where the fix inserts", () => {
    const root = makeRoot({ "/c": "Port 22\n\nMatch User bob\n  AllowTcpForwarding no\n" });
    const ran = runCli(["audit", `${root}/c`, "--rule", "tcp-forwarding", "--format", "json"]);
    const [finding] = JSON.parse(ran.stdout).targets[0].findings;
    expect(finding.start.offset).toBe(finding.fix.edits[0].start);
    expect(finding.start.offset).toBeGreaterThan(0);
  });

  test("standard input", () => {
    const ran = runCli(["audit", "-", "--rule", "tcp-forwarding"], { stdin: OPEN });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^<stdin>:1:20: high/);
  });

  test("standard input is a file's size at most, and no folder", () => {
    const root = makeRoot({ "/etc/x": "" });
    const huge = runCli(["audit", "-"], { stdin: "#".repeat(64 * 1024 * 1024 + 1) });
    expect(huge).toMatchObject({ code: 2, stderr: expect.stringContaining("<stdin> is larger than 64 MiB") });
    const folder = runCli(["audit", "-"], { stdin: openSync(root, "r") });
    expect(folder).toMatchObject({ code: 2, stderr: expect.stringContaining("<stdin> is a folder") });
  });

  test("nothing in a file becomes a terminal escape", () => {
    const root = makeRoot({
      "/evil": `AllowTcpForwarding yes # ${ESCAPE}]0;x\u0007\nX11Forwarding ${ESCAPE}[31myes\u009b\n`,
    });
    for (const format of ["pretty", "concise"]) {
      const { stdout, stderr } = runCli(["audit", `${root}/evil`, "--format", format, "--color", "never"]);
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]|\u00c2[\u0080-\u009f]/);
      expect(stdout).toContain("\\x1b");
    }
  });
});

describe("exit code 2 and a clear text", () => {
  const refused = (args: readonly string[]): string => {
    const { code, stderr, stdout } = runCli(args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  };

  test("a missing file, and the others are still audited", () => {
    const root = makeRoot({ "/open": OPEN });
    expect(refused(["audit", "/nonexistent/sshd_config"])).toBe(
      "sshd-policy: /nonexistent/sshd_config: No such file or directory\n",
    );
    const both = runCli(["audit", "/nonexistent/x", `${root}/open`]);
    expect(both.code).toBe(2);
    expect(both.stdout).toContain("[tcp-forwarding]");
  });

  test("a folder", () => {
    const root = makeRoot({ "/etc/ssh/sshd_config": OPEN });
    expect(refused(["audit", `${root}/etc/ssh`])).toContain(
      `is a folder. Name the file (${root}/etc/ssh/sshd_config)`,
    );
  });

  test("a FIFO", () => {
    const root = makeRoot({ "/x": "" });
    spawnSync("mkfifo", [`${root}/fifo`]);
    expect(refused(["audit", `${root}/fifo`])).toContain("is a pipe or a device");
  });

  test("a current folder that somebody removed", () => {
    const cwd = `${makeRoot({})}/gone`;
    mkdirSync(cwd);
    const script = ['rmdir "$PWD" && exec "$@"', "sh", process.execPath, ...COMMAND, "audit", "sshd_config"];
    const { status, stderr } = spawnSync("sh", ["-c", ...script], { cwd, encoding: "utf8" });
    expect(stderr).toBe("sshd-policy: the current folder cannot be used: no such file or directory\n");
    expect(status).toBe(2);
  });

  test("a loop of symbolic links", () => {
    const root = makeRoot({ "/x": "" });
    symlinkSync("loop", `${root}/loop`);
    expect(refused(["audit", `${root}/loop`])).toContain("symbolic link");
  });

  test("more than 64 MiB, said to be our limit", () => {
    const root = makeRoot({ "/big": "" });
    truncateSync(`${root}/big`, 64 * 1024 * 1024 + 1);
    expect(refused(["audit", `${root}/big`])).toContain("64 MiB. That is a limit of sshd-policy");
  });

  test("an unknown option, rule, release, command", () => {
    expect(refused(["audit", "--no-such-option"])).toContain("--no-such-option");
    expect(refused(["audit", "--rule", "nonsense", "/dev/null"])).toContain('there is no rule "nonsense"');
    expect(refused(["audit", "--openssh", "banana", "/dev/null"])).toContain("names no release");
    expect(refused(["nonsense"])).toContain("nonsense");
  });

  test("effective without a field that a criterion needs", () => {
    const root = makeRoot({ "/c": "Match Address 10.0.0.0/8\n  X11Forwarding yes\n" });
    expect(refused(["effective", `${root}/c`, "-C", "user=bob"])).toContain("addr");
    expect(runCli(["effective", `${root}/c`, "-C", "user=bob", "--as-sshd"]).code).toBe(0);
  });
});

describe("audit --fix", () => {
  test("--diff of an answer that is not complete ends with 3 and names the limit", () => {
    const root = makeRoot({
      "/sshd_config": `${OPEN}Match Group staff\n  AllowTcpForwarding yes\n`,
      "/passwd": "alice:x:1000:1000::/:/bin/sh\n",
    });
    const { code, stdout, stderr } = runCli([
      "audit",
      ...["--fix", "--diff", "--format", "pretty", "--accounts", `${root}/passwd`, `${root}/sshd_config`],
    ]);
    expect(stdout).toMatch(/^--- a\//);
    expect(stderr).toMatch(/sshd_config: not complete: /);
    expect(code).toBe(3);
  });

  test("--diff with nothing to change says that findings remain", () => {
    const root = makeRoot({
      "/sshd_config":
        "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\nMatch User deploy\n  AllowTcpForwarding yes\n",
    });
    const { code, stdout, stderr } = runCli(["audit", "--diff", "--openssh", "9.2", `${root}/sshd_config`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "sshd-policy: judged as OpenSSH 9.2 (given with --openssh); anybody may exist (--accounts open)\nsshd-policy: nothing to change: what remains is not fixed by --fix; audit names it\n",
    );
  });

  test("a fixed text that cannot be written is an error", () => {
    const command = `echo "AllowTcpForwarding yes" | "${process.execPath}" "$@" > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", command, "sh", ...COMMAND, "audit", "--fix", "-"]);
    expect(String(stderr)).toMatch(
      /^sshd-policy: standard output cannot be written: no space left on device/,
    );
    expect(status).toBe(2);
  });

  test("a drop-in by itself is said in a line of its own, without escapes", () => {
    const root = makeRoot({ "/sshd_config.d/a.conf": "X11Forwarding yes\n" });
    const { stdout } = runCli(["audit", "--format", "pretty", `${root}/sshd_config.d/a.conf`]);
    expect(stdout).toMatch(/\na drop-in by itself: /);
    expect(stdout).not.toContain("\\x0a");
  });

  test("--diff writes nothing and git apply takes it", () => {
    const root = makeRoot({ "/repo/sshd_config": OPEN });
    const ran = runCli(["audit", "--fix", "--diff", "sshd_config"], { cwd: `${root}/repo` });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain("-AllowTcpForwarding yes\n+AllowTcpForwarding no\n");
    expect(readFileSync(`${root}/repo/sshd_config`, "latin1")).toBe(OPEN);
    const applied = spawnSync("git", ["apply", "-"], { cwd: `${root}/repo`, input: ran.stdout });
    expect(applied.status).toBe(0);
    expect(readFileSync(`${root}/repo/sshd_config`, "latin1")).toBe(CLOSED);
  });

  test("writes, and a second run changes nothing", () => {
    const root = makeRoot({ "/sshd_config": OPEN });
    expect(runCli(["audit", "--fix", `${root}/sshd_config`])).toEqual({
      code: 0,
      stdout: "",
      stderr: expect.stringMatching(
        new RegExp(`^sshd-policy: judged as .*\nsshd-policy: fixed 1 finding in ${root}/sshd_config\n$`),
      ),
    });
    expect(readFileSync(`${root}/sshd_config`, "latin1")).toBe(CLOSED);
    expect(runCli(["audit", "--fix", "--diff", "--quiet", `${root}/sshd_config`])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });

  test("an exception is left to --unsafe-fixes", () => {
    const text = `${CLOSED}Match User bob\n  AllowTcpForwarding yes\n`;
    const root = makeRoot({ "/sshd_config": text });
    expect(runCli(["audit", "--fix", `${root}/sshd_config`]).code).toBe(1);
    expect(readFileSync(`${root}/sshd_config`, "latin1")).toBe(text);
    expect(runCli(["audit", "--fix", "--unsafe-fixes", `${root}/sshd_config`]).code).toBe(0);
    expect(readFileSync(`${root}/sshd_config`, "latin1")).toBe(text.replace("yes", "no"));
  });

  test("standard input: the fixed text on standard output", () => {
    const ran = runCli(["audit", "--fix", "--quiet", "-"], { stdin: OPEN });
    expect(ran).toEqual({ code: 0, stdout: CLOSED, stderr: "" });
  });

  test("inside a root, never through a link out of it", () => {
    const outside = makeRoot({ "/sshd_config": OPEN });
    const root = makeRoot({ "/etc/ssh/keep": "" });
    symlinkSync(`${outside}/sshd_config`, `${root}/etc/ssh/sshd_config`);
    expect(runCli(["audit", "--fix", "--root", root]).code).toBe(2);
    mkdirSync(root + outside, { recursive: true });
    writeFileSync(`${root}${outside}/sshd_config`, OPEN);
    expect(runCli(["audit", "--fix", "--root", root]).code).toBe(0);
    expect(readFileSync(`${outside}/sshd_config`, "latin1")).toBe(OPEN);
    expect(readFileSync(`${root}${outside}/sshd_config`, "latin1")).toBe(CLOSED);
  });
});

test("effective prints what sshd -T prints, and why", () => {
  const root = makeRoot({ "/c": "AllowTcpForwarding no\nMatch User bob\n  AllowTcpForwarding local\n" });
  const args = ["effective", `${root}/c`, "-C", "user=bob,host=h,addr=10.0.0.1,laddr=10.0.0.2,lport=22"];
  expect(runCli(args).stdout).toMatch(/^allowtcpforwarding local$/m);
  expect(runCli([...args, "--why"]).stdout).toContain(`allowtcpforwarding local  # ${root}/c:3`);
  const { connections } = JSON.parse(runCli([...args, "-C", "user=x", "--format", "json"]).stdout);
  expect(connections).toHaveLength(2);
  expect(connections[0].settings.allowtcpforwarding).toMatchObject({
    value: "local",
    file: `${root}/c`,
    line: 3,
  });
  expect(connections[1].settings.allowtcpforwarding).toMatchObject({ value: "no", line: 1 });
  expect(connections[1].settings.x11forwarding).toMatchObject({ value: "no", file: null, line: null });
});

test("check: 0 accepted, 1 refused with every error", () => {
  const root = makeRoot({ "/good": CLOSED, "/bad": "Prot 22\nX11Forwarding no\nAllowTcpForwarding off\n" });
  expect(runCli(["check", `${root}/good`]).code).toBe(0);
  const ran = runCli(["check", `${root}/good`, `${root}/bad`, "--format", "json"]);
  expect(ran.code).toBe(1);
  const { files } = JSON.parse(ran.stdout);
  expect(files[1].errors.map(({ line }: { line: number }) => line)).toEqual([1, 3]);
});

describe("compare", () => {
  test("says for whom, the lines that decided before and after, or the default, and a connection", () => {
    const cwd = makeRoot({
      "/old": "AllowTcpForwarding no\nX11Forwarding yes\n",
      "/new": "AllowTcpForwarding no\nMatch Group ops\n\tAllowTcpForwarding local\n",
    });
    const { stdout } = runCli(["compare", "--openssh", "9.6", "old", "new"], { cwd });
    expect(stdout.split("\n").slice(0, 13)).toEqual([
      ...["tcp-local ", "unix-local"].flatMap((capability) => [
        `gained  ${capability}  members of group ops`,
        "          before  old:1 AllowTcpForwarding no",
        "          after   new:3 AllowTcpForwarding local",
        expect.stringMatching(/^ {10}e\.g\. {4}-C user=\S+,lport=22,rdomain= \(in ops\)$/),
      ]),
      "lost    x11         everybody",
      "          before  old:2 X11Forwarding yes",
      "          after   x11forwarding no (default)",
      expect.stringMatching(/^ {10}e\.g\. {4}-C user=\S+,lport=22,rdomain=$/),
      "same    tcp-remote, unix-remote, tun, agent",
    ]);
    expect(runCli(["compare", "--openssh", "9.6", "old"], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("compare needs OLD and NEW"),
    });
  });

  test("3 for drop-ins by themselves, whose sshd_config decides what one of them does not set; 0 where both say the same", () => {
    const root = makeRoot({
      "/sshd_config.d/a.conf": "AllowTcpForwarding yes\n",
      "/sshd_config.d/b.conf": "# nothing\n",
      "/sshd_config.d/c.conf": "# the same\n  allowtcpforwarding  yes\n",
    });
    const compare = (other: string): ReturnType<typeof runCli> =>
      runCli(["compare", `${root}/sshd_config.d/a.conf`, `${root}/sshd_config.d/${other}.conf`]);
    expect(compare("b")).toMatchObject({ code: 3, stdout: expect.stringContaining("a drop-in by itself") });
    expect(compare("c").code).toBe(0);
  });

  test("3 where accounts without their groups close the world and a block asks for a group", () => {
    const root = makeRoot({
      "/old": "Match Group ops\n  AllowTcpForwarding no\n",
      "/new": "Match Group ops\n  AllowTcpForwarding yes\n",
      "/passwd": "bob:x:1000:1000::/home/bob:/bin/sh\n",
    });
    const ran = runCli(["compare", "--accounts", `${root}/passwd`, `${root}/old`, `${root}/new`]);
    expect(ran).toMatchObject({
      code: 3,
      stdout: expect.stringContaining("who is in which group is not known"),
    });
  });

  const NO = "AllowTcpForwarding no\n";
  const EXCEPT = `${NO}Match Address 192.168.0.0/16\n  AllowTcpForwarding local\n`;

  test("0 when equal, 1 with the changes, 2 for what sshd refuses", () => {
    const root = makeRoot({ "/old": NO, "/same": `# moved\n${NO}`, "/new": EXCEPT, "/bad": "Bogus 1\n" });
    expect(runCli(["compare", `${root}/old`, `${root}/same`]).code).toBe(0);
    const ran = runCli(["compare", `${root}/old`, `${root}/new`, "--format", "json"]);
    expect(ran.code).toBe(1);
    const { equal, complete, changes } = JSON.parse(ran.stdout);
    expect({ equal, complete }).toEqual({ equal: false, complete: true });
    expect(changes[0]).toMatchObject({
      capability: "tcp-local",
      change: "gained",
      condition: "everybody from 192.168.0.0/16",
      before: [{ keyword: "allowtcpforwarding", value: "no", line: 1 }],
    });
    expect(runCli(["compare", `${root}/old`, `${root}/bad`]).code).toBe(2);
    expect(runCli(["compare", `${root}/old`]).code).toBe(2);
  });

  test("--git reads the commit, its drop-ins too", () => {
    const root = makeRoot({
      "/etc/ssh/sshd_config": `Include /etc/ssh/sshd_config.d/*.conf\n${NO}`,
      "/etc/ssh/sshd_config.d/a.conf": "X11Forwarding no\n",
    });
    const git = (...args: string[]): void => {
      spawnSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...args], { cwd: root });
    };
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "one");
    writeFileSync(`${root}/etc/ssh/sshd_config.d/a.conf`, "AllowTcpForwarding yes\nX11Forwarding no\n");
    const ran = runCli(["compare", "--git", "HEAD", "etc/ssh/sshd_config"], { cwd: root });
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain("gained  tcp-local   everybody");
    expect(ran.stdout).toContain("a.conf:1 AllowTcpForwarding yes");
    git("commit", "-qam", "two");
    expect(runCli(["compare", "--git", "HEAD", "etc/ssh/sshd_config"], { cwd: root }).code).toBe(0);
    // a drop-in that one side alone has is compared through the file that includes it
    const fresh = "etc/ssh/sshd_config.d/0.conf";
    writeFileSync(`${root}/${fresh}`, "GatewayPorts yes\nPermitTunnel yes\n");
    expect(runCli(["compare", "--git", "HEAD", fresh], { cwd: root })).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^gained {2}tun .*\n.*\n {10}after {3}0\.conf:2 PermitTunnel yes$/m),
    });
    git("add", ".");
    git("commit", "-qm", "three");
    rmSync(`${root}/${fresh}`);
    expect(runCli(["compare", "--git", "HEAD", fresh], { cwd: root }).stdout).toMatch(/^lost {4}tun /m);
    expect(runCli(["compare", "--git", "HEAD", "etc/ssh/none"], { cwd: root }).code).toBe(2);
    // the answer was "same", whatever the two held
    expect(
      runCli(["compare", "--root", ".", "--git", "HEAD", "etc/ssh/sshd_config"], { cwd: root }),
    ).toMatchObject({ code: 2, stderr: expect.stringContaining("leave out --root") });
    expect(runCli(["compare", "--git", "--help", "etc/ssh/sshd_config"], { cwd: root }).code).toBe(2);
  });

  test("standard input, which can be read once only", () => {
    const root = makeRoot({ "/etc/sshd_config": NO });
    const git = (...args: string[]): void => {
      spawnSync("git", ["-c", "user.name=x", "-c", "user.email=x@example.org", ...args], { cwd: root });
    };
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "one");
    const compare = (stdin: string, ...args: string[]): ReturnType<typeof runCli> =>
      runCli(["compare", ...args], { stdin, cwd: root });
    expect(compare(NO, "-", "--openssh", "9.2..9.3").code).toBe(0);
    expect(compare(NO, "-", "-")).toMatchObject({ code: 2, stderr: expect.stringContaining("once only") });
    const commit = ["--git", "HEAD", "-", "--stdin-filename", "etc/sshd_config"];
    expect(compare(NO, ...commit).code).toBe(0);
    expect(compare("AllowTcpForwarding yes\n", ...commit).stdout).toContain("gained  tcp-local   everybody");
  });

  test("an upgrade of sshd", () => {
    const root = makeRoot({ "/c": "DisableForwarding yes\n" });
    const ran = runCli(["compare", `${root}/c`, "--openssh", "9.2..10.0"]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain("lost    agent");
  });
});

test("rules lists all and explains one", () => {
  expect(runCli(["rules"]).stdout).toMatch(/^tcp-forwarding +high/);
  expect(runCli(["rules", "tcp-forwarding"]).stdout).toMatch(/^# tcp-forwarding\n/);
  expect(runCli(["rules", "nonsense"]).code).toBe(2);
});

test("effective in JSON is not complete where a capability is open that the package may close by a repair", () => {
  const root = makeRoot({ "/c": "DisableForwarding yes\n" });
  const codeOf = (release: string, format: string): number | null =>
    runCli(["effective", "--openssh", release, "--format", format, "-C", "user=bob", `${root}/c`]).code;
  expect(codeOf("9.6+ubuntu", "json")).toBe(3);
  expect(codeOf("9.6+ubuntu", "pretty")).toBe(0);
  expect(codeOf("1:9.2p1-2+deb12u10", "json")).toBe(0);
});
