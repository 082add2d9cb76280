/** Whether sshd reads the options before a key: it lets nobody in by a key whose options it cannot read. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NEWEST } from "../grammar/release.ts";
import type { Connection } from "../src/policy/connection.ts";
import { keyOptionsOf } from "../src/policy/key-options.ts";
import { whyNoKeyOptions, whyNoLoginByKey } from "../src/policy/login-key.ts";
import { describeUnless } from "./needs.ts";
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
  ['permitopen="localhost/22"', null],
  ['permitopen="/tmp/x:22"', 'permitopen="/tmp/x:22" is no host:port'],
  ['permitlisten="localhost/9000:1"', 'permitlisten="localhost/9000:1" is no host:port'],
  ['permitopen="[::1]x:22"', 'permitopen="[::1]x:22" is no host:port'],
  ['permitopen="::1:22"', 'permitopen="::1:22" is no host:port'],
  ['permitopen="[a:22"', 'permitopen="[a:22" is no host:port'],
  ['permitopen="a]: +22",permitopen=":1",permitopen="[]:1"', null],
  ['permitopen="localhost:0"', 'permitopen="localhost:0" is no host:port'],
  ['command="a\\"', "the value of command must stand in double quotes"],
  ['permitlisten="8080"', null],
  ['permitlisten=":8080"', null],
  ['permitopen="localhost:65536"', 'permitopen="localhost:65536" is no host:port'],
  ['environment="A=\\"b c\\"",no-pty', null],
  ['environment="A b=c"', 'environment="A b=c" is no NAME=value'],
  [",,no-pty", null],
  ['from="127.0.0.1",from="127.0.0.1"', "from stands there twice"],
  ['command="true",Command="true"', "command stands there twice"],
  ['tunnel="any"', null],
  ['tunnel="+0000000007"', null],
  ['tunnel="2147483645"', null],
  ['tunnel="2147483646"', 'tunnel="2147483646" is no number of a tunnel'],
  ['tunnel="1:2"', 'tunnel="1:2" is no number of a tunnel'],
  ['expiry-time="29990101"', null],
  ['expiry-time="299901012359"', null],
  ['expiry-time="29990231Z"', null],
  ['expiry-time="2999010123"', 'expiry-time="2999010123" is no time as YYYYMMDD or YYYYMMDDHHMM[SS]'],
  ['expiry-time="29991301"', 'expiry-time="29991301" is no time as YYYYMMDD or YYYYMMDDHHMM[SS]'],
];

/** Options that sshd reads, each with why a login from 127.0.0.1 by a plain key comes to nothing; null: it does not. */
const LOGINS: readonly (readonly [text: string, because: string | null])[] = [
  ['from="127.0.0.1"', null],
  ['FROM="10.0.0.0/8,127.0.0.0/8"', null],
  ['from="127.*"', null],
  ['from="*,!127.0.0.1"', 'the key\'s from="*,!127.0.0.1" does not hold 127.0.0.1'],
  ['from="!10.0.0.1"', 'the key\'s from="!10.0.0.1" does not hold 127.0.0.1'],
  ['from="10.0.0.0/8"', 'the key\'s from="10.0.0.0/8" does not hold 127.0.0.1'],
  ['from="127.0.0.1/8"', 'the key\'s from="127.0.0.1/8" does not hold 127.0.0.1'],
  ['from="localhost"', 'the key\'s from="localhost" does not hold 127.0.0.1'],
  ['from=""', 'the key\'s from="" does not hold 127.0.0.1'],
  ['from="127.0.0.1,"', 'the key\'s from="127.0.0.1," does not hold 127.0.0.1'],
  ['expiry-time="20200101"', 'the key\'s expiry-time="20200101" is over'],
  ['expiry-time="29990101",expiry-time="20200101Z"', 'the key\'s expiry-time="20200101Z" is over'],
  ['expiry-time="19500101"', 'the key\'s expiry-time="19500101" is over'],
  ['principals="alice"', "the key's principals: it is no certificate"],
  ["cert-authority", "the key's cert-authority: certificates alone log in by it"],
];

const CLIENT: Connection = {
  ...{ user: "alice", groups: [], host: "127.0.0.1", addr: "127.0.0.1", laddr: "127.0.0.1", lport: 22 },
  ...{ rdomain: "", invalidUser: false },
};

test.each(LOGINS)("from 127.0.0.1 with %s: %s", (text, because) => {
  const read = keyOptionsOf(`${text} ssh-ed25519`);
  const use = { connection: CLIENT, release: NEWEST, now: Date.now() };
  expect("because" in read ? read : whyNoLoginByKey(read.options, use)).toBe(because);
});

/** Seen on Debian's 8.4, by a probe with that key; 9.2 and 10.0 let it in. */
test.each([
  [{ major: 8, minor: 4 }, 'the key\'s expiry-time="29990101Z": before 9.1 sshd reads no time with a zone'],
  [{ major: 9, minor: 2 }, null],
])("a time with a zone, by %o: %s", ({ major, minor }, because) => {
  const read = keyOptionsOf('expiry-time="29990101Z"');
  const use = { connection: CLIENT, release: { ...NEWEST, major, minor }, now: Date.now() };
  expect("because" in read ? read : whyNoLoginByKey(read.options, use)).toBe(because);
});

test.each(OPTIONS)("%s: %s", (text, because) => {
  expect(whyNoKeyOptions(text)).toBe(because);
});

const missing = whyNoSshd();

describeUnless(missing, "a real sshd", () => {
  let sshd: LoopbackSshd;
  let key = "";
  beforeAll(async () => {
    sshd = await startSshd();
    key = readFileSync(`${sshd.identity}.pub`, "latin1");
  });
  afterAll(() => sshd.stop());

  test.each([...OPTIONS, ...LOGINS])("%s", (text, because) => {
    writeFileSync(`${sshd.folder}/authorized_keys`, `${text} ${key}`.trimStart());
    const { status } = spawnSync("ssh", [...sshd.sshOptions, "-o", "BatchMode=yes", "127.0.0.1", "true"]);
    expect(status === 0).toBe(because === null);
  });
});
