/** How long a forward and a probe wait: what a machine that is busy or stopped says late is no answer to take for another. */
import { spawn } from "node:child_process";
import { PassThrough } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { readGreeting, whereItAnswers } from "../src/forward/greeting.ts";
import { openAt } from "../src/forward/observed.ts";
import { limitTime } from "../src/forward/time-limit.ts";

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

it("takes a listener that keeps silent somewhere for one that was not seen, not for one that is closed there", async () => {
  const dialled = ["127.0.0.1", "::1", "198.18.0.1"];
  const at = (heard: Readonly<Record<string, "greeting" | "no greeting" | "silence">>) =>
    whereItAnswers(dialled, async (address) => heard[address] ?? "no greeting");
  const silent = openAt(await at({ "127.0.0.1": "greeting", "::1": "silence" }), dialled, "it");
  expect(silent).toMatchObject({
    observed: null,
    why: "untried",
    detail: "it listens, and said nothing at ::1 in time",
  });
  const open = openAt(await at({ "198.18.0.1": "greeting", "127.0.0.1": "greeting" }), dialled, "it");
  expect(open).toMatchObject({ observed: "open", answeredAt: ["127.0.0.1", "198.18.0.1"], dialled });
});
