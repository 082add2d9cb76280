/** The scripts of action.yml and of the GitLab job, run as their runners do, with npm's installing left out. */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { makeFolder } from "../own-folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const work = makeFolder();

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
}

function bash(script: string, env: Readonly<Record<string, string>>): Ran {
  const { status, stdout } = spawnSync("bash", ["-e", "-o", "pipefail", "-c", script], {
    cwd: work,
    env: {
      ...env,
      PATH: `${work}/bin:${process.env["PATH"] ?? ""}`,
      GITHUB_STEP_SUMMARY: join(work, "summary.md"),
      GITHUB_ACTION_PATH: ROOT,
    },
    encoding: "utf8",
  });
  return { status, stdout };
}

beforeAll(() => {
  spawnSync("mkdir", [join(work, "bin")]);
  symlinkSync(join(ROOT, "dist/cli.js"), join(work, "bin/sshd-policy"));
  writeFileSync(join(work, "bin/npm"), '#!/bin/sh\necho "$@" >"$0.asked"\n');
  chmodSync(join(work, "bin/npm"), 0o755);
  writeFileSync(join(work, "sshd_config"), "AllowTcpForwarding yes\n");
  writeFileSync(join(work, "grouped"), "DisableForwarding yes\nMatch Group admins\n");
  writeFileSync(join(work, "passwd"), "bob:x:1000:1000::/home/bob:/bin/sh\n");
  writeFileSync(join(work, "closed"), "DisableForwarding yes\n");
});

describe("action.yml", () => {
  const action = parse(readFileSync(join(ROOT, "action.yml"), "utf8"));
  const [step] = action.runs.steps;

  it("gives the script every input, and nothing of them as script", () => {
    for (const name of Object.keys(action.inputs)) {
      expect(step.env[name.toUpperCase()]).toBe(`\${{ inputs.${name} }}`);
      expect(step.run).not.toContain(`inputs.${name}`);
    }
  });

  it.each([
    ["sshd_config", 1],
    ["closed", 0],
    ["missing", 2],
    // who is in which group is not known: the answer is not complete, and what is found is shown
    ["sshd_config grouped --accounts passwd", 3],
  ])("annotates %s, writes summary and SARIF, and ends with %i", (target, expected) => {
    const { status, stdout } = bash(step.run, {
      TARGETS: target,
      ARGUMENTS: "--openssh 10.0",
      SARIF: "report.sarif",
      VERSION: "latest",
    });
    expect(status).toBe(expected);
    if (expected !== 1 && expected !== 3) return;
    expect(stdout).toMatch(/^::error file=sshd_config,line=1,/m);
    expect(readFileSync(join(work, "summary.md"), "utf8")).toContain("tcp-forwarding");
    expect(JSON.parse(readFileSync(join(work, "report.sarif"), "utf8")).version).toBe("2.1.0");
  });
});

describe("action.yml installs", () => {
  const action = parse(readFileSync(join(ROOT, "action.yml"), "utf8"));
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;

  it.each([
    ["the version of its own tag where none is given", action.inputs.version.default, own],
    ["the version that is asked for", "0.0.9", "0.0.9"],
  ])("%s", (_, version, installed) => {
    bash(action.runs.steps[0].run, { TARGETS: "closed", ARGUMENTS: "", SARIF: "", VERSION: version });
    expect(readFileSync(join(work, "bin/npm.asked"), "utf8")).toContain(` sshd-policy@${installed}\n`);
  });
});

describe("the GitLab job", () => {
  const job = parse(readFileSync(join(ROOT, "docs/ci/gitlab.yml"), "utf8"))["sshd-policy"];

  it.each([
    ["sshd_config", 1],
    ["closed", 0],
  ])("reports %s as test results and ends with %i", (target, expected) => {
    const targets = `${target} --openssh 10.0`;
    const { status } = bash(job.script.join("\n"), { SSHD_POLICY_TARGETS: targets });
    expect(status).toBe(expected);
    const results = readFileSync(join(work, job.artifacts.reports.junit), "utf8");
    expect(results.includes("tcp-forwarding")).toBe(expected === 1);
  });
});
