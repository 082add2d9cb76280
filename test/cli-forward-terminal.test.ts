/** Whatever ends a question at a terminal, the terminal is as it was, and a secret is nowhere. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ssh2, { type Connection } from "ssh2";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { COMMAND } from "./run-cli.ts";
import { listenOn } from "./sshd/loopback.ts";

const HOST_KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
  type: "pkcs1",
  format: "pem",
});
const SCRIPT = "/usr/bin/script";
const PATIENCE_MS = 30_000;

interface Seen {
  /** all that stood on the terminal, up to the program's end */
  readonly terminal: string;
  readonly exit: number;
  /** ECHO, ICANON and ISIG of termios(3) afterwards */
  readonly modes: readonly string[];
}

describeUnless(whyNoFile(SCRIPT), `a question at a terminal (${SCRIPT})`, () => {
  const folder = makeFolder();
  let port: number;
  const connections: Connection[] = [];
  /** a server that takes passwords, and lets nobody in */
  const server = new ssh2.Server({ hostKeys: [HOST_KEY] }, (connection) => {
    connections.push(connection.on("error", () => {}));
    connection.on("authentication", (attempt) => attempt.reject(["password"]));
  });
  beforeAll(async () => {
    port = await listenOn(server as never, 0);
  });
  afterAll(() => {
    server.close();
  });

  /** `whenAsked` is called at each question, and once the person has typed a part of the answer. */
  async function seen(whenAsked: (at: { pid: number; type: (keys: string) => void }) => void): Promise<Seen> {
    const pid = join(folder, "pid");
    const options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=none"];
    const argv = [
      process.execPath,
      ...COMMAND,
      "forward",
      ...options,
      "-p",
      port,
      "-D",
      0,
      "alice@127.0.0.1",
    ];
    // what ends all that runs on this terminal must leave the one who tells of it
    const shell = `trap : HUP INT QUIT TERM; sh -c 'echo $$ >${pid}; exec ${argv.join(" ")}'; echo "ended $?"; stty -a`;
    const child = spawn("script", ["-qec", shell, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", TERM: "dumb", SHELL: "/bin/sh" },
    });
    let [terminal, unread] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      terminal += chunk.toString("utf8");
      unread += chunk.toString("utf8");
      if (!unread.endsWith("'s password: ")) return;
      unread = "";
      child.stdin.write("battery");
      setTimeout(() => {
        whenAsked({
          pid: Number(readFileSync(pid, "utf8")),
          type: (keys) => child.stdin.write(keys),
        });
      }, 100);
    });
    const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    await new Promise((resolve) => child.on("close", resolve));
    clearTimeout(late);
    const [, before = "", exit = "", after = ""] = /^([\s\S]*)ended (\d+)\r\n([\s\S]*)$/.exec(terminal) ?? [];
    return { terminal: before, exit: Number(exit), modes: after.match(/-?\b(?:echo|icanon|isig)\b/g) ?? [] };
  }

  const AS_BEFORE = ["isig", "icanon", "echo"];

  it.each([
    ["SIGHUP", 128 + 1],
    ["SIGINT", 128 + 2],
    ["SIGQUIT", 128 + 3],
    ["SIGTERM", 128 + 15],
  ] as const)("ends with %s", async (signal, exit) => {
    const { terminal, ...rest } = await seen(({ pid }) => process.kill(pid, signal));
    expect(rest, terminal).toEqual({ exit, modes: AS_BEFORE });
    expect(terminal).not.toContain("battery");
  });

  it.each([
    ["Ctrl-C", "\u0003", 128 + 2],
    ["Ctrl-\\", "\u001c", 128 + 3],
  ] as const)("ends with %s", async (_, key, exit) => {
    const { terminal, ...rest } = await seen(({ type }) => type(key));
    expect(rest, terminal).toEqual({ exit, modes: AS_BEFORE });
  });

  it("is asked again after Ctrl-Z, from the beginning", async () => {
    let asked = 0;
    const { terminal, exit } = await seen(({ type }) => type(++asked === 1 ? "\u001a" : "\r"));
    expect({ asked, exit }, terminal).toEqual({ asked: 4, exit: 1 });
    expect(terminal).toContain("tried: password (3 times)");
    expect(terminal).not.toContain("battery");
  });

  it("ends with the connection, and no other is asked", async () => {
    const { terminal, ...rest } = await seen(() => connections.at(-1)?.end());
    expect(rest, terminal).toEqual({ exit: 1, modes: AS_BEFORE });
    expect(terminal.match(/'s password: /g)).toHaveLength(1);
    expect(terminal).toMatch(
      /password: \r\nsshd-policy: .*the server closed the connection during the login/,
    );
  });
});
