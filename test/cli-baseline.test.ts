/** `--write-baseline` and `--baseline`: what is held back, and what is not. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { runCli } from "./run-cli.ts";

describe("a baseline", () => {
  let root = "";
  const write = (name: string, text: string): void => writeFileSync(join(root, name), text, "latin1");
  /** The findings of a run, "LINE RULE" each, and its exit code. */
  const audit = (...words: readonly string[]): { code: number | null; open: string[]; held: string[] } => {
    const args = ["audit", "--openssh", "10.4", "--format", "json", ...words];
    const { code, stdout, stderr } = runCli(args, { cwd: root });
    expect(stderr).toBe("");
    const found: Found[] = JSON.parse(stdout).targets.flatMap(({ findings }: Target) => findings);
    const of = (held: boolean): string[] =>
      found
        .filter(({ suppressed }) => (suppressed !== null) === held)
        .map(({ file, start, rule }) => `${file}:${start.line} ${rule}`);
    return { code, open: of(false), held: of(true) };
  };

  beforeEach(() => {
    root = makeRoot({ "/sshd_config": "DisableForwarding no\nX11Forwarding yes\nAllowTcpForwarding no\n" });
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0, open: [] });
  });

  test("lines that have moved, other blanks and no newline at the end are known", () => {
    write("sshd_config", "# new\n\nAllowTcpForwarding no\nDisableForwarding no\n  X11Forwarding   yes");
    expect(audit("sshd_config", "--baseline", "known.json")).toEqual({
      code: 0,
      open: [],
      held: ["sshd_config:5 x11-forwarding", "sshd_config:5 agent-forwarding"],
    });
  });

  test("what a comment accepts is not held back as well: without the comment it is new", () => {
    const text = "DisableForwarding no\nX11Forwarding yes";
    write("sshd_config", `${text} # sshd-policy: allow x11-forwarding -- lab\n`);
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0 });
    write("sshd_config", `${text}\n`);
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual(["sshd_config:2 x11-forwarding"]);
  });

  test("a line with another content is new", () => {
    write("sshd_config", "X11Forwarding YES # again\nAllowTcpForwarding no\n");
    const { code, open } = audit("sshd_config", "--baseline", "known.json");
    expect({ code, open }).toEqual({ code: 1, open: ["sshd_config:1 x11-forwarding"] });
  });

  test("the same line for more people is new", () => {
    write("sshd_config", "AllowTcpForwarding no\nMatch User bob\n  AllowTcpForwarding yes\n");
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0 });
    write("sshd_config", "AllowTcpForwarding no\nMatch User *\n  AllowTcpForwarding yes\n");
    expect(audit("sshd_config", "--baseline", "known.json").open).toContain(
      "sshd_config:3 reopened-by-match",
    );
  });

  test("a line with fewer exceptions is new, one with more is known", () => {
    const contractors = "Match Group contractors\n  AllowTcpForwarding no\n";
    write("sshd_config", contractors);
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0 });
    write("sshd_config", `Match User bob\n  AllowTcpForwarding no\n${contractors}`);
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual([]);
    write("sshd_config", "Match Group nobody\n");
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual(["sshd_config:1 tcp-forwarding"]);
  });

  test("what a second main file includes, too, is known in the first one, and the other way round", () => {
    write("shared", "PermitTunnel yes\n");
    write("one", "Match User bob\n  PermitTunnel no\nMatch all\nInclude shared\n");
    write("two", "Include shared\n");
    const only = ["--rule", "tunnel-device"];
    const names = ({ stdout }: { readonly stdout: string }): readonly string[] =>
      JSON.parse(stdout).runs[0].results.map(
        (result: { readonly partialFingerprints: object }) => Object.values(result.partialFingerprints)[0],
      );
    const sarif = (...files: readonly string[]): readonly string[] =>
      names(runCli(["audit", ...files, ...only, "--format", "sarif"], { cwd: root }));
    expect(sarif("one", "two")).toEqual([...sarif("one"), ...sarif("two")]);
    const both = [
      ["one", "two"],
      ["two", "one"],
    ];
    for (const written of both) {
      expect(audit(...written, ...only, "--write-baseline", "known.json").open).toEqual([]);
      for (const files of [...both, ["one"], ["two"]])
        expect(audit(...files, ...only, "--baseline", "known.json").open).toEqual([]);
    }
  });

  const closed = (...names: readonly string[]): string =>
    names.map((name) => `Match User ${name}\n  AllowTcpForwarding no\n`).join("");
  const nine = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"];

  test("an exception that the message no longer names counts, too", () => {
    write("sshd_config", closed(...nine));
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0 });
    write("sshd_config", closed(...nine, "u10"));
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual([]);
    write("sshd_config", closed(...nine.filter((name) => name !== "u8")));
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual(["sshd_config:1 tcp-forwarding"]);
  });

  test.each([
    ["a name", (last: string) => `Match User a,b,c,d,e,f,g,${last}\n  AllowTcpForwarding yes\n`],
    [
      "a block",
      (last: string) => [..."abcd", last].map((name) => `Match User ${name}\n`).join("Include more\n"),
    ],
    [
      "a destination",
      (last: string) =>
        `Match User a\n  PermitOpen b:1 c:1 d:1 e:1 f:1 ${last}:1\n  AllowTcpForwarding yes\n`,
    ],
  ])("%s that the message no longer names counts, too", (_, textWith) => {
    write("more", "AllowTcpForwarding yes\n");
    const text = (last: string): string => `AllowTcpForwarding no\n${textWith(last)}Include more\n`;
    write("sshd_config", text("bob"));
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0 });
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual([]);
    write("sshd_config", text("b*"));
    expect(audit("sshd_config", "--baseline", "known.json").open.join()).toContain("reopened-by-match");
  });

  test("a second finding of the same text is new", () => {
    write("sshd_config", "AllowTcpForwarding no\nX11Forwarding yes\nMatch User bob\nX11Forwarding yes\n");
    const { open, held } = audit("sshd_config", "--baseline", "known.json");
    expect(open).toEqual(["sshd_config:4 x11-forwarding"]);
    expect(held).toContain("sshd_config:2 x11-forwarding");
  });

  test("a finding that is gone is no matter, and one that comes back is known", () => {
    write("sshd_config", "DisableForwarding yes\n");
    expect(audit("sshd_config", "--baseline", "known.json")).toEqual({ code: 0, open: [], held: [] });
    write("sshd_config", "AllowTcpForwarding no\nX11Forwarding yes\n");
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual([]);
  });

  test("the same line in another file is new", () => {
    write("other", "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding yes\n");
    expect(audit("other", "--baseline", "known.json")).toMatchObject({
      code: 1,
      open: ["other:3 x11-forwarding"],
    });
  });

  test("with both options the new baseline holds what is open beside the old one", () => {
    write("sshd_config", "AllowTcpForwarding yes\nX11Forwarding yes\n");
    expect(audit("sshd_config", "--baseline", "known.json").open).toEqual(["sshd_config:1 tcp-forwarding"]);
    expect(audit("sshd_config", "--write-baseline", "known.json")).toMatchObject({ code: 0, open: [] });
    expect(audit("sshd_config", "--baseline", "known.json")).toMatchObject({ code: 0, open: [] });
  });

  test.each([
    ["that is not there", null],
    ["that is no JSON", "{"],
    ["of another program", '{"findings": []}'],
    ["whose findings are none", '{"version": 1, "findings": "tcp-forwarding"}'],
    ["whose version is not known", '{"version": 2, "findings": []}'],
  ])("a baseline %s is wrong usage, and nothing is audited", (_, text) => {
    if (text === null) rmSync(join(root, "known.json"));
    else write("known.json", text);
    const ran = runCli(["audit", "sshd_config", "--baseline", "known.json"], { cwd: root });
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(/^sshd-policy: .*known\.json /);
  });
});

interface Target {
  readonly findings: readonly Found[];
}

interface Found {
  readonly rule: string;
  readonly file: string;
  readonly start: { readonly line: number };
  readonly suppressed: object | null;
}

test.each([["--baseline"], ["--write-baseline"]])(
  "%s beside --fix is wrong usage, and nothing is changed",
  (option) => {
    const root = makeRoot({ "/c": "X11Forwarding yes\n" });
    for (const fix of ["--fix", "--diff"]) {
      const { code, stderr } = runCli(["audit", fix, option, "known.json", "c"], { cwd: root });
      expect(stderr).toMatch(/^sshd-policy: a baseline leaves findings out of a report, .*\n$/);
      expect(code).toBe(2);
    }
    expect(readdirSync(root)).toEqual(["c"]);
    expect(readFileSync(join(root, "c"), "utf8")).toBe("X11Forwarding yes\n");
  },
);

test("a baseline that is not there is said in the system's words", () => {
  const root = makeRoot({ "/c": "X11Forwarding no\n" });
  const { stderr } = runCli(["audit", "--baseline", "none.json", "c"], { cwd: root });
  expect(stderr).toBe("sshd-policy: the baseline none.json cannot be read: no such file or directory\n");
});
