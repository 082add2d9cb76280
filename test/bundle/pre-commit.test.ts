/** The hooks, run by the real pre-commit in a scratch repository: installed from this checkout, and with the machine's own program. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { describeUnless, whyNoTool } from "../needs.ts";
import { makeFolder } from "../own-folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STOCK = readFileSync(join(ROOT, "fixtures/debian-12/etc/ssh/sshd_config"), "latin1");
const MAIN = "etc/ssh/sshd_config";
const DROP_IN = "etc/ssh/sshd_config.d/50-site.conf";

const work = makeFolder();
const scratch = join(work, "configuration");
const hooks = join(work, "hooks");

interface Ran {
  readonly status: number | null;
  readonly output: string;
}

function run(cwd: string, command: string, ...args: readonly string[]): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: "latin1",
    env: {
      PATH: `${join(work, "bin")}:${process.env["PATH"] ?? ""}`,
      HOME: work,
      PRE_COMMIT_HOME: join(work, "cache"),
      npm_config_cache: process.env["npm_config_cache"] ?? join(process.env["HOME"] ?? work, ".npm"),
      npm_config_prefer_offline: "true",
      npm_config_audit: "false",
      npm_config_fund: "false",
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "user.name",
      GIT_CONFIG_VALUE_0: "alice",
      GIT_CONFIG_KEY_1: "user.email",
      GIT_CONFIG_VALUE_1: "alice@example.com",
    },
  });
  return { status, output: `${stdout}${stderr}` };
}

function commitAll(folder: string): string {
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["commit", "-qm", "as it is"],
  ])
    run(folder, "git", ...args);
  return run(folder, "git", "rev-parse", "HEAD").output.trim();
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), text, "latin1");
}

function hook(id: string): Ran {
  return run(scratch, "pre-commit", "run", id, "--files", MAIN, DROP_IN, "README");
}

describeUnless(whyNoTool("pre-commit"), "pre-commit", () => {
  beforeAll(() => {
    const tracked = run(ROOT, "git", "ls-files", "-z")
      .output.split("\0")
      .filter((path) => path !== "");
    for (const path of tracked) cpSync(join(ROOT, path), join(hooks, path), { verbatimSymlinks: true });
    const revision = commitAll(hooks);
    mkdirSync(join(work, "bin"));
    symlinkSync(join(ROOT, "dist/cli.js"), join(work, "bin/sshd-policy"));
    write(MAIN, STOCK);
    write(DROP_IN, "AllowTcpForwarding yes\n");
    write("README", "no configuration\n");
    const ids = ["sshd-policy", "sshd-policy-fix", "sshd-policy-system", "sshd-policy-fix-system"];
    write(
      ".pre-commit-config.yaml",
      `repos:\n- repo: ${hooks}\n  rev: ${revision}\n  hooks:\n${ids.map((id) => `  - id: ${id}\n`).join("")}`,
    );
    commitAll(scratch);
  });

  it.each(["sshd-policy", "sshd-policy-system"])(
    "%s audits a file and its drop-in in one call",
    (id) => {
      const { status, output } = hook(id);
      expect(status, output).toBe(1);
      expect(output.split("[tcp-forwarding]").length - 1).toBe(1);
      expect(output).toContain(`${DROP_IN}:1:20: high: everybody may tunnel TCP`);
    },
    600_000,
  );

  it("passes no path that would be an option", () => {
    const hostile = "--output=kept/sshd_config";
    write(hostile, STOCK);
    write("kept/README", "");
    run(scratch, "git", "add", "-A");
    const { output } = run(scratch, "pre-commit", "run", "sshd-policy-system", "--all-files");
    run(scratch, "git", "rm", "-rqf", "--", hostile, "kept");
    expect(output).toContain("[tcp-forwarding]");
    expect(existsSync(join(scratch, "kept/sshd_config"))).toBe(false);
  }, 600_000);

  it.each(["sshd-policy-fix", "sshd-policy-fix-system"])(
    "%s closes what is open where it is decided",
    (id) => {
      run(scratch, "git", "checkout", "-q", ".");
      const { status, output } = hook(id);
      expect(status, output).toBe(1);
      expect(output).toContain("files were modified by this hook");
      expect(readFileSync(join(scratch, DROP_IN), "latin1")).toBe("AllowTcpForwarding no\n");
      expect(readFileSync(join(scratch, MAIN), "latin1")).toContain("#AllowTcpForwarding yes\n");
      expect(hook(id).status).toBe(0);
    },
    600_000,
  );
});
