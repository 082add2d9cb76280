/** `audit --fix` where names are no UTF-8: it writes by their bytes. Node.js gives such arguments to no program, a shell does. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { argumentsOf } from "../src/host/this-machine.ts";
import { makeRoot } from "./auditing.ts";
import { file, folder, ociMembers, tar } from "./images/writing.ts";
import { describeUnless, NOT_LINUX } from "./needs.ts";
import { COMMAND } from "./run-cli.ts";

const bytes = (path: string): Buffer => Buffer.from(path, "latin1");
const CLOSED = "AllowTcpForwarding no\nAllowAgentForwarding no\nX11Forwarding no\n";

/** A root named d\xe9 with a drop-in \xe9.conf that an Include reaches, and its path. */
function makeOdd(): { readonly root: string; readonly dropIn: Buffer } {
  const root = `${makeRoot({})}/d\xe9`;
  mkdirSync(bytes(`${root}/etc/ssh/sshd_config.d`), { recursive: true });
  writeFileSync(bytes(`${root}/etc/ssh/sshd_config`), `Include /etc/ssh/sshd_config.d/*.conf\n${CLOSED}`);
  const dropIn = bytes(`${root}/etc/ssh/sshd_config.d/\xe9.conf`);
  writeFileSync(dropIn, "PermitTunnel yes\n", { mode: 0o640 });
  return { root, dropIn };
}

/** Standard error is as a terminal shows it: what is no UTF-8 is not. */
function run(
  folder: string,
  args: readonly string[],
): { readonly code: number | null; readonly stderr: string } {
  const [program, ...rest] = argumentsOf([process.execPath, ...COMMAND, ...args]);
  const there = argumentsOf([
    "/bin/sh",
    "-c",
    'cd "$1" && shift && exec "$@"',
    "sh",
    folder,
    program,
    ...rest,
  ]);
  const { status, stderr } = spawnSync(there[0], there.slice(1), { encoding: "utf8" });
  return { code: status, stderr };
}

describeUnless(NOT_LINUX, "audit --fix of names that are no UTF-8", () => {
  test.each<[string, (root: string) => readonly [folder: string, args: readonly string[]]]>([
    ["a root", (root) => ["/", ["--root", root]]],
    ["a root from within its parent", (root) => [root.slice(0, root.lastIndexOf("/")), ["--root", "d\xe9"]]],
    ["a main file", (root) => ["/", [`${root}/etc/ssh/sshd_config`]]],
    ["the drop-in itself", (root) => ["/", [`${root}/etc/ssh/sshd_config.d/\xe9.conf`]]],
    ["relative to a folder of such a name", (root) => [root, ["etc/ssh/sshd_config"]]],
  ])("%s", (_, where) => {
    const { root, dropIn } = makeOdd();
    const [folder, args] = where(root);
    const { code, stderr } = run(folder, [
      "audit",
      "--openssh",
      "9.2",
      "--fix",
      "--rule",
      "tunnel-device",
      ...args,
    ]);
    expect(stderr).toMatch(/^sshd-policy: judged as .*\nsshd-policy: fixed 1 finding in .*\.conf\n$/);
    expect(code).toBe(0);
    expect(readFileSync(dropIn, "latin1")).toBe("PermitTunnel no\n");
  });
});

describeUnless(NOT_LINUX, "audit --image of a name that is no UTF-8", () => {
  const members = [
    folder("etc/ssh"),
    file("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
    file("etc/ssh/sshd_config", `${CLOSED}PermitTunnel yes\n`),
  ];
  test.each<[string, (root: string) => void]>([
    ["an archive", (root) => writeFileSync(bytes(`${root}/\xe9`), tar(members))],
    [
      "a layout",
      (root) => {
        for (const { name, data } of ociMembers(
          [{ layers: [{ tar: tar(members), command: "x" }] }],
          "gzip",
        )) {
          const path = `${root}/\xe9/${name}`;
          mkdirSync(bytes(path.slice(0, path.lastIndexOf("/"))), { recursive: true });
          writeFileSync(bytes(path), data ?? "");
        }
      },
    ],
  ])("%s, in a folder of such a name", (_, make) => {
    const root = `${makeRoot({})}/d\xe9`;
    mkdirSync(bytes(root));
    make(root);
    for (const name of ["\xe9", `${root}/\xe9`]) {
      const { code, stderr } = run(root, ["audit", "--quiet", "--rule", "tunnel-device", "--image", name]);
      expect(stderr).toBe("");
      expect(code).toBe(1);
    }
  });
});

test.each([
  [["printf", "%s|", "d\xe9", "a b\n\n", "%s\\n$(id)'\"", "-n", "", "\xff\x01"]],
  [["printf", "%s|", "\xe9"]],
])("a program gets the bytes of its arguments: %j", (argv) => {
  const [program, ...rest] = argumentsOf(argv);
  const { stdout } = spawnSync(program, rest, { encoding: "latin1" });
  expect(stdout).toBe(
    argv
      .slice(2)
      .map((word) => `${word}|`)
      .join(""),
  );
});
