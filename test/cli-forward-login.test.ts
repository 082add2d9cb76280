/** Logging in as people do, at a terminal: passwords, questions, passphrases, agents, jumps and first contacts. */
import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { describeUnless, NOT_ROOT, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { COMMAND } from "./run-cli.ts";
import type { Login } from "./sshd/logging-in.ts";
import { whyNoSshd } from "./sshd/loopback.ts";

const missing =
  NOT_ROOT ??
  whyNoFile("/usr/bin/unshare", "/usr/sbin/ip", "/usr/bin/script", "/usr/bin/ssh-agent") ??
  whyNoSshd();

const TSX = join(import.meta.dirname, "../node_modules/tsx/dist/loader.mjs");
const ECHOED = { echoed: "over there and back", exit: 0 };
const REFUSED = { echoed: null, exit: 1 };

describeUnless(missing, "a login", () => {
  const work = makeFolder();
  let seen: Readonly<Record<string, Login>>;
  beforeAll(() => {
    chmodSync(work, 0o755);
    const node = [process.execPath, "--import", TSX, join(import.meta.dirname, "sshd/logging-in.ts"), work];
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    const hosts = ["sh", join(import.meta.dirname, "sshd/login-hosts.sh"), work];
    const { stdout, stderr } = spawnSync(
      "unshare",
      [...namespaces, ...hosts, ...node, process.execPath, ...COMMAND, "forward"],
      { encoding: "utf8", env: { PATH: process.env["PATH"] ?? "" }, timeout: 240_000, killSignal: "SIGKILL" },
    );
    if (stdout === "") throw new Error(stderr);
    seen = JSON.parse(stdout);
  }, 300_000);

  const login = (name: string): Login => {
    const found = seen[name];
    if (found === undefined) throw new Error(`nobody tried ${name}`);
    return found;
  };
  const count = (text: string, part: string): number => text.split(part).length - 1;

  it.each([
    "accept-new",
    "a wrong password, then the right one",
    "a password, with what was mistyped taken back",
    "keyboard-interactive",
    "a wrong passphrase, then the right one",
    "a key, then a password",
    "an agent",
    "an agent, its key named by the public part",
    "two jumps, each with its own login",
  ])("succeeds, and never shows a secret: %s", (name) => {
    const { terminal, echoed, exit } = login(name);
    expect({ echoed, exit }, terminal).toEqual(ECHOED);
    expect(terminal).not.toMatch(/correct horse|tr0ub4dor|battery/);
  });

  it.each([
    ["three wrong passwords", /permission denied \(the server takes .*tried: password \(3 times\)/],
    ["only what is preferred", /the server takes publickey; there was nothing to try/],
    ["no passphrase", /permission denied \(the server takes publickey; there was nothing to try/],
    ["an agent, only the key named", /permission denied .*tried: agent/],
    ["a public key alone", /id\.pub is left out: it is a public key, with which only an agent can log in/],
  ])("fails, and says what was tried: %s", (name, message) => {
    const { terminal, echoed, exit } = login(name);
    expect({ echoed, exit }, terminal).toEqual(REFUSED);
    expect(terminal).toMatch(message);
  });

  it("asks at the first contact alone, and remembers the answer", () => {
    const question = "The host key of 127.0.0.4 is not known: ssh-ed25519 SHA256:";
    const refused = login("first contact, refused");
    expect(refused).toMatchObject({ ...REFUSED, knownHosts: "" });
    expect(refused.terminal).toContain(question);
    const accepted = login("first contact, accepted");
    expect(accepted).toMatchObject({
      ...ECHOED,
      knownHosts: expect.stringMatching(/^127\.0\.0\.4 ssh-ed25519 [^\n]*\n$/),
    });
    const second = login("second contact");
    expect(second).toMatchObject({ ...ECHOED, knownHosts: accepted.knownHosts });
    expect(second.terminal).not.toContain("not known");
  });

  it("asks nothing more after Ctrl-C, and ends as by a signal", () => {
    const { terminal, exit } = login("Ctrl-C at the first question");
    expect({ exit, asked: count(terminal, "'s password: ") }).toEqual({ exit: 128 + 2, asked: 1 });
  });

  it("with accept-new asks nothing, and still refuses a key that has changed", () => {
    expect(login("accept-new").terminal).not.toContain("not known");
    expect(count(login("accept-new").knownHosts, "127.0.0.2 ")).toBe(1);
    const changed = login("a changed key");
    expect(changed).toMatchObject(REFUSED);
    expect(changed.terminal).toMatch(/the host key of 127\.0\.0\.4 is not the known one/);
  });

  it("names the jumps, which cannot read what passes", () => {
    expect(login("two jumps, each with its own login").terminal).toMatch(
      /encrypted {2}this machine to 127\.0\.0\.4: SSH, through 127\.0\.0\.2 and 127\.0\.0\.3, which cannot read it/,
    );
  });
});
