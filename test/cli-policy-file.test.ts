/** The policy file from the command line: found, trusted, and what it says of rules. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeRoot } from "./auditing.ts";
import { NOT_ROOT, testUnless } from "./needs.ts";
import { runCli } from "./run-cli.ts";

const CONFIG = "AllowTcpForwarding no\nX11Forwarding yes\nAllowAgentForwarding no\n";

/** A repository with one configuration below it, and a policy file at its top. */
function repository(policy: string, config = CONFIG): string {
  const root = makeRoot({ "/repo/hosts/a/sshd_config": config, "/repo/.sshd-policy.yaml": policy });
  mkdirSync(`${root}/repo/.git`);
  return `${root}/repo`;
}

const audit = (repo: string, ...more: string[]): ReturnType<typeof runCli> =>
  runCli(["audit", "--format", "concise", ...more, `${repo}/hosts/a/sshd_config`]);

describe("a policy file", () => {
  it("is found at the top of the repository and sets severities, and the severity that fails", () => {
    const repo = repository("version: 1\nfail-on: medium\nrules:\n  x11-forwarding: low\n");
    const { code, stdout } = audit(repo);
    expect(stdout).toContain("low: everybody may forward X11");
    expect(code).toBe(0);
    expect(audit(repo, "--fail-on", "low").code).toBe(1);
    expect(audit(repo, "--no-config").stdout).toContain("medium: everybody may forward X11");
  });

  it("switches rules off with a reason; a rule that is asked for runs", () => {
    const repo = repository('version: 1\nrules:\n  x11-forwarding:\n    off: "desktops"\n');
    expect(audit(repo)).toMatchObject({ code: 0 });
    expect(audit(repo, "--rule", "x11-forwarding")).toMatchObject({ code: 1 });
    const [target] = JSON.parse(audit(repo, "--format", "json").stdout).targets;
    expect(target.policyFile.off).toEqual([{ rule: "x11-forwarding", reason: "desktops" }]);
  });

  it("sets the profile and what is meant to be open", () => {
    const repo = repository(
      "version: 1\nprofile: strict\nallow-forwarding: local\n",
      "X11Forwarding no\nAllowAgentForwarding no\nAllowStreamLocalForwarding no\nAllowTcpForwarding local\n",
    );
    expect(audit(repo).stdout).not.toContain("[tcp-forwarding]");
    const banned = repository("version: 1\nprofile: strict\n", "DisableForwarding yes\n");
    expect(audit(banned).stdout).toContain("[shell-makes-ban-moot]");
    expect(audit(banned, "--profile", "default").stdout).not.toContain("[shell-makes-ban-moot]");
    expect(audit(repo, "--allow-forwarding", "none").stdout).toContain("[tcp-forwarding]");
  });

  it("makes a fix safe that closes what it does not allow, and keeps the direction that it allows", () => {
    const closed =
      "X11Forwarding no\nAllowAgentForwarding no\nAllowStreamLocalForwarding no\nAllowTcpForwarding no\n";
    const allow = "version: 1\nallow:\n  - { users: deploy, capability: tcp-local, reason: r }\n";
    const repo = repository(allow, `${closed}Match User deploy\n  AllowTcpForwarding yes\n`);
    const { stdout } = audit(repo, "--fix", "--diff");
    expect(stdout).toContain("+  AllowTcpForwarding local\n");
    const keep = "version: 1\nkeep:\n  - { users: deploy, capability: agent }\n";
    const kept = repository(
      keep,
      "AllowTcpForwarding no\nX11Forwarding no\nMatch User deploy\n  AllowAgentForwarding yes\n",
    );
    const diff = audit(kept, "--fix", "--unsafe-fixes", "--diff").stdout;
    expect(diff).toContain("+AllowAgentForwarding no\n");
    expect(diff).not.toContain("-  AllowAgentForwarding yes");
  });

  it("offers no fix that leaves the line as it is", () => {
    const repo = repository(
      "version: 1\nallow:\n  - { users: deploy, capability: tcp-local, to: db:5432, reason: r }\n",
      "DisableForwarding no\nX11Forwarding no\nAllowAgentForwarding no\nAllowStreamLocalForwarding no\nAllowTcpForwarding local\nMatch User deploy\n  PermitOpen db:5432\n",
    );
    const [target] = JSON.parse(audit(repo, "--format", "json").stdout).targets;
    expect(target.findings[0].fix).toMatchObject({
      safety: "unsafe",
      title: expect.stringMatching(/^AllowTcpForwarding no, which also closes what .* allows user deploy$/),
    });
    expect(audit(repo, "--format", "pretty").stdout).toMatch(
      /\(unsafe, it also closes what .*\.sshd-policy\.yaml allows user deploy: --unsafe-fixes does it\)/,
    );
    expect(audit(repo, "--fix", "--diff").stdout).toBe("");
    expect(audit(repo, "--fix", "--unsafe-fixes", "--diff").stdout).toContain("+AllowTcpForwarding no\n");
  });

  it("keeps what must keep working from every fix", () => {
    const keep =
      'version: 1\nallow: []\nkeep:\n  - { users: ["*", "!root"], capability: unix-remote, reason: r }\n';
    const repo = repository(keep, "X11Forwarding no\nAllowAgentForwarding no\n");
    const { stdout, stderr } = audit(repo, "--fix", "--unsafe-fixes", "--diff");
    expect(stdout).toContain("+AllowTcpForwarding remote\n");
    expect(stderr).toContain(
      "left as it is, for the policy file keeps what it would take: AllowTcpForwarding no",
    );
    expect(audit(repo, "--fix", "--unsafe-fixes").stdout).not.toContain("[lost-forwarding]");
  });

  it("keeps it also where only a rule is asked for that does not look for losses", () => {
    const keep =
      'version: 1\nallow: []\nkeep:\n  - { users: ["*", "!root"], capability: unix-remote, reason: r }\n';
    const repo = repository(keep, "X11Forwarding no\nAllowAgentForwarding no\n");
    const { stdout } = audit(repo, "--fix", "--unsafe-fixes", "--rule", "tcp-forwarding", "--diff");
    expect(stdout).toContain("+AllowTcpForwarding remote\n");
  });

  it("is not searched above the repository, nor inside a root", () => {
    const off = "version: 1\nrules:\n  x11-forwarding: { off: never read }\n";
    const root = makeRoot({
      "/.sshd-policy.yaml": off,
      "/repo/sshd_config": CONFIG,
      "/server/etc/ssh/sshd_config": CONFIG,
      "/server/etc/ssh/.sshd-policy.yaml": off,
      "/plain/deep/sshd_config": CONFIG,
      "/plain/.sshd-policy.yaml": off,
    });
    mkdirSync(`${root}/repo/.git`);
    expect(runCli(["audit", `${root}/repo/sshd_config`]).code).toBe(1);
    expect(runCli(["audit", `${root}/plain/deep/sshd_config`]).code).toBe(1);
    expect(runCli(["audit", "--root", `${root}/server`]).stdout).toContain("x11-forwarding");
    expect(
      runCli(["audit", "--root", `${root}/server`, "--config", `${root}/.sshd-policy.yaml`]).stdout,
    ).not.toContain("x11-forwarding");
  });

  it("that somebody else may write is an error", () => {
    const repo = repository("version: 1\n");
    chmodSync(`${repo}/.sshd-policy.yaml`, 0o666);
    expect(audit(repo)).toMatchObject({ code: 2 });
    expect(audit(repo).stderr).toContain("everybody may write it");
    chmodSync(`${repo}/.sshd-policy.yaml`, 0o644);
    expect(audit(repo).code).toBe(1);
  });

  testUnless(NOT_ROOT, "that belongs to somebody else is an error, as is somebody else's link", () => {
    const repo = repository("version: 1\n");
    chownSync(`${repo}/.sshd-policy.yaml`, 12345, 12345);
    expect(audit(repo).stderr).toContain("belongs to user 12345");
    const linked = repository("version: 1\n");
    execFileSync("rm", [`${linked}/.sshd-policy.yaml`]);
    writeFileSync(`${linked}/policy`, "version: 1\n");
    symlinkSync("policy", `${linked}/.sshd-policy.yaml`);
    expect(audit(linked).code).toBe(1);
    execFileSync("chown", ["-h", "12345", `${linked}/.sshd-policy.yaml`]);
    expect(audit(linked)).toMatchObject({ code: 2 });
  });

  it("with mistakes stops the audit of its files, each mistake with line and column", () => {
    const repo = repository("version: 1\nruels: {}\nrules:\n  x11-forwardin: low\n  syntax: off\n");
    const { code, stdout, stderr } = audit(repo, `${makeRoot({ "/b/sshd_config": CONFIG })}/b/sshd_config`);
    expect(code).toBe(2);
    expect(stderr).toContain('.sshd-policy.yaml:2:1: a policy file has no "ruels": did you mean "rules"?');
    expect(stderr).toContain(':4:3: "rules" has no "x11-forwardin": did you mean "x11-forwarding"?');
    expect(stderr).toContain(":5:11: syntax is switched off without a reason");
    // the other file is audited
    expect(stdout).toContain("/b/sshd_config:2:15: medium");
  });
});
