/** A user's ssh_config(5) that ssh(1) refuses is refused at the same lines: the machine's ssh is the judge. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readClientConfig } from "../src/forward/client-config.ts";
import { openClientFiles } from "../src/forward/client-files.ts";
import { readClientLine } from "../src/forward/client-keywords.ts";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const folder = makeFolder();

/** Lines at which ssh stops, "file:line". */
function stoppedBySsh(file: string): readonly string[] {
  const { stderr } = spawnSync("ssh", ["-G", "-F", file, "work"], { encoding: "utf8" });
  return stderr.split("\n").flatMap((line) => {
    const match = /^(\S+?):? line (\d+): (?!Unsupported|Deprecated)/.exec(line);
    return match === null ? [] : [`${match[1]}:${match[2]}`];
  });
}

function stoppedByUs(file: string): readonly string[] {
  const files = openClientFiles(() => {});
  const caller = { home: folder, name: "me", uid: process.getuid?.() ?? 0 };
  try {
    readClientConfig({ path: file, chosen: "by default" }, { host: "work", given: [] }, { caller, files });
    return [];
  } catch (error) {
    return [...String(error).matchAll(/(\S+:\d+): /g)].map(([, place = ""]) => place);
  }
}

describeUnless(whyNoFile("/usr/bin/ssh"), "what ssh -G refuses", () => {
  test.each([
    "Foo bar\n",
    "# c\n\n\tFoo bar\nPort 22\n  # c\nBar x\n",
    "Port\n",
    "Foo=bar\nPort=22\nUser = me\n",
    "Host other\n  Foo 1\nHost work\n  Port\n  User me\n",
    "Host other\n  Match user x\n  Foo 1\n",
    "Match exec false\n  Foo 1\n",
    "Host\n",
    "Match\n",
    "IgnoreUnknown Foo,bar*\nFoo 1\nBARx 2\nBaz 3\n",
    "Foo 1\nIgnoreUnknown Foo\nFoo 2\n",
    "Host other\n  IgnoreUnknown Foo\nHost work\n  Foo 1\n",
    "Host work\n  IgnoreUnknown Foo\nHost other\n  Foo 1\n",
    "IgnoreUnknown Foo\nIgnoreUnknown Bar\nFoo 1\nBar 1\n",
    "IgnoreUnknown Foo\nFoo\n",
    "Include FOLDER/inner\nFoo 1\n",
    "Host other\n  Include FOLDER/inner\nPort 22\n",
    "RSAAuthentication yes\nProtocol 2\nUseRoaming no\nGSSAPIAuthentication no\n",
    'User "a b"\nPort 22 # c\nSendEnv A B\nLocalForward 1 b:2\n',
    "Foo\tx\r\nPort 22\r\n",
    "User 'me\nHost other\n  User m\\'e\n",
    "Host other\n  LocalForward '8080 a:1\n",
  ])("%j", (text) => {
    writeFileSync(join(folder, "inner"), "Port 22\nInner 1\n", { mode: 0o600 });
    const file = join(folder, "config");
    writeFileSync(file, text.replaceAll("FOLDER", folder), { mode: 0o600 });
    expect(stoppedByUs(file)).toEqual(stoppedBySsh(file));
  });

  test("every keyword that this ssh knows is known, and what it says of itself names no other", () => {
    const known = spawnSync("ssh", ["-G", "-F", "none", "work"], { encoding: "utf8" }).stdout;
    const keywords = known.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")[0] ?? ""]));
    expect(keywords.length).toBeGreaterThan(50);
    const isUnknown = (keyword: string): boolean =>
      readClientLine(`${keyword} x`, null)?.refused?.startsWith("Bad configuration option") === true;
    expect(keywords.filter(isUnknown)).toEqual([]);
    expect(isUnknown("Foo")).toBe(true);
  });
});

test("the message names file and line, and what ssh does", () => {
  const file = join(folder, "config");
  writeFileSync(file, "Host x\n  Foo 1\n", { mode: 0o600 });
  const files = openClientFiles(() => {});
  const caller = { home: folder, name: "me", uid: process.getuid?.() ?? 0 };
  expect(() =>
    readClientConfig({ path: file, chosen: "by default" }, { host: "work", given: [] }, { caller, files }),
  ).toThrow(`${file}:2: Bad configuration option: foo: ssh refuses such a file, too`);
});
