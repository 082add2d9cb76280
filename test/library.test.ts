/** The library door: the same answers as the command line, as data. */
import { expect, test } from "vitest";
import {
  audit,
  check,
  compare,
  effective,
  exposure,
  parse,
  print,
  readPolicyFile,
  rules,
  tokensOf,
} from "../src/index.ts";
import { configOf } from "./configurations.ts";

const ALICE = {
  user: "alice",
  groups: [],
  host: "198.51.100.7",
  addr: "198.51.100.7",
  laddr: "192.0.2.1",
  lport: 22,
  rdomain: "",
  invalidUser: false,
};

test("audit, exposure, effective, compare and check agree about one file", () => {
  const open = configOf("AllowTcpForwarding local\n");
  const closed = configOf("AllowTcpForwarding no\n");
  expect(audit(open).map(({ rule }) => rule)).toContain("tcp-forwarding");
  expect(audit(open, { allowForwarding: "local" }).map(({ rule }) => rule)).not.toContain("tcp-forwarding");
  expect(audit(closed).map(({ rule }) => rule)).not.toContain("tcp-forwarding");
  const answers = exposure(open).answers.filter(({ capability }) => capability === "tcp-local");
  expect(answers.map(({ allowed, condition }) => [allowed, condition])).toEqual([[true, "everybody"]]);
  const settings = effective(open, ALICE);
  expect("get" in settings ? settings.get("allowtcpforwarding")?.values : null).toEqual(["local"]);
  expect(compare(open, closed).changes.map(({ capability, change }) => `${change} ${capability}`)).toEqual([
    "lost tcp-local",
    "lost unix-local",
  ]);
  expect(check(open).accepted).toBe(true);
});

test("suppressions count when the day is given", () => {
  const config = configOf("AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- bastion\n");
  const ids = (today?: string): string[] =>
    audit(config, today === undefined ? {} : { today }).map(({ rule }) => rule);
  expect(ids()).toContain("tcp-forwarding");
  expect(ids("2026-11-24")).not.toContain("tcp-forwarding");
});

test("parse and print give the bytes back; the rules are there", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const { tree } = parse(bytes);
  expect(print(tree)).toEqual(Buffer.from(bytes));
  const tokens = tree.lines.flatMap((line) => tokensOf(tree, line));
  expect(tokens.map(({ text }) => text).join("")).toBe(Buffer.from(bytes).toString("latin1"));
  expect(rules.length).toBeGreaterThan(30);
});

test("a policy file says what is wanted, by name and by place", async () => {
  const config = configOf("AllowTcpForwarding no\nMatch User deploy\nAllowTcpForwarding local\n");
  const ids = async (yaml: string): Promise<readonly string[]> => {
    const policyFile = await readPolicyFile("policy.yaml", Buffer.from(yaml));
    if ("mistakes" in policyFile) return policyFile.mistakes;
    return audit(config, { policyFile }).map(({ rule }) => rule);
  };
  expect(audit(config).map(({ rule }) => rule)).toContain("reopened-by-match");
  const allowed =
    "version: 1\nallow:\n  - users: deploy\n    capability: [tcp-local, unix-local]\n    reason: releases\n";
  expect(await ids(allowed)).not.toContain("reopened-by-match");
  expect(await ids(allowed.replace("deploy", "bob"))).toContain("reopened-by-match");
  expect(await ids("version: 1\nnonsense: 1\n")).toEqual([expect.stringMatching(/^policy\.yaml:2:1: /)]);
});
