/**
 * Runs inside login-hosts.sh: a forwarder (the command after WORK in argv) that a person at a terminal starts again and
 * again, with each way to log in. Prints what was seen of each, as JSON.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ask } from "./forwarders.ts";
import { freePort, listenOn } from "./loopback.ts";

export interface Login {
  /** all that stood on the terminal */
  readonly terminal: string;
  /** what came back through the forward; null: it never listened */
  readonly echoed: string | null;
  readonly exit: number | null;
  /** known_hosts afterwards */
  readonly knownHosts: string;
}

/** A prompt's end on the terminal, and what the person types then. */
type Dialogue = readonly (readonly [prompt: RegExp, answer: string])[];

interface Attempt {
  readonly args: readonly string[];
  readonly dialogue?: Dialogue;
  readonly agent?: string;
}

const [work = "", ...command] = process.argv.slice(2);
const KNOWN_HOSTS = join(work, "home/.ssh/known_hosts");
const PATIENCE_MS = 30_000;
const CTRL_C = "\u0003";

const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket).on("error", () => {}));
const target = await listenOn(echo, 0);

/** script(1) gives it a terminal of its own. */
async function logIn({ args, dialogue = [], agent }: Attempt): Promise<Login> {
  const port = await freePort();
  const argv = [...command, "-F", "none", "-l", "alice", "-L", `${port}:127.0.0.1:${target}`, ...args];
  const quoted = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const child = spawn("script", ["-qec", `exec ${quoted}`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] ?? "", TERM: "dumb", ...(agent ? { SSH_AUTH_SOCK: agent } : {}) },
  });
  const left = [...dialogue];
  let [terminal, unread] = ["", ""];
  let echoed: string | null = null;
  let asked = false;
  child.stdout.on("data", (chunk: Buffer) => {
    terminal += chunk.toString("utf8");
    unread += chunk.toString("utf8");
    const next = left[0];
    if (next?.[0].test(unread) === true) {
      left.shift();
      unread = "";
      child.stdin.write(`${next[1]}\r`);
    }
    if (asked || !/ listens on [^\n]*\n/.test(terminal)) return;
    asked = true;
    ask({ port }, "over there and back").then((answer) => {
      echoed = answer;
      child.stdin.write(CTRL_C);
    });
  });
  const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const exit = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(late);
  const knownHosts = existsSync(KNOWN_HOSTS) ? readFileSync(KNOWN_HOSTS, "utf8") : "";
  return { terminal, echoed, exit, knownHosts };
}

function startAgent(...keys: readonly string[]): string {
  const socket = join(work, `agent-${keys.join("-")}`);
  execFileSync("ssh-agent", ["-a", socket], { stdio: "ignore" });
  execFileSync("ssh-add", ["-q", ...keys.map((key) => join(work, key))], {
    env: { ...process.env, SSH_AUTH_SOCK: socket },
    stdio: "ignore",
  });
  return socket;
}

const NEW = ["-o", "StrictHostKeyChecking=accept-new"];
const ONLY_KEY = ["-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no"];
const agent = startAgent("other", "id");
const [password, questions, keys, both] = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"];
const PASSWORD = /'s password: $/;
const PASSPHRASE = /Passphrase for key .*: $/;

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  "first contact, refused": {
    args: [keys, "-i", `${work}/id`],
    dialogue: [[/fingerprint\)\? $/, "no"]],
  },
  "first contact, accepted": {
    args: [keys, "-i", `${work}/id`],
    dialogue: [[/fingerprint\)\? $/, "yes"]],
  },
  "second contact": { args: [keys, "-i", `${work}/id`] },
  "accept-new": {
    args: [...NEW, password],
    dialogue: [[PASSWORD, "correct horse"]],
  },
  "a wrong password, then the right one": {
    args: [...NEW, password],
    dialogue: [
      [PASSWORD, "tr0ub4dor"],
      [PASSWORD, "correct horse"],
    ],
  },
  "a password, with what was mistyped taken back": {
    args: [...NEW, password],
    dialogue: [[PASSWORD, "battery\u0015correct hé\u007forse"]],
  },
  "three wrong passwords": {
    args: [...NEW, password],
    dialogue: [
      [PASSWORD, "a"],
      [PASSWORD, "b"],
      [PASSWORD, "c"],
    ],
  },
  "Ctrl-C at the first question": { args: [...NEW, password], dialogue: [[PASSWORD, CTRL_C]] },
  "only what is preferred": {
    args: [...NEW, "-i", `${work}/id`, "-o", "PreferredAuthentications=keyboard-interactive,password", keys],
  },
  "keyboard-interactive": {
    args: [...NEW, questions],
    dialogue: [[/\(alice@127\.0\.0\.3\) Password: $/, "correct horse"]],
  },
  "a wrong passphrase, then the right one": {
    args: ["-i", `${work}/locked`, keys],
    dialogue: [
      [PASSPHRASE, "staple battery"],
      [PASSPHRASE, "battery staple"],
    ],
  },
  "no passphrase": { args: ["-i", `${work}/locked`, ...ONLY_KEY, keys], dialogue: [[PASSPHRASE, ""]] },
  "a key, then a password": {
    args: [...NEW, "-i", `${work}/id`, both],
    dialogue: [[PASSWORD, "correct horse"]],
  },
  "an agent": { args: [keys], agent },
  "an agent, only the key named": {
    args: ["-i", `${work}/other`, "-o", "IdentitiesOnly=yes", ...ONLY_KEY, keys],
    agent,
  },
  "an agent, its key named by the public part": {
    args: ["-i", `${work}/id.pub`, "-o", "IdentitiesOnly=yes", ...ONLY_KEY, keys],
    agent,
  },
  "a public key alone": { args: ["-i", `${work}/id.pub`, ...ONLY_KEY, keys] },
  "two jumps, each with its own login": {
    args: [...NEW, "-i", `${work}/id`, "-J", `alice@${password},alice@${questions}`, keys],
    dialogue: [
      [PASSWORD, "correct horse"],
      [/\) Password: $/, "correct horse"],
    ],
  },
};

const seen: Record<string, Login> = {};
for (const [name, attempt] of Object.entries(ATTEMPTS)) seen[name] = await logIn(attempt);
// another key on an address that is known
const other = readFileSync(join(work, "host-both.pub"), "utf8");
execFileSync("sed", ["-i", `s,^${keys} .*,${keys} ${other.trim()},`, KNOWN_HOSTS]);
seen["a changed key"] = await logIn({ args: [...NEW, keys], agent });
echo.close();
process.stdout.write(JSON.stringify(seen), () => process.exit(0));
