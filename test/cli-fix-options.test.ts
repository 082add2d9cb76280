/** Options that only mean something with `audit --fix`, and where its events go. */
import { spawnSync } from "node:child_process";
import { linkSync, readFileSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

describe("an option that says how a fix is made", () => {
  test.each([
    [["--dry-run"], "--dry-run says how a fix is made: add --fix, or leave it out for an audit alone"],
    [
      ["--reload", "--confirm", "0"],
      "--reload, --confirm say how a fix is made: add --fix, or leave them out",
    ],
    [["--unsafe-fixes"], "--unsafe-fixes says"],
    [["--no-restart"], "--no-restart says"],
    [["--restart-command", "true"], "--restart-command says"],
    [["--no-validate"], "--no-validate says"],
    [["--probe"], "--probe says"],
    [["--force", "--diff"], "--force says"],
  ])("is wrong usage without one: %j", (options, text) => {
    const root = makeRoot({ "/c": "" });
    const { code, stdout, stderr } = runCli(["audit", ...options, `${root}/c`]);
    expect(stderr).toContain(text);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test.each([[["--diff", "--unsafe-fixes"]], [["--fix", "--dry-run"]], [["--fix", "--diff", "--dry-run"]]])(
    "is none with one: %j",
    (options) => {
      const root = makeRoot({ "/c": "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\n" });
      expect(runCli(["audit", "--quiet", ...options, `${root}/c`])).toMatchObject({ code: 0, stderr: "" });
    },
  );
});

test.each(["", " \t\n"])(
  "--restart-command %j is wrong usage: it would restart nothing, with success",
  (command) => {
    const root = makeRoot({ "/c": "X11Forwarding yes\n" });
    const { code, stderr } = runCli(["audit", "--fix", "--restart-command", command, `${root}/c`]);
    expect(stderr).toContain("a command of the shell, please: it restarts sshd");
    expect(code).toBe(2);
  },
);

describe("an option about the running sshd", () => {
  test.each([["--confirm", "60"], ["--reload"], ["--restart-command", "true"], ["--probe"]])(
    "is wrong usage where no FILE is its configuration, for it promises what is not done: %s",
    (...options) => {
      const root = makeRoot({ "/c": "X11Forwarding yes\n" });
      const { code, stderr } = runCli(["audit", "--fix", ...options, `${root}/c`]);
      expect(stderr).toContain(`${options[0]} is about this host's running sshd, and no FILE here is its`);
      expect(code).toBe(2);
      expect(readFileSync(`${root}/c`, "utf8")).toBe("X11Forwarding yes\n");
    },
  );

  test.each([["--confirm", "0"], ["--no-restart"], ["--force"], ["--diff", "--confirm", "60"]])(
    "that promises nothing is none: %s",
    (...options) => {
      const root = makeRoot({ "/c": "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\n" });
      expect(runCli(["audit", "--quiet", "--fix", ...options, `${root}/c`])).toMatchObject({
        code: 0,
        stderr: "",
      });
    },
  );
});

describe("--events", () => {
  test.each([[[]], [["--fix"]], [["--diff"]]])("tells begin and end of audit %j", (options) => {
    const root = makeRoot({ "/c": "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\n" });
    expect(runCli(["audit", ...options, "--events", `${root}/events`, `${root}/c`]).code).toBe(0);
    const events = readFileSync(`${root}/events`, "utf8").trimEnd().split("\n");
    expect(events.map((line) => JSON.parse(line).event)).toEqual(["begun", "ended"]);
  });

  test.each([[[]], [["--fix"]]])(
    "that cannot be written is wrong usage, and nothing is changed: %j",
    (options) => {
      const root = makeRoot({ "/c": "X11Forwarding yes\n" });
      const ran = runCli(["audit", ...options, "--events", "/nonexistent/events", `${root}/c`]);
      expect(ran.stderr).toBe(
        "sshd-policy: --events /nonexistent/events cannot be written: no such file or directory\n",
      );
      expect(ran.code).toBe(2);
      expect(readFileSync(`${root}/c`, "utf8")).toBe("X11Forwarding yes\n");
    },
  );
});

test("the diff of an empty file is one that diff(1) could write", () => {
  const root = makeRoot({ "/c": "" });
  const { stdout } = runCli(["audit", "--fix", "--diff", "--rule", "tcp-forwarding", "c"], { cwd: root });
  expect(stdout).toBe("--- a/c\n+++ b/c\n@@ -0,0 +1,1 @@\n+AllowTcpForwarding no\n");
});

test.each<[string, readonly string[], string]>([
  ["a link", ["link"], "etc/ssh/real"],
  ["a link in a root", ["--root", "."], "etc/ssh/real"],
  ["a file", ["./etc/ssh/real"], "etc/ssh/real"],
])("the diff of %s names what patch(1) and git can change", (_, words, name) => {
  const root = makeRoot({
    "/etc/ssh/real": "AllowTcpForwarding yes\n",
    "/etc/passwd": "root:x:0:0::/:/bin/sh\n",
  });
  symlinkSync("etc/ssh/real", `${root}/link`);
  symlinkSync("/etc/ssh/real", `${root}/etc/ssh/sshd_config`);
  const { stdout } = runCli(["audit", "--fix", "--diff", "--rule", "tcp-forwarding", ...words], {
    cwd: root,
  });
  expect(stdout).toMatch(new RegExp(`^--- a/${name}\n\\+\\+\\+ b/${name}\n`));
  const applied = spawnSync("git", ["apply", "-"], { cwd: root, input: stdout, encoding: "utf8" });
  expect(applied).toMatchObject({ status: 0, stderr: "" });
  expect(readFileSync(`${root}/etc/ssh/real`, "utf8")).toBe("AllowTcpForwarding no\n");
});

test("a fix that was stopped ends with 1, also where no finding is one to fail on", () => {
  const root = makeRoot({ "/c": "X11Forwarding yes\n" });
  linkSync(`${root}/c`, `${root}/other`);
  const options = ["--fail-on", "error", `${root}/c`];
  expect(runCli(["audit", ...options]).code).toBe(0);
  const { code, stderr } = runCli(["audit", "--fix", ...options]);
  expect(stderr).toContain("c: nothing was changed: ");
  expect(code).toBe(1);
});
