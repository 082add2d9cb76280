/** The JSON of each command before the schema that the package ships; audit's is in report-schemas.test.ts. */
import { readFileSync } from "node:fs";
import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { makeRoot } from "./auditing.ts";
import { testUnless } from "./needs.ts";
import { runCli } from "./run-cli.ts";
import { closed } from "./schemas.ts";
import { whyNoProbe } from "./sshd/probing.ts";

const FILES = {
  "/disabled": "DisableForwarding yes\nX11Forwarding yes\n",
  "/ending": "Match User bob\nCASignatureAlgorithms !ssh-rsa\n",
  "/old": "AllowTcpForwarding no\nX11Forwarding yes\n",
  "/new":
    "AllowTcpForwarding no\nAllowUsers deploy bob\nGatewayPorts clientspecified\nMatch User deploy Address 10.0.0.0/8\n  AllowTcpForwarding yes\n  PermitOpen db:5432\n  PermitListen localhost:9000\n",
  "/bad": 'Bogus yes\nUseLogin no\nAllowTcp"Forwarding no\nPort 22 x\n',
};
const SPEC = "user=deploy,host=10.0.0.1,addr=10.0.0.1,laddr=192.0.2.1,lport=22";

const RUNS: readonly (readonly [string, readonly string[], number])[] = [
  ["exposure", ["new", "old", "--openssh", "9.2", "--all"], 0],
  ["exposure", ["ending", "--openssh", "9.2"], 0],
  ["exposure", ["new", "--openssh", "9.2", "-C", SPEC, "-C", "user=bob,addr=192.0.2.9"], 0],
  ["compare", ["old", "new", "--openssh", "9.2"], 1],
  ["compare", ["disabled", "--openssh", "9.2..10.0"], 1],
  ["compare", ["old", "old", "--openssh", "9.2"], 0],
  ["effective", ["new", "--openssh", "9.2", "-C", SPEC, "-C", "user=root,addr=192.0.2.9"], 0],
  ["check", ["new", "bad", "--openssh", "9.2"], 1],
  ["check", ["old"], 0],
];

const schemaOf = (command: string): ValidateFunction => {
  const text = readFileSync(new URL(`../schemas/${command}.json`, import.meta.url), "utf8");
  return new Ajv2020({ allowUnionTypes: true, allErrors: true }).compile(closed(JSON.parse(text)));
};

/** Runs the command, and looks at the document that it prints. */
function expectValid(command: string, words: readonly string[], code: number): void {
  const ran = runCli([command, ...words, "--format", "json"], { cwd: makeRoot(FILES) });
  expect(ran).toMatchObject({ code, stderr: "" });
  const valid = schemaOf(command);
  const document = JSON.parse(ran.stdout);
  valid(document);
  expect(valid.errors).toBe(null);
  // a field that the schema does not name is seen, and one that is gone
  expect(valid({ ...document, more: 1 })).toBe(false);
  expect(valid({ version: 1 })).toBe(false);
}

test.each(
  RUNS.map(([command, words, code]) => [`${command} ${words.join(" ")}`, command, words, code] as const),
)("%s", (_, command, words, code) => expectValid(command, words, code));

const missing = whyNoProbe({});
testUnless(missing, "probe", () => expectValid("probe", ["old"], 0));
