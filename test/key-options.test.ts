/** Whether sshd reads the options before a key: it lets nobody in by a key whose options it cannot read. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whyNoKeyOptions } from "../src/policy/login-key.ts";
import { type LoopbackSshd, startSshd, whyNoSshd } from "./sshd/loopback.ts";

/** Each with the reason that is given; null: sshd reads it. */
const OPTIONS: readonly (readonly [text: string, because: string | null])[] = [
  ["RESTRICT,Port-Forwarding,no-pty", null],
  ["no-restrict", 'sshd knows no key option "no-restrict"'],
  ["bogus", 'sshd knows no key option "bogus"'],
  ["no-pty,", null],
  ["no-ptyrestrict", 'a comma is missing before "restrict"'],
  ['permitopen="localhost:22"', null],
  ['permitopen="[::1]:22",permitopen="a:*"', null],
  ['permitopen="localhost', "the value of permitopen must stand in double quotes"],
  ['permitopen="localhost"', 'permitopen="localhost" is no host:port'],
  ['permitopen="localhost:ssh"', null],
  ['permitopen="localhost:0"', 'permitopen="localhost:0" is no host:port'],
  ['permitlisten="8080"', null],
  ['permitlisten=":8080"', null],
  ['permitopen="localhost:65536"', 'permitopen="localhost:65536" is no host:port'],
  ['environment="A=\\"b c\\"",no-pty', null],
];

test.each(OPTIONS)("%s: %s", (text, because) => {
  expect(whyNoKeyOptions(text)).toBe(because);
});

const missing = whyNoSshd();

describe.skipIf(missing !== null)(`a real sshd${missing === null ? "" : `: ${missing}`}`, () => {
  let sshd: LoopbackSshd;
  let key = "";
  beforeAll(async () => {
    sshd = await startSshd();
    key = readFileSync(`${sshd.identity}.pub`, "latin1");
  });
  afterAll(() => sshd.stop());

  test.each(OPTIONS)("%s", (text, because) => {
    writeFileSync(`${sshd.folder}/authorized_keys`, `${text} ${key}`.trimStart());
    const { status } = spawnSync("ssh", [...sshd.sshOptions, "-o", "BatchMode=yes", "127.0.0.1", "true"]);
    expect(status === 0).toBe(because === null);
  });
});
