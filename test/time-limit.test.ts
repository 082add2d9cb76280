/** How long a forward and a probe wait: what a machine that is busy or stopped says late is no answer to take for another. */
import { spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { type Heard, readGreeting, whereItAnswers } from "../src/forward/greeting.ts";
import { openAt } from "../src/forward/observed.ts";
import { limitTime } from "../src/forward/time-limit.ts";
import type { Attempt } from "../src/policy/attempt.ts";
import type { Connection } from "../src/policy/connection.ts";
import { differs, type Observation } from "../src/policy/probed.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("does not count the time in which the process was stopped: what came meanwhile is heard first", async () => {
  // it speaks while this process cannot hear it
  const script = `kill -STOP ${process.pid}; sleep 1.2; echo hello; kill -CONT ${process.pid}`;
  const other = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const first = await new Promise<string>((resolve) => {
    const stop = limitTime(500, () => resolve("the end of the time"));
    other.stdout.once("data", (bytes: Buffer) => {
      stop();
      resolve(bytes.toString());
    });
  });
  expect(first).toBe("hello\n");
});

it("ends in its time, once", async () => {
  vi.useFakeTimers();
  const over = vi.fn();
  limitTime(1_000, over);
  limitTime(500, over)();
  await vi.advanceTimersByTimeAsync(950);
  expect(over).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(over).toHaveBeenCalledTimes(1);
});

it("takes longer times than a timer of Node.js: ConnectTimeout 1000d", async () => {
  vi.useFakeTimers();
  const over = vi.fn();
  const days = 24 * 3_600_000;
  limitTime(1_000 * days, over);
  await vi.advanceTimersByTimeAsync(999 * days);
  expect(over).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(25 * days);
  expect(over).toHaveBeenCalledTimes(1);
});

it("does not end at once when it was stopped in the last moment", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const over = vi.fn();
  limitTime(1_000, over);
  for (const passed of [...Array<number>(9).fill(100), 60_000]) {
    now += passed;
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(over).not.toHaveBeenCalled();
  now += 100;
  await vi.advanceTimersByTimeAsync(100);
  expect(over).toHaveBeenCalledTimes(1);
  vi.restoreAllMocks();
});

const GREETING = "sshd-policy 1\n";

async function hear(say: (stream: PassThrough) => void): Promise<string> {
  vi.useFakeTimers();
  const stream = new PassThrough();
  const heard = readGreeting(stream, GREETING);
  say(stream);
  await vi.advanceTimersByTimeAsync(60_000);
  vi.useRealTimers();
  return await heard;
}

it.each([
  ["the greeting", (stream: PassThrough) => stream.write(GREETING), "greeting"],
  ["another line", (stream: PassThrough) => stream.write("SSH-2.0-x\r\n"), "no greeting"],
  ["its end", (stream: PassThrough) => stream.end(), "no greeting"],
  ["half a line, for ever", (stream: PassThrough) => stream.write("ssh"), "silence"],
  ["nothing, for ever", () => {}, "silence"],
])("tells silence from an answer: %s", async (_, say, heard) => {
  expect(await hear(say)).toBe(heard);
});

const DIALLED = ["127.0.0.1", "::1", "198.18.0.1"];

async function listening(heard: Readonly<Record<string, Heard>>): Promise<Observation> {
  return openAt(
    await whereItAnswers(DIALLED, async (address) => heard[address] ?? "no greeting"),
    DIALLED,
    "it",
  );
}

it("tells where a listener answered", async () => {
  const open = await listening({ "198.18.0.1": "greeting", "127.0.0.1": "greeting" });
  expect(open).toMatchObject({
    observed: "open",
    answeredAt: ["127.0.0.1", "198.18.0.1"],
    dialled: DIALLED,
    detail: "it answered at 127.0.0.1, 198.18.0.1",
  });
});

const there = { id: "listen-tcp", predicted: "open", listensAt: DIALLED.slice(0, 2) } as unknown as Attempt;

it.each<[string, Readonly<Record<string, Heard>>, Partial<Attempt>, boolean]>([
  ["silence at one of its own is none", { "127.0.0.1": "greeting", "::1": "silence" }, {}, false],
  [
    "silence elsewhere is none",
    { "127.0.0.1": "greeting", "::1": "greeting", "198.18.0.1": "silence" },
    {},
    false,
  ],
  ["an end is one", { "127.0.0.1": "greeting" }, {}, true],
  ["an answer too many is one beside silence", { "198.18.0.1": "greeting", "::1": "silence" }, {}, true],
  ["that it listens at all is one where it must not", { "::1": "silence" }, { predicted: "refused" }, true],
])("takes silence for no difference, and hides none behind it: %s", async (_, heard, attempt, isOne) => {
  const observation = await listening(heard);
  const connection = {} as Connection;
  expect(differs({ connection, attempt: { ...there, ...attempt }, observation })).toBe(isOne);
});

it("says where it heard nothing", async () => {
  expect(await listening({ "::1": "silence" })).toMatchObject({
    detail: "it answered at no address, and said nothing at ::1 in time",
  });
});
