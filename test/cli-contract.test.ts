/** Lines of the command line's contract that nothing else tries. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

const COMMANDS = [
  "audit",
  "exposure",
  "effective",
  "compare",
  "check",
  "probe",
  "forward",
  "confirm",
  "recover",
  "rules",
];

const JUDGED = "judged as OpenSSH 9.2 (given with --openssh); anybody may exist (--accounts open)";

describe("the release and its source", () => {
  const root = makeRoot({ "/open": "AllowTcpForwarding yes\n", "/closed": "DisableForwarding yes\n" });
  const audit = (format: string, ...more: readonly string[]): ReturnType<typeof runCli> =>
    runCli(["audit", "--openssh", "9.2", "--format", format, ...more, `${root}/open`, `${root}/closed`]);

  test.each(["concise", "github"])(
    "are told once beside the lines of %s, unless it is to be quiet",
    (format) => {
      expect(audit(format).stderr).toBe(`sshd-policy: ${JUDGED}\n`);
      expect(audit(format, "--quiet").stderr).toBe("");
      const baseline = ["--write-baseline", `${root}/base.json`];
      expect(audit(format, ...baseline).stderr).toBe(`sshd-policy: ${JUDGED}\n`);
    },
  );

  test.each(["pretty", "json", "sarif", "junit", "markdown", "html"])("are part of %s", (format) => {
    expect(audit(format).stdout).toMatch(
      /[Jj]udged as OpenSSH 9\.2 (?:\(|&#40;)given with (?:--|&#45;&#45;)openssh(?:\)|&#41;)|"opensshSource": "given with --openssh"/,
    );
  });

  const FILE = `${root}/open`;
  const QUESTIONS: readonly (readonly string[])[] = [
    ["exposure", FILE],
    ["effective", FILE],
    ["compare", FILE, `${root}/closed`],
    ["audit", "--diff", FILE],
  ];
  test.each(QUESTIONS)("are told beside the lines of %s", (...words) => {
    const run = (...more: readonly string[]): ReturnType<typeof runCli> =>
      runCli([...words, "--openssh", "9.2", ...more]);
    expect(run().stderr).toBe(`sshd-policy: ${JUDGED}\n`);
    expect(run("--quiet")).toEqual({ ...run(), stderr: "" });
  });

  test("are told beside a text that is fixed on its way to standard output", () => {
    const { stderr } = runCli(["audit", "--openssh", "9.2", "--fix", "-"], { stdin: "" });
    expect(stderr).toBe(`sshd-policy: ${JUDGED}\n`);
  });

  test.each(["pretty", "json", "html", "svg"])("are part of exposure's %s", (format) => {
    const { stdout, stderr } = runCli(["exposure", "--openssh", "9.2", "--format", format, FILE]);
    expect(stdout).toMatch(
      /OpenSSH 9\.2 \(given with --openssh\)|"openssh": "9\.2",\s+"opensshSource": "given with --openssh"/,
    );
    expect(stderr).toBe("");
  });

  test("are part of what effective and compare say as JSON, of each side", () => {
    const said = { openssh: "9.2", opensshSource: "given with --openssh" };
    const json = (...words: readonly string[]): unknown =>
      JSON.parse(runCli([...words, "--format", "json"]).stdout);
    expect(json("effective", "--openssh", "9.2", FILE)).toMatchObject({ path: FILE, ...said });
    expect(json("compare", "--openssh", "9.2..10.0", FILE)).toMatchObject({
      before: { path: FILE, ...said },
      after: { path: FILE, openssh: "10.0", opensshSource: "given with --openssh" },
    });
  });

  test("are said for each side of compare where they differ", () => {
    const { stdout } = runCli(["compare", "--format", "pretty", "--openssh", "9.2..10.0", FILE]);
    expect(stdout).toContain(`before: ${JUDGED}\nafter: ${JUDGED.replace("9.2", "10.0")}\n`);
  });
});

test.each(COMMANDS)("%s has the options that all commands have in common", (command) => {
  const { stdout } = runCli([command, "--help"]);
  for (const option of ["--jobs", "--config", "--events", "--quiet", "--help"])
    expect(stdout).toMatch(new RegExp(`^ +(?:-., )?${option}\\b`, "m"));
});

describe("what is not there is named, with what is near", () => {
  test.each([
    [["help", "foo"], "unknown command 'foo'"],
    [["help", "audt"], "unknown command 'audt'\n(Did you mean audit?)"],
    [["audit", "--foo"], "unknown option '--foo'"],
    [["--quiet", "audit", "x"], "unknown option '--quiet': the options of audit stand behind it"],
    [["audit", "--roott", "x"], "unknown option '--roott'\n(Did you mean --root?)"],
    [
      ["exposure", "--user", ""],
      "option '--user <name>' argument '' is invalid. a user's name or a pattern, please",
    ],
  ])("%j", (words, text) => {
    expect(runCli(words)).toEqual({ code: 2, stdout: "", stderr: `sshd-policy: ${text}\n` });
  });

  test("help of a command, and of none", () => {
    expect(runCli(["help", "audit"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: sshd-policy audit/),
    });
    expect(runCli(["help"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: sshd-policy \[options\]/),
    });
  });
});

test("a folder is refused with the file and the root that may be meant", () => {
  const root = makeRoot({ "/etc/ssh/sshd_config": "" });
  const said = (name: string): string => runCli(["audit", name], { cwd: root }).stderr;
  expect(said("/etc/ssh")).toBe(
    "sshd-policy: /etc/ssh is a folder. Name the file (/etc/ssh/sshd_config), or --root / for a whole system.\n",
  );
  expect(said(`${root}/etc/ssh`)).toContain(`or --root ${root}/ for`);
  expect(said("etc/ssh")).toContain("or --root . for");
  expect(said(root)).toContain(`or --root ${root} for`);
});

describe("a file that never ends", () => {
  const root = makeRoot({ "/closed": "DisableForwarding yes\n" });
  test.each([
    [
      ["--baseline", "/dev/zero"],
      "the baseline /dev/zero cannot be read: it is larger than 64 MiB, the limit of sshd-policy",
    ],
    [["--config", "/dev/zero"], "policy file /dev/zero: not a regular file"],
    [["--accounts", "/dev/zero"], "--accounts /dev/zero: not a regular file"],
    [["--image", "/dev/zero"], "/dev/zero: it is no regular file"],
    [["--root", "/dev/zero"], "--root /dev/zero is no folder that can be read"],
  ])("%j is refused", (options, because) => {
    const file = ["--image", "--root"].includes(options[0] ?? "") ? [] : [`${root}/closed`];
    const { code, stderr } = runCli(["audit", ...options, ...file]);
    expect(stderr).toContain(`sshd-policy: ${because}\n`);
    expect(code).toBe(2);
  });

  test("a baseline may come by a pipe", () => {
    writeFileSync(`${root}/base.json`, JSON.stringify({ version: 1, findings: [] }));
    const words = `node dist/cli.js audit --quiet --baseline <(cat ${root}/base.json) ${root}/closed`;
    expect(spawnSync("bash", ["-c", words], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  });
});

test("standard error on a full disk changes no exit code", () => {
  const codeOf = (words: string): number | null => spawnSync("bash", ["-c", `${words} 2>/dev/full`]).status;
  const command = "node dist/cli.js";
  expect(codeOf(`${command} audit /nonexistent`)).toBe(2);
  expect(codeOf(`${command} audit --fail-on error - </dev/null`)).toBe(0);
  expect(codeOf(`${command} exposure - </dev/null`)).toBe(0);
});

test("a folder as standard input is named as what it is", () => {
  const { status, stderr } = spawnSync("bash", ["-c", "node dist/cli.js check - < ."], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 2, stderr: "sshd-policy: <stdin> is a folder\n" });
});

test.each([
  [{ FORCE_COLOR: "1" }, true],
  [{ FORCE_COLOR: "0" }, false],
  [{ FORCE_COLOR: "false" }, false],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  [{ FORCE_COLOR: "", NO_COLOR: "" }, true],
  [{ TERM: "dumb" }, false],
])("colours on a terminal with %j: %s", (env, isColoured) => {
  const { stdout } = spawnSync("script", ["-qec", "node dist/cli.js audit - </dev/null", "/dev/null"], {
    encoding: "utf8",
    input: "",
    env: { PATH: process.env["PATH"] ?? "", TERM: "xterm", ...env },
  });
  expect(stdout).toContain("tcp-forwarding");
  expect(stdout.includes("\x1b[")).toBe(isColoured);
});

test("effective says what it knows where a limit is met, and ends with 3", () => {
  const text = "X11Forwarding yes\nMatch Version OpenSSH_10*\n  X11Forwarding no\n";
  const words = ["effective", "--openssh", "10.0+debian", "--format", "concise", "-C", "user=a", "-"];
  const { code, stdout, stderr } = runCli(words, { stdin: text });
  expect(stdout).toContain("x11forwarding ");
  expect(stderr).toContain("sshd-policy: <stdin>: not complete: Match Version is read with");
  expect(code).toBe(3);
});

test("pretty tells kinds of forwarding that change alike together, concise each by itself", () => {
  const root = makeRoot({
    "/old": "AllowTcpForwarding no\nX11Forwarding no\n",
    "/new": "AllowTcpForwarding no\nX11Forwarding no\nMatch User deploy\n  AllowTcpForwarding local\n",
  });
  const compared = (format: string): readonly string[] =>
    runCli(["compare", "--format", format, "--openssh", "9.2", "old", "new"], { cwd: root }).stdout.split(
      "\n",
    );
  const why = [
    "          before  old:1 AllowTcpForwarding no",
    "          after   new:4 AllowTcpForwarding local",
    "          e.g.    -C user=deploy,host=198.51.100.7,addr=198.51.100.7,laddr=192.0.2.1,lport=22,rdomain=",
  ];
  expect(compared("pretty").slice(0, 5)).toEqual([
    "gained  tcp-local, unix-local user deploy",
    ...why,
    "same    tcp-remote, unix-remote, tun, x11, agent",
  ]);
  expect(compared("concise").slice(0, 8)).toEqual([
    "gained  tcp-local   user deploy",
    ...why,
    "gained  unix-local  user deploy",
    ...why,
  ]);
});

test.each([["exposure"], ["effective"], ["compare"]])(
  "%s of a file that sshd refuses names check",
  (command) => {
    const root = makeRoot({ "/bad": "Port x\n" });
    const files = command === "compare" ? ["bad", "bad"] : ["bad"];
    expect(runCli([command, "--openssh", "9.2", ...files], { cwd: root })).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'sshd-policy: bad: sshd refuses this configuration: bad line 1: Badly formatted port number. ("sshd-policy check" names all errors)\n',
    });
  },
);

test.each([
  ["audit", "--root"],
  ["audit", "--repo"],
  ["audit", "--image"],
  ["audit", "--accounts"],
  ["audit", "--config"],
  ["audit", "--baseline"],
  ["audit", "--output"],
  ["audit", "--events"],
  ["compare", "--git"],
  ["probe", "--sshd"],
])("%s %s with an empty value is refused: the variable of a script is not set", (command, option) => {
  const file = ["--root", "--repo", "--image"].includes(option) ? [] : ["x"];
  expect(runCli([command, option, "", ...file])).toEqual({
    code: 2,
    stdout: "",
    stderr: `sshd-policy: ${option} has no value: an empty argument stands where one is wanted\n`,
  });
});

test("what one connection may do stands in columns", () => {
  const stdin = "X11Forwarding yes\nPermitOpen database.example.com:5432\n";
  const words = ["exposure", "--openssh", "9.2", "--format", "pretty", "-C", "user=a,addr=192.0.2.7", "-"];
  const { stdout } = runCli(words, { stdin });
  expect(stdout.slice(stdout.indexOf("user=a from")).split("\n").slice(1, 8)).toEqual([
    "    tcp-local    database.example.com:5432  allowtcpforwarding yes (default), <stdin>:2 PermitOpen database.example.com:5432",
    "    tcp-remote   any (lo)              allowtcpforwarding yes (default)",
    "    unix-local   -                     <stdin>:2 PermitOpen database.example.com:5432",
    "    unix-remote  any                   allowtcpforwarding yes (default)",
    "    tun          -                     permittunnel no (default)",
    "    x11          yes                   <stdin>:1 X11Forwarding yes",
    "    agent        yes                   allowagentforwarding yes (default)",
  ]);
});

test("a commit that is not there is named as that", () => {
  const root = makeRoot({ "/sshd_config": "" });
  spawnSync("git", ["init", "-q", root]);
  expect(runCli(["compare", "--git", "nope", "sshd_config"], { cwd: root })).toEqual({
    code: 2,
    stdout: "",
    stderr: "sshd-policy: --git nope: there is no such commit (git: Needed a single revision)\n",
  });
});
