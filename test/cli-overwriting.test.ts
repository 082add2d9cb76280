/** No option writes over a file that the call reads. */
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overwritten } from "../src/cli/overwriting.ts";
import { MAIN, makeRoot } from "./auditing.ts";
import { testUnless, whyNoFile } from "./needs.ts";
import { runCli } from "./run-cli.ts";

const TEXT = "AllowTcpForwarding no\n";

describe("a file that is read is not written", () => {
  test.each([
    ["audit", "sshd_config", "--output", "sshd_config"],
    ["audit", "sshd_config", "--output", "link"],
    ["audit", "sshd_config", "--write-baseline", "link"],
    ["audit", "sshd_config", "--fix", "--events", "sshd_config"],
    ["audit", "other", "--config", "sshd_config", "--output", "link"],
    ["exposure", "sshd_config", "--events", "./sshd_config"],
    ["compare", "other", "sshd_config", "--output", "sshd_config"],
    ["effective", "sshd_config", "-C", "user=bob", "--output", "link"],
    ["forward", "host", "-L", "0:a:1", "-i", "sshd_config", "-i", "other", "--events", "link"],
    ["probe", "--against", "a@host", "-i", "sshd_config", "--output", "link"],
  ])("%j", (...args) => {
    const cwd = makeRoot({ "/sshd_config": TEXT, "/other": "AllowTcpForwarding no\n" });
    symlinkSync("sshd_config", join(cwd, "link"));
    const { code, stderr } = runCli(args, { cwd });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^sshd-policy: --[a-z-]+ \S+ would overwrite a file that is read\n$/),
    });
    expect(readFileSync(join(cwd, "sshd_config"), "latin1")).toBe(TEXT);
  });

  test.each([
    ["exposure", "main", "--output", "parts/a.conf"],
    ["compare", "sshd_config", "main", "--output", "parts/a.conf"],
    ["check", "main", "--events", "a-link"],
    ["exposure", "--root", ".", "--openssh", "9.2", "--output", "etc/ssh/sshd_config"],
    ["audit", "--root", ".", "--openssh", "9.2", "--events", "etc/ssh/sshd_config.d/b.conf"],
  ])("nor one that is included: %j", (...args) => {
    const files = {
      "/sshd_config": TEXT,
      "/main": "Include parts/*.conf\n",
      "/parts/a.conf": TEXT,
      "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n",
      "/etc/ssh/sshd_config.d/b.conf": TEXT,
      "/usr/sbin/sshd": "",
    };
    const cwd = makeRoot(files);
    symlinkSync("parts/a.conf", join(cwd, "a-link"));
    const { code, stderr } = runCli(args, { cwd });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^sshd-policy: --[a-z-]+ \S+ would overwrite a file that is read\n$/),
    });
    for (const [path, text] of Object.entries(files))
      expect(readFileSync(join(cwd, path), "latin1")).toBe(text);
  });

  test.each([
    ["audit", "sshd_config", "--quiet", "--output", "new"],
    ["audit", "sshd_config", "--quiet", "--output", "/dev/null"],
    ["check", "sshd_config", "--output", "other"],
  ])("another one is: %j", (...args) => {
    const cwd = makeRoot({ "/sshd_config": TEXT, "/other": "x\n" });
    const { code, stderr } = runCli(args, { cwd });
    expect({ code, stderr }).toEqual({ code: args[0] === "audit" ? 1 : 0, stderr: "" });
    expect(readFileSync(join(cwd, "sshd_config"), "latin1")).toBe(TEXT);
  });

  test("an image is not looked through for it", async () => {
    const cwd = makeRoot({ "/image.tar": "", "/answer": "of the run before\n" });
    const asked: PropertyKey[] = [];
    const given = { image: [join(cwd, "image.tar")], output: join(cwd, "answer") };
    const get = (of: typeof given, name: PropertyKey): unknown => {
      asked.push(name);
      return Reflect.get(of, name);
    };
    const options = new Proxy(given, { get });
    expect(await overwritten([], options)).toBeNull();
    expect(asked).not.toContain("platform");
  });

  testUnless(whyNoFile(MAIN), "without FILE it is this host's own", async () => {
    expect(await overwritten([], { output: MAIN })).toBe(
      `--output ${MAIN} would overwrite a file that is read`,
    );
    expect(await overwritten(["other"], { output: MAIN })).toBeNull();
  });
});
