/** Files made to be slow: random bytes, one long line, patterns with thousands of wildcards; twice the size, at most about twice the time. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_FLOOR, sshdPolicy } from "./commands.ts";
import type { Bench } from "./main.ts";
import { comparePair } from "./measure.ts";
import type { Row } from "./table.ts";
import { makeNumbers } from "./texts.ts";

const MEGABYTE = 1_000_000;

function randomBytes(bytes: number): Buffer {
  const below = makeNumbers(7);
  return Buffer.from(Array.from({ length: bytes }, () => below(256)));
}

/** `*a*a*a…b` against `aaaa…`: the classic that makes a backtracking matcher exponential. */
function starredPattern(stars: number): string {
  return `Match User ${"*a".repeat(stars)}b\n\tAllowTcpForwarding no\n`;
}

function manyNames(names: number): string {
  const list = Array.from({ length: names }, (_, number) => `user${number}`).join(",");
  return `Match User ${list}\n\tAllowTcpForwarding no\n`;
}

function suppressed(comments: number): string {
  return `${"# sshd-policy: allow tcp-forwarding -- a jump host\n".repeat(comments)}AllowTcpForwarding yes\n`;
}

export const hostile: Bench = ({ work, runs, scale }) => {
  const times = Math.ceil(runs / 3);
  const file = join(work, "hostile");
  const measured = (what: string, bytes: string | Buffer, args: readonly string[]): Row => {
    writeFileSync(file, bytes);
    const pair = comparePair({ ...sshdPolicy(...args, file), exits: [0, 1, 3] }, NODE_FLOOR, times);
    return {
      what,
      peer: "node -e 0",
      ours: pair.ours,
      theirs: pair.peer,
      unit: "ms",
      target: { oursAtMost: 1000 },
    };
  };
  const size = Math.round(MEGABYTE * scale);
  const check = ["check", "--openssh", "9.2"];
  const asked = (user: string): readonly string[] => [
    "effective",
    "--openssh",
    "9.2",
    "-C",
    `user=${user},host=h,addr=198.51.100.7,laddr=192.0.2.1,lport=22`,
  ];
  // a list item of 1,023 bytes or more never matches (match.c), so a longer pattern costs nothing in sshd either
  const users = "a".repeat(20_000);
  return [
    measured("check of 1 MB of random bytes", randomBytes(size), check),
    measured("check of a line of 1 MB", `AllowUsers ${"x".repeat(size)}\n`, check),
    measured("check of a line of 500,000 words", `AllowUsers ${"x ".repeat(size / 2)}\n`, check),
    measured("check of 1 MB of quotes", `${'"'.repeat(size)}\n`, check),
    measured("one user against a pattern of 500 wildcards", starredPattern(500), asked(users)),
    measured(
      "against 1,000 such patterns",
      Array.from({ length: Math.ceil(1000 * scale) }, () => starredPattern(500)).join(""),
      asked("a".repeat(2_000)),
    ),
    measured("audit with a pattern of 10,000 wildcards", starredPattern(10_000), [
      "audit",
      "--openssh",
      "9.2",
    ]),
    measured("who can forward, a Match line of 100,000 names", manyNames(Math.ceil(100_000 * scale)), [
      "exposure",
      "--openssh",
      "9.2",
    ]),
    measured("audit of 20,000 suppressions above one line", suppressed(Math.ceil(20_000 * scale)), [
      "audit",
      "--openssh",
      "9.2",
    ]),
  ];
};
