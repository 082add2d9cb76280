/** `sshd-policy forward` as a user runs it. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMAND } from "./run-cli.ts";
import { whyNoSshd } from "./sshd/loopback.ts";
import type { MailReading } from "./sshd/mail-reading.ts";

const NO_NAMESPACES =
  process.getuid?.() !== 0
    ? "needs root, for network and mount namespaces"
    : existsSync("/usr/bin/unshare") && existsSync("/usr/sbin/ip")
      ? whyNoSshd()
      : "needs unshare and ip";

const TSX = join(import.meta.dirname, "../node_modules/tsx/dist/loader.mjs");

/** The example of ssh(1), "TCP FORWARDING", to the letter. */
describe.skipIf(NO_NAMESPACES !== null)(
  `the manual's mail${NO_NAMESPACES === null ? "" : `: ${NO_NAMESPACES}`}`,
  () => {
    let work: string;
    beforeAll(() => {
      work = mkdtempSync(join(tmpdir(), "sshd-policy-mail-"));
      chmodSync(work, 0o755);
    });
    afterAll(() => rmSync(work, { recursive: true, force: true }));

    function readMail(folder: string, ...args: readonly string[]): MailReading {
      const own = mkdtempSync(join(work, folder));
      chmodSync(own, 0o755);
      const node = [process.execPath, "--import", TSX, join(import.meta.dirname, "sshd/mail-reading.ts")];
      const forwarder = [process.execPath, ...COMMAND, "forward", ...args];
      const { stdout, stderr } = spawnSync(
        "unshare",
        [
          "--net",
          "--mount",
          "sh",
          join(import.meta.dirname, "sshd/mail-hosts.sh"),
          own,
          ...node,
          ...forwarder,
        ],
        { encoding: "latin1", env: { PATH: process.env["PATH"] ?? "", TERM: "dumb" }, timeout: 100_000 },
      );
      if (stdout === "") throw new Error(stderr);
      return JSON.parse(stdout);
    }

    const HEARD = [
      "+OK POP3 at your service",
      "+OK",
      "+OK",
      "+OK 1 48",
      "+OK",
      "Subject: hello",
      "",
      "Meet me at the lighthouse.",
      ".",
      "+OK",
    ];

    it("directly: ssh -L 1100:mail.example.com:110 mail.example.com", () => {
      const { heard, output, exit } = readMail(
        "direct",
        "-L",
        "1100:mail.example.com:110",
        "mail.example.com",
      );
      expect(heard, output).toEqual(HEARD);
      expect(output).toContain("encrypted  this machine to mail.example.com: SSH");
      expect(output).toContain("in clear   mail.example.com to mail.example.com:110, inside that machine");
      expect(exit).toBe(0);
    });

    it("indirectly: ssh -L 1100:mail.example.com:110 other.example.com", () => {
      const { heard, output, exit } = readMail(
        "indirect",
        "-L",
        "1100:mail.example.com:110",
        "other.example.com",
      );
      expect(heard, output).toEqual(HEARD);
      expect(output).toContain("encrypted  this machine to other.example.com: SSH");
      expect(output).toContain(
        "in clear   other.example.com to mail.example.com:110, over the network between them",
      );
      expect(exit).toBe(0);
    });

    it("through a jump host: -J other.example.com keeps it encrypted up to the mail server", () => {
      const { heard, output, exit } = readMail(
        "jump",
        "-J",
        "other.example.com",
        "-L",
        "1100:mail.example.com:110",
        "mail.example.com",
      );
      expect(heard, output).toEqual(HEARD);
      expect(output).toContain(
        "encrypted  this machine to mail.example.com: SSH, through other.example.com, which cannot read it",
      );
      expect(exit).toBe(0);
    });
  },
);
