/** Files that sshd would read and that would fill our memory: refused, or said to be unread, and never a crash. */
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../src/config/load.ts";
import { MOST_WEIGHT, weightOf } from "../src/config/weight.ts";
import { folderTree } from "../src/files/folder.ts";
import { MAIN, makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";
import { release } from "./sshd/reading.ts";

const TOO_MUCH: readonly (readonly [string, string])[] = [
  ["empty lines", "\n".repeat(MOST_WEIGHT + 1)],
  ["comments", "#\n".repeat(MOST_WEIGHT + 1)],
  ["settings", "Port 1\n".repeat(150_000)],
  ["settings behind blanks", " \t Port 1\n".repeat(150_000)],
  ["words of one line", `AllowUsers ${"a ".repeat(700_000)}\n`],
  ["names of one list", `Match User ${"a,".repeat(700_000)}a\n`],
];

function refused(command: string, text: string): void {
  const root = makeRoot({ "/sshd_config": text });
  const { code, stdout, stderr } = runCli([command, "--openssh", "9.2", "sshd_config"], { cwd: root });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^sshd-policy: sshd_config has more lines and words .* a limit of sshd-policy/);
}

test.each(TOO_MUCH)("a file of %s is refused", (_, text) => refused("check", text));
test.each(["audit", "exposure", "effective"])("%s refuses it, too", (command) =>
  refused(command, "\n".repeat(MOST_WEIGHT + 1)),
);

test.each([
  ["long comments", `# ${"x".repeat(78)}\n`.repeat(100_000)],
  ["comments behind blanks", "\t# x, y, z\n".repeat(300_000)],
  ["a long word", `Banner /${"x".repeat(5_000_000)}\n`],
  ["as many settings as a large site has", "AllowUsers a\n".repeat(100_000)],
])("a file of %s is read", (_, text) => {
  expect(weightOf(Buffer.from(text, "latin1"))).toBeLessThanOrEqual(MOST_WEIGHT);
  const root = makeRoot({ "/sshd_config": `AllowTcpForwarding no\n${text}` });
  const { code, stderr } = runCli(["check", "--openssh", "9.2", "sshd_config"], { cwd: root });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

// an expression that tries each blank of a run anew would take hours here
test.each([
  ["a suppression", (run: string) => `# sshd-policy: allow tcp-forwarding -- a${run}b`],
  ["a suppression's end", (run: string) => `# sshd-policy: allow tcp-forwarding -- a${run}until b`],
  ["a stock comment", (run: string) => `#AllowTcpForwarding${run}yes`],
  ["a setting", (run: string) => `AllowTcpForwarding${run}yes # ${run}b`],
  ["a keyword that is wrong", (run: string) => `Allow${run}b`],
])("millions of blanks or CRs inside %s take no longer than others", (_, lineOf) => {
  for (const run of [" ", "\t", "\r", " \r"].map((text) => text.repeat(2_000_000 / text.length))) {
    const root = makeRoot({ "/sshd_config": `${lineOf(run)}\n` });
    const { code } = runCli(["audit", "--openssh", "9.2", "sshd_config", "--format", "concise"], {
      cwd: root,
    });
    // 2: its words are more than we read
    expect([1, 2]).toContain(code);
  }
});

describe("an included file", () => {
  const limitsOf = (root: string): readonly string[] =>
    loadConfig(folderTree(root), MAIN, { release: release("9.2") }).limits;

  test("that is too long counts as unread, which leaves the answer open", () => {
    const root = makeRoot({
      [MAIN]: "Include long\nDisableForwarding yes\n",
      "/etc/ssh/long": "\n".repeat(MOST_WEIGHT + 1),
    });
    const { code, stdout } = runCli(["exposure", "--root", root, "--openssh", "9.2"]);
    expect(code).toBe(3);
    expect(stdout).toContain("/etc/ssh/long has more lines and words");
  });

  test("that is larger than 64 MiB does, too: sshd would read it", () => {
    const root = makeRoot({ [MAIN]: "Include large\n", "/etc/ssh/large": "" });
    truncateSync(join(root, "/etc/ssh/large"), 65 * 1024 * 1024);
    const config = loadConfig(folderTree(root), MAIN, { release: release("9.2") });
    expect(config.problems).toEqual([]);
    expect(config.limits.join()).toMatch(/large is larger than 64 MiB/);
  });

  test("counts together with the others", () => {
    const some = "Port 1\n".repeat(80_000);
    expect(limitsOf(makeRoot({ [MAIN]: "Include a\n", "/etc/ssh/a": some }))).toEqual([]);
    const both = makeRoot({ [MAIN]: "Include a\nInclude b\n", "/etc/ssh/a": some, "/etc/ssh/b": some });
    expect(limitsOf(both).join()).toMatch(/b has more lines and words/);
  });

  test("that is read again and again is read so often only", () => {
    const root = makeRoot({ [MAIN]: "Include a\n".repeat(300), "/etc/ssh/a": "AllowUsers a\n".repeat(1000) });
    expect(limitsOf(root).join()).toMatch(/more than 200000 settings, those of Includes counted/);
  });
});

describe("a root whose", () => {
  const rootWith = (path: string, text: string): string =>
    makeRoot({
      [MAIN]: "AllowTcpForwarding no\n",
      "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
      "/etc/group": "root:x:0:\n",
      [path]: text,
    });
  const audited = (root: string, ...words: readonly string[]): [number | null, string] => {
    const { code, stderr } = runCli(["audit", "--root", root, "--openssh", "9.2", "--quiet", ...words]);
    return [code, stderr];
  };
  const passwd = (accounts: number): string =>
    Array.from({ length: accounts }, (_, index) => `u${index}:x:${index}:0::/:/bin/sh\n`).join("");

  test.each([
    ["accounts", "/etc/passwd", passwd(200_001)],
    ["empty lines among the accounts", "/etc/passwd", "\n".repeat(3_000_000)],
    ["groups", "/etc/group", "g:x:1:\n".repeat(200_001)],
  ])("%s are too many says so", (_, path, text) => {
    const root = rootWith(path, text);
    expect(audited(root)).toEqual([3, expect.stringContaining("accounts were not looked at")]);
    expect(audited(root, "--accounts", "target")).toEqual([
      2,
      expect.stringContaining("more than 200000 lines"),
    ]);
    expect(audited(root, "--accounts", join(root, path))).toEqual([
      2,
      expect.stringContaining("more than 200000"),
    ]);
  });

  test("members stand in many groups is read", () => {
    const groups = Array.from({ length: 50_000 }, (_, index) => `g${index}:x:${index}:root\n`).join("");
    expect(audited(rootWith("/etc/group", groups), "--accounts", "target")[1]).toBe("");
  });

  test("authorized keys are too many says so", () => {
    const root = rootWith("/root/.ssh/authorized_keys", "\n".repeat(9_000_000));
    expect(audited(root)).toEqual([
      3,
      expect.stringContaining("options of keys from /root/.ssh/authorized_keys on"),
    ]);
  });
});
