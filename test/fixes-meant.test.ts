/** Fixes beside what is meant to be open (`--allow-forwarding`): they close all else, and open nothing. */
import { expect, it } from "vitest";
import { RULES } from "../rules/index.ts";
import { planFix } from "../src/fix/plan.ts";
import type { AllowedForwarding } from "../src/lint/rule.ts";
import { FIX_ALL, requestOf } from "./fuzz/fixes.ts";
import { MAIN_FILE, release } from "./sshd/reading.ts";

function fixed(text: string, allowed: AllowedForwarding, only?: string): string {
  const rules = RULES.filter(({ id, strict }) => (only === undefined ? strict !== true : id === only));
  const call = { ...FIX_ALL, rules, allowed };
  const { files } = planFix(requestOf({ [MAIN_FILE]: text }, { release: release("9.2+debian") }, call));
  return files[0]?.after ?? text;
}

const QUIET = "X11Forwarding no\nAllowAgentForwarding no\n";

it.each([
  ["local, and remote is meant", "AllowTcpForwarding local\n", "AllowTcpForwarding no\n", "remote"],
  ["everything, and remote is meant", "AllowTcpForwarding yes\n", "AllowTcpForwarding remote\n", "remote"],
] as const)("a line that allows %s", (_name, before, after, allowed) => {
  expect(fixed(before, allowed, "tcp-forwarding")).toBe(after);
});

it.each([
  [
    "gets no direction that it closes from the global line",
    "AllowTcpForwarding local\nMatch User a\nAllowTcpForwarding remote\n",
    "AllowTcpForwarding local\nMatch User a\nAllowTcpForwarding no\n",
    "none",
  ],
  [
    "keeps the direction that is meant, without its sockets",
    "AllowTcpForwarding no\nMatch User a\nAllowTcpForwarding yes\n",
    "AllowTcpForwarding no\nAllowStreamLocalForwarding no\nMatch User a\nAllowTcpForwarding local\n",
    "local",
  ],
  [
    "that opens what is meant, and sockets with it, loses the sockets by their own keyword",
    "AllowTcpForwarding no\nMatch User a\nAllowTcpForwarding local\n",
    "AllowTcpForwarding no\nAllowStreamLocalForwarding no\nMatch User a\nAllowTcpForwarding local\n",
    "local",
  ],
  [
    "with a list of targets loses it to none, which is no direction",
    "AllowTcpForwarding local\nPermitOpen none\nMatch User a\nPermitOpen db:5432\n",
    "AllowTcpForwarding local\nPermitOpen none\nMatch User a\nPermitOpen none\n",
    "none",
  ],
] as const)("a block %s", (_name, before, after, allowed) => {
  expect(fixed(before, allowed, "reopened-by-match")).toBe(after);
});

it("DisableForwarding is not set where a block takes it back for what is meant", () => {
  const text = `${QUIET}DisableForwarding yes\nMatch User a\nDisableForwarding no\n`;
  expect(fixed(text, "local", "disable-forwarding-reopened")).toBe(text);
  expect(fixed(text, "none", "disable-forwarding-reopened")).toBe(text.replace(/no\n$/, "yes\n"));
});

it.each([
  [
    "sockets of a block, where the global line closes the rest",
    "AllowStreamLocalForwarding remote\nMatch LocalPort 22\nAllowStreamLocalForwarding local\n",
    "AllowStreamLocalForwarding no\nAllowTcpForwarding remote\nMatch LocalPort 22\nAllowStreamLocalForwarding local\n",
    "remote",
  ],
  [
    "one block of two, whose tunnels are closed by another line of it",
    "AllowTcpForwarding no\nAllowStreamLocalForwarding no\nMatch User a\nAllowStreamLocalForwarding yes\nMatch User b\nAllowTcpForwarding yes\nAllowStreamLocalForwarding yes\n",
    "AllowTcpForwarding no\nAllowStreamLocalForwarding no\nMatch User a\nAllowStreamLocalForwarding yes\nMatch User b\nAllowTcpForwarding no\nAllowStreamLocalForwarding yes\n",
    "none",
  ],
  [
    "a line whose work two others do, each a part of it",
    "AllowTcpForwarding no\nPermitOpen none\nMatch User a\nAllowTcpForwarding yes\nMatch LocalPort 22\nPermitOpen any\nMatch User a,b\nPermitListen 8080\n",
    "AllowTcpForwarding no\nPermitOpen none\nMatch User a\nAllowTcpForwarding no\nMatch LocalPort 22\nPermitOpen any\nMatch User a,b\nPermitListen 8080\n",
    "none",
  ],
] as const)("needless: %s", (_name, before, after, allowed) => {
  expect(fixed(QUIET + before, allowed)).toBe(QUIET + after);
});
