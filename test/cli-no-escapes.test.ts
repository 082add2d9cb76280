/** No word of a call, name or text of a file reaches the terminal as what a terminal obeys. */
import { describe, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

const ESC = "\x1b[31m";
/** the bytes of CSI (C1) and of U+202E, as UTF-8 */
const ODD = `${ESC}\xc2\x9b2J\xe2\x80\xae`;
const WORD: string = Buffer.from(ODD, "latin1").toString("utf8");

const OBEYED = /[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]/;

const root = makeRoot({
  [`/c${WORD}`]: [
    `PermitOpen h${ODD}:80 *:9`,
    `PermitListen ${ESC}:80`,
    `Banner ${ODD}`,
    `# sshd-policy: allow x11-forwarding -- ${ODD}`,
    "X11Forwarding yes",
    "Match User a*",
    `  PermitOpen x${ESC}:80`,
    `Match Group g${ODD}`,
    "  AllowTcpForwarding yes",
    "",
  ].join("\n"),
  [`/bad${WORD}`]: `Port ${ODD}\nNo${ODD} yes\nMatch User "${ODD}\n`,
  [`/passwd${WORD}`]: `root:x:0:0::/root:/bin/sh\na${ESC}:x:5:5::/:/bin/sh\n`,
  "/closed": "DisableForwarding yes\n",
});
const FILE = `${root}/c${WORD}`;
const BAD = `${root}/bad${WORD}`;
const PEOPLE = ["--accounts", `${root}/passwd${WORD}`];
const ASKED = ["-C", `user=a${ESC},addr=192.0.2.7`];

describe.each([
  ["audit", ["pretty", "concise", "json", "sarif", "github", "junit", "markdown", "html"], [[], PEOPLE]],
  ["exposure", ["pretty", "concise", "json", "html", "svg"], [ASKED, [...PEOPLE, ...ASKED]]],
  ["effective", ["pretty", "concise", "json"], [[...ASKED, "--why"]]],
  ["check", ["pretty", "concise", "json"], [[]]],
] as const)("%s of hostile texts", (command, formats, given) => {
  test.each(formats)("%s", (format) => {
    for (const file of [FILE, BAD])
      for (const options of given) {
        const { stdout, stderr } = runCli([
          command,
          "--format",
          format,
          "--color",
          "never",
          ...options,
          file,
        ]);
        expect(stdout + stderr).not.toMatch(OBEYED);
        expect(stderr).not.toContain("No such file");
      }
  });
});

test.each(["pretty", "concise", "json"])("compare of hostile texts, %s", (format) => {
  const { stdout, stderr } = runCli(["compare", "--format", format, FILE, `${root}/closed`]);
  expect(stdout + stderr).not.toMatch(OBEYED);
  expect(stdout).toContain("tcp-local");
});

describe("what a call says wrongly is named without an escape", () => {
  test.each([
    [[`no${WORD}`]],
    [["help", `no${WORD}`]],
    [[`-${WORD}`]],
    [["audit", `--no${WORD}`]],
    [["audit", `--root\n::error::${WORD}`]],
    [["audit", "--format", WORD]],
    [["audit", "--jobs", WORD]],
    [["audit", "--rule", WORD]],
    [["audit", "--openssh", WORD]],
    [["audit", "--accounts", WORD]],
    [["audit", "--baseline", WORD]],
    [["audit", "--config", WORD]],
    [["audit", "--root", WORD]],
    [["audit", "--repo", WORD]],
    [["audit", "--image", WORD]],
    [["audit", "--output", `/nonexistent/${WORD}`, `${root}/closed`]],
    [["audit", "--events", `/nonexistent/${WORD}`, `${root}/closed`]],
    [["audit", WORD]],
    [["exposure", "--capability", WORD]],
    [["exposure", "-C", WORD, `${root}/closed`]],
    [["compare", "--git", WORD, `${root}/closed`]],
    [["rules", WORD]],
    [["forward", "-L", WORD, "host"]],
    [["forward", `-Q${WORD}`]],
  ])("%j", (words) => {
    const { code, stdout, stderr } = runCli(words);
    expect(stderr).not.toMatch(OBEYED);
    expect(stderr).toMatch(/^sshd-policy: [^\n]*\\x1b\[31m\\x9b2J\\u\{202e\}[^\n]*\n$/);
    expect([code, stdout]).toEqual([2, ""]);
  });
});
