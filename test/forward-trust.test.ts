/** Which servers are trusted: known_hosts as ssh(1) reads it, case by case, and what it writes there. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openClientFiles } from "../src/forward/client-files.ts";
import { parseOption } from "../src/forward/directives.ts";
import { hostKeyCheck } from "../src/forward/host-key.ts";
import { settingsOf } from "../src/forward/reach.ts";
import { describeUnless, whyNoFile } from "./needs.ts";
import { type LoopbackSshd, serveEcho, startSshd, type TestServer, whyNoSshd } from "./sshd/loopback.ts";

const missing = whyNoSshd() ?? whyNoFile("/usr/bin/ssh");

/**
 * Lines of known_hosts, and options: AT is the server's name there, HOST its name on port 22, KEY its key, OTHER another
 * one, HASHED the line `AT KEY` as ssh-keygen -H makes it.
 */
const CASES: readonly (readonly [string, ...string[]])[] = [
  ["AT KEY"],
  ["AT OTHER"],
  ["AT OTHER", "StrictHostKeyChecking=no"],
  ["AT OTHER\nAT KEY"],
  ["HASHED"],
  ["HOST KEY"],
  ["HOST OTHER"],
  ["HOST OTHER", "StrictHostKeyChecking=accept-new"],
  ["* KEY"],
  ["[127.0.0.*]:* KEY"],
  ["!AT,* KEY"],
  ["AT KEY\r"],
  ["# AT KEY"],
  ["  AT   KEY and a comment"],
  ["AT 256 KEY"],
  ["AT ssh-ed25519 AAAA\nAT KEY"],
  ["@revoked AT KEY"],
  ["@revoked * KEY\nAT KEY"],
  ["@revoked * KEY\nAT KEY", "StrictHostKeyChecking=no"],
  ["@revoked HOST KEY\nAT KEY"],
  ["@cert-authority * OTHER"],
  ["@cert-authority * OTHER\nAT KEY"],
  ["@unheard AT KEY"],
  ["AT RSA"],
  ["AT RSA", "StrictHostKeyChecking=accept-new"],
  [""],
  ["", "StrictHostKeyChecking=no"],
  ["", "StrictHostKeyChecking=accept-new"],
  ["alias KEY", "HostKeyAlias=Alias"],
  ["AT KEY", "HostKeyAlias=alias"],
];

describeUnless(missing, "ssh and sshd-policy forward", () => {
  let sshd: LoopbackSshd;
  let echo: TestServer;
  let words: Readonly<Record<string, string>>;
  beforeAll(async () => {
    [sshd, echo] = [await startSshd(), await serveEcho()];
    const keyOf = (name: string): string =>
      readFileSync(join(sshd.folder, name), "latin1").split(" ").slice(0, 2).join(" ").trim();
    const rsa = join(sshd.folder, "rsa");
    execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa]);
    const hashed = join(sshd.folder, "hashed");
    const at = `[127.0.0.1]:${sshd.port}`;
    writeFileSync(hashed, `${at} ${keyOf("hostkey.pub")}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", hashed], { stdio: "ignore" });
    words = {
      HASHED: readFileSync(hashed, "latin1").trim(),
      AT: at,
      HOST: "127.0.0.1",
      KEY: keyOf("hostkey.pub"),
      OTHER: keyOf("id.pub"),
      RSA: keyOf("rsa.pub"),
    };
  });
  afterAll(async () => {
    echo.close();
    await sshd.stop();
  });

  const written = (lines: string): string =>
    lines === ""
      ? ""
      : `${lines.replace(/\b(HASHED|AT|HOST|KEY|OTHER|RSA)\b/g, (word) => words[word] ?? "")}\n`;

  /** What the run leaves in known_hosts beside whether it trusts the server. */
  const outcome = (trusts: boolean, before: string): object => ({
    trusts,
    added: readFileSync(sshd.knownHosts, "latin1").slice(before.length),
  });

  async function theirs(lines: string, options: readonly string[]): Promise<object> {
    writeFileSync(sshd.knownHosts, written(lines));
    const quick = "KexAlgorithms=curve25519-sha256";
    const chosen = [quick, "HashKnownHosts=no", "UpdateHostKeys=no", ...options].flatMap((option) => [
      "-o",
      option,
    ]);
    const to = ["-W", `127.0.0.1:${echo.port}`, "127.0.0.1"];
    const child = spawn("ssh", [...chosen, ...sshd.sshOptions, ...to], {
      stdio: ["pipe", "pipe", "ignore"],
      timeout: 30_000,
    });
    let stdout = "";
    child.stdout.on("data", (bytes: Buffer) => {
      stdout += bytes.toString("latin1");
    });
    child.stdin.on("error", () => {}).end("there and back");
    await once(child, "close");
    return outcome(stdout === "there and back", written(lines));
  }

  async function ours(lines: string, options: readonly string[]): Promise<object> {
    writeFileSync(sshd.knownHosts, written(lines));
    const files = [
      `UserKnownHostsFile=${sshd.knownHosts}`,
      "GlobalKnownHostsFile=/dev/null",
      "BatchMode=yes",
    ];
    const talk = { ask: async () => null, note: () => {} };
    const means = { talk, files: openClientFiles(talk.note) };
    const settings = settingsOf(
      { user: null, host: "127.0.0.1", port: sshd.port },
      [...options, ...files].flatMap((text) => parseOption(text) ?? []),
      {
        caller: { home: "/nonexistent", name: "x", uid: 0 },
        configFile: null,
        variable: () => null,
        ...means,
      },
    );
    const wire = Buffer.from(words["KEY"]?.split(" ")[1] ?? "", "base64");
    return outcome((await hostKeyCheck(settings, means).check(wire)) === null, written(lines));
  }

  it.each(CASES.map(([lines, ...options]) => ({ lines, options })))(
    "agree on $lines $options",
    async ({ lines, options }) => {
      // the first value of an option counts, and sshOptions has StrictHostKeyChecking=yes
      expect(await ours(lines, options)).toEqual(await theirs(lines, options));
    },
    60_000,
  );

  it("trust some and refuse some", async () => {
    expect(await theirs("AT KEY", [])).toMatchObject({ trusts: true });
    expect(await theirs("AT OTHER", [])).toMatchObject({ trusts: false });
  });
});
