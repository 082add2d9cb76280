/** What reporters make of findings, hostile files among them: nothing of a file is read as markup or as a command. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const FORMATS = ["pretty", "concise", "json", "sarif", "github", "junit", "markdown", "html"] as const;

const BASTION = [
  "# sshd-policy: allow x11-forwarding -- <b>screens</b> in the lab",
  "X11Forwarding yes",
  "AllowTcpForwarding no",
  "AllowAgentForwarding no",
  "PermitRootLogin no",
  "Match Group forwarders Address 10.0.0.0/8",
  "\tAllowTcpForwarding local",
  "Match User tunnel",
  "\tAllowTcpForwarding yes",
  "\tPermitOpen db:5432",
  "\tPermitOpen cache:6379",
  "",
].join("\n");

describe("snapshots", () => {
  test.each(FORMATS)("%s", async (format) => {
    const root = makeRoot({ "/sshd_config": BASTION });
    const args = ["audit", "sshd_config", "--openssh", "9.2p1", "--format", format, "--color", "never"];
    const { stdout, stderr, code } = runCli(args, { cwd: root });
    const judged = "judged as OpenSSH 9.2p1 (given with --openssh); anybody may exist (--accounts open)";
    expect(stderr).toBe(["concise", "github"].includes(format) ? `sshd-policy: ${judged}\n` : "");
    expect(code).toBe(1);
    const shown = format === "sarif" ? withoutTexts(stdout) : stdout;
    const stable = shown.replaceAll(root, "/ROOT").replaceAll(version, "VERSION");
    const path = new URL(`../fixtures/reports/bastion.${format}`, import.meta.url).pathname;
    await expect(stable).toMatchFileSnapshot(path);
  });
});

test.each([
  ["audit", "sshd_config"],
  ["exposure", "sshd_config"],
  ["compare", "sshd_config", "other"],
])("colours are all that a terminal gets more: %s", (...args) => {
  const root = makeRoot({ "/sshd_config": BASTION, "/other": "PermitTunnel yes\n" });
  const shown = (color: string): string =>
    runCli([...args, "--openssh", "9.2p1", "--format", "pretty", "--color", color], { cwd: root }).stdout;
  const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
  expect(shown("always")).toMatch(colours);
  expect(shown("always").replaceAll(colours, "")).toBe(shown("never"));
});

describe("what is taken for granted", () => {
  const HOSTS = "a client's address may resolve to any host name";
  const DOMAINS = "there are no routing domains (no VRF)";
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["AllowTcpForwarding yes\n", []],
    ["Match Host *.example.com\n", []],
    ["UseDNS yes\n", []],
    ["UseDNS yes\nMatch Host *.example.com\n", [HOSTS]],
    ["UseDNS yes\nAllowUsers alice@*.example.com\n", [HOSTS]],
    ["UseDNS yes\nAllowUsers alice@10.0.0.0/8 bob@fe80::1\n", []],
    ["UseDNS yes\nMatch RDomain *\nMatch Host a.example.com\n", [HOSTS, DOMAINS]],
    ["Match RDomain vrf1\n", [DOMAINS]],
  ];

  test.each(cases)("%j", (text, assumed) => {
    const root = makeRoot({ "/sshd_config": text });
    const shown = (format: (typeof FORMATS)[number]): string =>
      runCli(["audit", "sshd_config", "--openssh", "9.2p1", "--format", format, "--color", "never"], {
        cwd: root,
      }).stdout;
    expect(JSON.parse(shown("json")).targets[0].assumptions).toEqual(assumed);
    const [{ executionSuccessful, toolExecutionNotifications: notes }] = JSON.parse(shown("sarif")).runs[0]
      .invocations;
    expect(executionSuccessful).toBe(true);
    expect(notes).toEqual(assumed.map((one) => ({ level: "note", message: { text: `assumed: ${one}` } })));
    const lines = shown("pretty").split("\n");
    expect(lines.filter((line) => line.startsWith("assumed: "))).toEqual(
      assumed.map((one) => `assumed: ${one}`),
    );
    for (const format of ["markdown", "html"] as const)
      expect(shown(format).split(/assumed(?::|&#58;) /)).toHaveLength(assumed.length + 1);
  });
});

test.each<[Readonly<Record<string, string>>, readonly string[], boolean]>([
  [{}, [], false],
  [{ FORCE_COLOR: "1" }, [], true],
  [{ FORCE_COLOR: "0" }, [], false],
  [{ FORCE_COLOR: "" }, [], false],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, [], false],
  [{ FORCE_COLOR: "1", NO_COLOR: "" }, [], true],
  [{ NO_COLOR: "1" }, ["--color", "always"], true],
  [{ FORCE_COLOR: "1" }, ["--color", "never"], false],
])("%j and %j: in colour %s", (env, options, isColourful) => {
  const { stdout } = runCli(["audit", "--format", "pretty", ...options, "-"], { env });
  expect(stdout).toContain("tcp-forwarding");
  expect(stdout.includes("\x1b[")).toBe(isColourful);
});

/** The texts of all rules stand in every SARIF log; report-schemas.test.ts looks at them. */
function withoutTexts(log: string): string {
  const texts = new Set(["shortDescription", "fullDescription", "help"]);
  return `${JSON.stringify(
    JSON.parse(log, (key, value) => (texts.has(key) ? undefined : value)),
    null,
    2,
  )}\n`;
}

describe("a hostile file", () => {
  const evil = [
    "AllowTcpForwarding yes",
    'Match User "<script>alert(1)</script>"',
    "  PermitOpen *:*",
    'Match User "`x`|[a](http://evil.example)|@everyone"',
    "  ForceCommand \u001b]8;;http://evil.example\u0007 ::error::%0A::set-output ]]> & <img src=x>",
    'Match User "a%0A::warning::b"',
    "  X11Forwarding yes",
    "  PermitTunnel yes\u009b31m",
    "\u202eBogus \u00e2\u0080\u00ae",
    "",
  ].join("\n");

  const outputs = new Map(
    FORMATS.map((format) => {
      const args = ["audit", "-", "--openssh", "9.2p1", "--format", format, "--color", "never"];
      return [format, runCli(args, { stdin: evil }).stdout] as const;
    }),
  );
  const output = (format: (typeof FORMATS)[number]): string => outputs.get(format) ?? "";

  test.each(FORMATS)("%s holds no control character", (format) => {
    expect(output(format)).not.toBe("");
    expect(output(format)).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f]|\u00c2[\u0080-\u009f]|\u00e2\u0080\u00ae/,
    );
  });

  test("json and sarif parse", () => {
    expect(JSON.parse(output("json")).version).toBe(1);
    expect(JSON.parse(output("sarif")).version).toBe("2.1.0");
  });

  test("github: every line is a command of ours", () => {
    for (const line of output("github").trimEnd().split("\n"))
      expect(line).toMatch(/^::(error|warning|notice) file=[^:]*,title=[^:]*::/);
  });

  test("html and junit: no element of the file's", () => {
    expect(output("html")).not.toMatch(/<script>alert|<img/);
    expect(output("html").match(/<script>/g)).toHaveLength(1);
    expect(output("html")).not.toMatch(/(?:src|href)=/);
    expect(output("junit")).not.toMatch(/<script|<img|\]\]>/);
  });

  test("markdown: no tag, link or mention of the file's", () => {
    const outside = output("markdown")
      .replaceAll(/^(`{3,})text\n.*?^\1$/gms, "")
      .replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/g, "");
    expect(outside).not.toMatch(/<script|<img|\]\(|@everyone|http:/);
  });
});

test("--no-suppressions: what comments accept is found, and counts", () => {
  const stdin = "DisableForwarding yes\nPort 443 # sshd-policy: allow privileged-port -- through a proxy\n";
  const args = ["audit", "-", "--openssh", "10.4", "--fail-on", "info", "--format", "concise"];
  expect(runCli(args, { stdin })).toMatchObject({ code: 0 });
  const shown = runCli([...args, "--no-suppressions"], { stdin });
  expect(shown.code).toBe(1);
  expect(shown.stdout).toContain("[privileged-port]");
});

test("pretty shows of a long line what is around the edit", () => {
  const places = Array.from({ length: 30 }, (_, at) => `far-away-host-${at}.example.com:80`).join(" ");
  const root = makeRoot({
    "/comment": `AllowTcpForwarding yes # ${"x".repeat(100_000)}\n`,
    "/list": `PermitOpen ${places} *:*\nAllowAgentForwarding no\n`,
  });
  const fixesOf = (name: string): readonly string[] =>
    runCli(["audit", "--openssh", "9.2", "--format", "pretty", name], { cwd: root })
      .stdout.split("\n")
      .filter((line) => line.startsWith("  fix "));
  expect(fixesOf("comment")[0]).toMatch(
    /^ {2}fix {6}line 1 becomes "AllowTcpForwarding no # x{176}\.\.\." \(safe/,
  );
  for (const line of [...fixesOf("comment"), ...fixesOf("list")]) expect(line.length).toBeLessThan(300);
});
