/**
 * The release leaves parts of its libraries out and puts smaller ones in their place (scripts/build.mjs): of hostile files
 * it says what the source says, which has all of them.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeRoot } from "../auditing.ts";
import { makeRandom } from "../fuzz/random.ts";

const project = new URL("../..", import.meta.url).pathname;
const RELEASE = [join(project, "dist/cli.js")];
const SOURCE = [
  "--import",
  join(project, "node_modules/tsx/dist/loader.mjs"),
  join(project, "src/cli/main.ts"),
];

const PIECES = [
  ..." \t\r\n\n\f\0\"'#=\\,!*",
  "AllowTcpForwarding ",
  "allowtcpforwarding=",
  "PermitOpen db:5432",
  "Match ",
  "User alice",
  "Address 10.0.0.0/8",
  "Include x",
  "Port 70000",
  "SetEnv A=b",
  "no",
  "yes",
  "\n\tX11Forwarding yes\n",
  "\xe9",
  "\x1b[2J",
];

function run(command: readonly string[], args: readonly string[], cwd: string) {
  const { status, stdout } = spawnSync(process.execPath, [...command, ...args], {
    cwd,
    encoding: "latin1",
    maxBuffer: 2 ** 28,
  });
  return { status, stdout };
}

it.each(["check", "audit"])("%s of hostile files", (command) => {
  const random = makeRandom(20261126);
  const folder = makeRoot({});
  const names = Array.from({ length: 400 }, (_, index) => `${index}.conf`);
  for (const name of names)
    writeFileSync(
      join(folder, name),
      Buffer.from(random.some(0, 40, () => random.pick(PIECES)).join(""), "latin1"),
    );
  const args = [command, "--openssh", random.pick(["7.4", "9.2", "10.0"]), "--format", "json", ...names];
  const ours = run(RELEASE, args, folder);
  expect(ours.stdout.length).toBeGreaterThan(50_000);
  expect(ours).toEqual(run(SOURCE, args, folder));
});
