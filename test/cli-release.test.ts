/** Which release this host's sshd is, where no package database knows it. */
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NEWEST } from "../grammar/release.ts";
import { MAIN } from "./auditing.ts";
import { describeUnless, NOT_ROOT, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { COMMAND } from "./run-cli.ts";

const SSHD = "/usr/sbin/sshd";
const LATEST = `${NEWEST.major}.${NEWEST.minor}`;
const missing = NOT_ROOT ?? whyNoFile(SSHD, MAIN, "/var/lib/dpkg", "/usr/bin/unshare");

/** `setup`: mounts that this run alone sees */
function audited(setup: string): { openssh: string; opensshSource: string } {
  const script = `mount -t tmpfs none /var/lib/dpkg && ${setup} && exec "$@"`;
  const words = [
    "--mount",
    "sh",
    "-c",
    script,
    "sh",
    process.execPath,
    ...COMMAND,
    "audit",
    "--format",
    "json",
  ];
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout).targets[0];
}

describeUnless(missing, "sshd -V", () => {
  const folder = makeFolder();
  test.each([
    ["OpenSSH_9.2, OpenSSL 3.0.19", "9.2", "sshd -V"],
    ["OpenSSH_9.9p1, LibreSSL 3.9", "9.9p1", "sshd -V"],
    ["OpenSSH_10.0p2 Debian-7+deb13u4, OpenSSL 3.5.9", "1:10.0p2-7+deb13u4", "sshd -V"],
    ["unknown option -- V\nOpenSSH_8.4p1 Debian-5+deb11u7, OpenSSL", "1:8.4p1-5+deb11u7", "sshd -V"],
    ["OpenSSH_99.1p1, OpenSSL", LATEST, "sshd -V 99.1p1, "],
    ["Dropbear", LATEST, "the newest known: none was found"],
  ])("%j", (printed, openssh, source) => {
    writeFileSync(`${folder}/sshd`, `#!/bin/sh\ncat >&2 <<END\n${printed}\nEND\n`);
    chmodSync(`${folder}/sshd`, 0o755);
    const found = audited(`mount --bind ${folder}/sshd ${SSHD}`);
    expect(found.openssh).toBe(openssh);
    expect(found.opensshSource).toContain(source);
  });

  test("of the machine's own sshd", () => {
    expect(audited("true").opensshSource).toBe("found on this host, sshd -V");
  });
});
