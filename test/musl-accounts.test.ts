/**
 * Accounts of passwd and group files as musl reads them. Its answers are recorded in test/musl/answers.json; where
 * musl-gcc is there, it is asked again (Debian's musl-tools; UPDATE_MUSL=1 records).
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { accountsOf, furtherAccountSources, readMusl } from "../src/files/accounts.ts";
import { folderTree } from "../src/files/folder.ts";
import { makeRoot } from "./auditing.ts";
import { makeFolder } from "./own-folder.ts";

const ANSWERS = join(import.meta.dirname, "musl/answers.json");

const PASSWD = [
  "u-plain:x:5001:5001::/home/a:/bin/sh",
  " u-blank:x:5002:5002::/home/a:/bin/sh",
  "u-four:x:5004:5004",
  "u-six:x:5006:5006::/home/a",
  "u-eight:x:5007:5007::/home/a:/bin/sh:more",
  "u-plus:x:+5008:5008::/home/a:/bin/sh",
  "u-blank-id:x:5009: 5009::/home/a:/bin/sh",
  "u-word:x:12a:5009::/home/a:/bin/sh",
  "u-none:x:::::",
  "u-big:x:4294967297:5011::/home/a:/bin/sh",
  "#u-note:x:5013:5013::/home/a:/bin/sh",
  "+u-nis:x:5014:5014::/home/a:/bin/sh",
  "u-twice:x:5015:5015::/home/a:/bin/sh",
  "u-twice:x:5016:5001::/home/a:/bin/sh",
  "",
  "u-crlf:x:5022:5022::/home/a:/bin/sh\r",
  ":odd:x:5023:5023::/:/bin/sh",
  "u-\xe9:x:5024:5024::/home/a:/bin/sh",
  "u-last:x:5025:5025::/home/a:/bin/shell",
];
const GROUP = [
  "g-plain:x:5001:",
  "g-four:x:5004:u-blank, u-four",
  "g-after:x:6001:u-plain ,u-blank,u-six",
  " g-blank:x:6002:u-plain",
  "g-three:x:5006",
  "g-first:x:6003:u-plain",
  "g-second:x:6003:u-eight",
  "g-plus:x:+6004:u-plain",
  "g-word:x:6x:u-plain",
  "g-none:x::u-plain",
  "g-empty:x:6005:u-plain,,u-eight",
  "g-comma:x:6016:,u-six",
  "g-commas:x:6017:u-six,,,u-eight,",
  "#g-note:x:6006:u-plain",
  "g-colon:x:6007:u-plain:u-eight",
  "+g-nis:x:6014:u-plain",
  "g-crlf:x:6012:u-crlf\r",
  "g-\xe9:x:6011:u-\xe9",
  "g-last:x:6020:u-plain,u-last",
];
const USERS = [
  ...new Set(
    PASSWD.flatMap((line) => [line.split(":")[0] ?? "", (line.split(":")[0] ?? "").replace(/^[ #+]/, "")]),
  ),
  ",u-eight",
  "u-las",
].filter((name) => name !== "");

/** With and without a line feed at the end. */
const TEXTS = ["\n", ""].map((end) => ({ passwd: PASSWD.join("\n") + end, group: GROUP.join("\n") + end }));

/** What musl's functions say of each user, in a root of its own; null where it cannot be asked. */
function askMusl({ passwd, group }: { readonly passwd: string; readonly group: string }): string[] | null {
  const root = makeFolder();
  const program = join(root, "accounts");
  const made = spawnSync("musl-gcc", [
    "-static",
    "-o",
    program,
    join(import.meta.dirname, "musl/accounts.c"),
  ]);
  if (made.status !== 0 || process.getuid?.() !== 0) return null;
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd"), passwd, "latin1");
  writeFileSync(join(root, "etc/group"), group, "latin1");
  chmodSync(program, 0o755);
  const list = USERS.map((name) => `'${name}'`).join(" ");
  writeFileSync(join(root, "ask"), `exec chroot '${root}' /accounts ${list}\n`, "latin1");
  const { stdout } = spawnSync("sh", [join(root, "ask")], { encoding: "latin1" });
  return stdout.split("\n").slice(0, -1);
}

/** The same in the same words, from our reading. */
function ours({ passwd, group }: { readonly passwd: string; readonly group: string }): string[] {
  const accounts = new Map(readMusl(passwd, group).map((account) => [account.name, account]));
  return USERS.map((user) => {
    const account = accounts.get(user);
    if (account === undefined) return "-";
    const { name, uid, gid, home, shell, groups } = account;
    return [name, uid, gid, home, shell, ...groups].join("\x1f");
  });
}

/** sshd takes /bin/sh for an empty shell, and asks for each group once. */
function asSshd(line: string): string {
  const [name = "", uid, gid, home, shell, ...groups] = line.split("\x1f");
  return name === "-" ? name : [name, uid, gid, home, shell || "/bin/sh", ...new Set(groups)].join("\x1f");
}

describe("accounts as musl reads them", () => {
  const asked = TEXTS.map(askMusl);
  if (process.env["UPDATE_MUSL"] === "1") writeFileSync(ANSWERS, `${JSON.stringify(asked, null, 2)}\n`);
  const recorded: readonly string[][] = JSON.parse(readFileSync(ANSWERS, "utf8"));

  test.each(
    TEXTS.map(
      (texts, index) => [index === 0 ? "whole lines" : "no line feed at the end", texts, index] as const,
    ),
  )("%s", (_, texts, index) => {
    const answers = recorded[index] ?? [];
    expect(asked[index] ?? answers).toEqual(answers);
    expect(answers.filter((line) => line !== "-").length).toBeGreaterThan(10);
    expect(ours(texts)).toEqual(answers.map(asSshd));
  });
});

describe("a tree with musl", () => {
  const files = {
    "/etc/passwd": "git:x:1000:1000::/:/bin/sh\n#off:x:1001:1000::/:/bin/sh\n",
    "/etc/group": "git:x:1000:\nwheel:x:10:root, git\n",
    "/etc/nsswitch.conf": "passwd: files sss\n",
  };
  const names = (more: Readonly<Record<string, string>>) => {
    const tree = folderTree(makeRoot({ ...files, ...more }));
    return {
      accounts: accountsOf(tree)?.map(({ name, groups }) => [name, ...groups]),
      sources: furtherAccountSources(tree),
    };
  };

  test.each([
    ["Alpine", { "/lib/ld-musl-x86_64.so.1": "" }, true],
    ["a merged /usr", { "/usr/lib/ld-musl-aarch64.so.1": "" }, true],
    ["musl beside glibc", { "/lib/ld-musl-x86_64.so.1": "", "/etc/ld.so.conf": "" }, false],
    ["glibc", { "/etc/ld.so.conf": "" }, false],
  ])("%s", (_, more, isMusl) => {
    expect(names(more)).toEqual(
      isMusl
        ? {
            accounts: [
              ["git", "git"],
              ["#off", "git"],
            ],
            sources: [],
          }
        : { accounts: [["git", "git", "wheel"]], sources: ["sss"] },
    );
  });
});
