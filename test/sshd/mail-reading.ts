/**
 * Runs inside mail-hosts.sh: a POP3 server on mail.example.com:110, a forwarder (the command in argv) that listens on
 * 1100, and a mail program that reads one message through it. Prints what both said, as JSON.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline/promises";

export interface MailReading {
  /** lines of the server, as the mail program heard them */
  readonly heard: readonly string[];
  /** standard output and error of the forwarder */
  readonly output: string;
  readonly exit: number | null;
}

const MESSAGE = ["Subject: hello", "", "Meet me at the lighthouse.", "."];

/** RFC 1939, as far as reading one message goes. */
async function speakPop3(socket: Socket): Promise<void> {
  const say = (...lines: readonly string[]): void => {
    socket.write(lines.map((line) => `${line}\r\n`).join(""));
  };
  say("+OK POP3 at your service");
  for await (const line of createInterface({ input: socket })) {
    const [command] = line.split(" ");
    if (command === "RETR") say("+OK", ...MESSAGE);
    else if (command === "STAT") say("+OK 1 48");
    else say("+OK");
    if (command === "QUIT") break;
  }
  socket.end();
}

async function readMail(): Promise<string[]> {
  const socket = connect({ host: "127.0.0.1", port: 1100 });
  const heard: string[] = [];
  const commands = ["USER alice", "PASS in the clear", "STAT", "RETR 1", "QUIT"];
  let wanted = 1;
  for await (const line of createInterface({ input: socket })) {
    heard.push(line);
    // an answer of several lines ends with a dot
    if (--wanted > 0) continue;
    const command = commands.shift();
    if (command === undefined) break;
    wanted = command.startsWith("RETR") ? 1 + MESSAGE.length : 1;
    socket.write(`${command}\r\n`);
  }
  socket.end();
  return heard;
}

const pop3 = createServer((socket) => {
  speakPop3(socket).catch(() => {});
});
pop3.listen(110, "127.0.0.2");
await once(pop3, "listening");

const [program = "", ...args] = process.argv.slice(2);
const forwarder = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
let output = "";
await new Promise<void>((ready) => {
  const hear = (chunk: Buffer): void => {
    output += chunk.toString("latin1");
    if (output.includes("listens on") || forwarder.exitCode !== null) ready();
  };
  forwarder.stdout.on("data", hear);
  forwarder.stderr.on("data", hear);
  forwarder.once("exit", () => ready());
});
const heard = await readMail().catch((error: unknown) => [String(error)]);
forwarder.kill("SIGINT");
const [exit] = forwarder.exitCode === null ? await once(forwarder, "exit") : [forwarder.exitCode];
pop3.close();
const reading: MailReading = { heard, output, exit };
process.stdout.write(JSON.stringify(reading));
