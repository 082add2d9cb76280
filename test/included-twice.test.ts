/** A file that is included twice, or that includes itself, is read again; what is said of its lines is said once. */
import { describe, expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import { checkConfig } from "../src/config/check.ts";
import { auditRoot, fixRoot, makeRoot } from "./auditing.ts";

const MAIN = "/etc/ssh/sshd_config";
const PART = "/etc/ssh/part";

function audited(main: string, part: string) {
  const root = makeRoot({ [MAIN]: main, [PART]: part });
  const { config, findings } = auditRoot({ root, rules: RULES });
  const told = findings.map(
    ({ rule, place, message }) => `${place.source.path}:${place.start} ${rule}: ${message}`,
  );
  return { told, rules: new Set(findings.map(({ rule }) => rule)), config };
}

const TWICE = "Include part\nInclude part\nMatch User zed\n  Include part\n";

describe("each finding stands once", () => {
  test.each([
    ["what sshd refuses", "FooBar yes\nPermitOpen none any\nAllowTcpForwarding off\n", "syntax"],
    ["what vanishes", "== x\n", "vanished-line"],
    ["what is missing", "Include none.conf\n", "missing-include"],
    ["what never counts", "GatewayPorts no\nGatewayPorts yes\n", "shadowed-directive"],
    ["what nobody is in", "Match User !bob\n  X11Forwarding no\n", "never-matching-pattern"],
    ["what locks out", "PermitOpen db:smtp\n", "lockout"],
  ])("%s", (_, part, rule) => {
    const { told, rules } = audited(TWICE, part);
    expect(told).toEqual([...new Set(told)]);
    expect(rules).toContain(rule);
  });

  test("in an Include that leads back to itself", () => {
    const { told, config } = audited("Include part\n", "GatewayPorts yes\nFooBar yes\nInclude sshd_config\n");
    expect(told).toEqual([...new Set(told)]);
    const { errors } = checkConfig(config);
    expect(errors.map(({ code }) => code)).toEqual(["unknown-keyword", "include-depth"]);
  });
});

test("a line counts where one of its readings does", () => {
  const { rules } = audited(TWICE, "AllowTcpForwarding local\nMatch User ann\n  AllowTcpForwarding no\n");
  expect(rules).not.toContain("shadowed-directive");
  expect(rules).not.toContain("unreachable-match");
});

describe("what the policy file allows, each user another direction", () => {
  const CLOSED = "AllowTcpForwarding no\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\n";
  const OPEN = "AllowTcpForwarding yes\n";
  const policy =
    "version: 1\nallow:\n  - {users: a, capability: tcp-local, reason: x}\n  - {users: b, capability: tcp-remote, reason: x}\n";
  const fixed = (a: string, b: string): readonly string[] => {
    const main = `${CLOSED}Match User a\n${a}Match User b\n${b}`;
    const { files, left } = fixRoot({ root: makeRoot({ [MAIN]: main, [PART]: OPEN }), rules: RULES, policy });
    expect(left).toEqual([]);
    return files.map(({ after }) => after.replace(CLOSED, ""));
  };

  test("is left by a line of each", () => {
    const [local, remote] = ["local", "remote"].map((value) => OPEN.replace("yes", value));
    expect(fixed(OPEN, OPEN)).toEqual([`Match User a\n${local}Match User b\n${remote}`]);
  });

  test("is not left by a line that both read: it gets what both values allow", () => {
    expect(fixed("Include part\n", "Include part\n")).toEqual(["AllowTcpForwarding no\n"]);
  });
});
