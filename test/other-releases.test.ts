/** Where nobody knows the release, the answer says what others would make of the file; each claim is one of `compare`'s. */
import { describe, expect, it } from "vitest";
import { unknownRelease } from "../grammar/release.ts";
import {
  DISABLED_AGENT,
  DISABLED_TUN,
  DISABLED_X11,
  hasBug,
  type ReleaseBug,
} from "../grammar/release-bugs.ts";
import { comparePolicies } from "../src/policy/compare.ts";
import { exposure } from "../src/policy/exposure.ts";
import { otherReadings } from "../src/policy/other-releases.ts";
import { load, MAIN_FILE, release } from "./sshd/reading.ts";

function readings(text: string, included: Readonly<Record<string, string>> = {}): readonly string[] {
  const tree = { [MAIN_FILE]: text, ...included };
  return otherReadings(load(tree, release("10.6")), (of) => load(tree, of));
}

describe("another release", () => {
  it.each([
    ["plain lines mean the same", "AllowTcpForwarding no\nPermitRootLogin no\n", []],
    [
      "a block that all read alike",
      "AllowAgentForwarding no\nMatch User bob\nAllowAgentForwarding yes\n",
      [],
    ],
    [
      "sockets were another matter",
      "AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n",
      ["as OpenSSH 7.7: everybody, except user bob may use unix-remote"],
    ],
    [
      "quotes on a Match line count from 9.9 on",
      "AllowTcpForwarding no\nMatch User 'bob'\nAllowTcpForwarding local\n",
      [
        "as OpenSSH 9.8, 8.6, 8.3, 8.1: user bob may not use tcp-local, unix-local; user 'bob' may use tcp-local, unix-local",
        "as OpenSSH 7.7: user bob may not use tcp-local, unix-local; user 'bob' may use tcp-local, unix-local; user bob may use unix-remote; everybody, except user bob may use unix-remote",
      ],
    ],
    [
      "DisableForwarding grew",
      "DisableForwarding yes\n",
      ["as OpenSSH 9.9, 9.9p1, 9.8, 8.6, 8.3, 8.1, 7.7: everybody may use agent"],
    ],
    [
      "a keyword that older ones lack",
      "PermitListen 8080\n",
      ["as OpenSSH 7.7: sshd refuses the file: Bad configuration option: PermitListen"],
    ],
  ])("%s", (_, text, expected) => {
    expect(readings(text)).toEqual(expected);
  });
});

it("loses the blocks of included files, as 8.2 and 8.3 did", () => {
  const text = "Include /etc/ssh/d.conf\nAllowAgentForwarding no\n";
  const block = "Match User bob\nAllowAgentForwarding yes\n";
  expect(readings(text, { "/etc/ssh/d.conf": block })).toEqual([
    "as OpenSSH 8.3: user bob may not use agent",
    "as OpenSSH 8.1, 7.7: sshd refuses the file: Bad configuration option: Include",
  ]);
});

describe("a release outside of what is known", () => {
  it.each([
    ["7.2", "older than 7.4, the oldest known: read as 7.4"],
    ["7.4", null],
    ["10.6", null],
    ["10.7", "newer than 10.6, the newest known: read as 10.6"],
    ["11.0p1", "newer than 10.6, the newest known: read as 10.6"],
  ])("%s", (text, expected) => {
    expect(unknownRelease(release(text))).toBe(expected);
  });
});

describe("packages that carry the repair of DisableForwarding back", () => {
  it.each([
    ["1:8.4p1-5+deb11u3", false, false],
    ["1:8.4p1-5+deb11u5", true, false],
    ["1:8.4p1-5+deb11u10", true, "perhaps"],
    ["1:9.2p1-2", false, false],
    ["1:9.2p1-2+deb12u5", false, false],
    ["1:9.2p1-2+deb12u6", true, false],
    ["1:9.2p1-2+deb12u10", true, false],
    ["1:9.2p1-2~bpo11+1", "perhaps", "perhaps"],
    ["9.2+debian", "perhaps", "perhaps"],
    ["1:9.6p1-3ubuntu13.11", "perhaps", "perhaps"],
    ["8.7p1-38.el9", "perhaps", "perhaps"],
    ["9.2", false, false],
    ["1:10.0p1-7+deb13u4", true, false],
    ["10.2_p1-r0", true, "perhaps"],
    ["10.4+alpine", true, true],
  ] as const)("%s", (text, sessions, tun) => {
    const isRepaired = (bug: ReleaseBug): boolean | "perhaps" => {
      const has = hasBug(bug, release(text));
      return has === "perhaps" ? has : !has;
    };
    expect([DISABLED_X11, DISABLED_AGENT, DISABLED_TUN].map(isRepaired)).toEqual([sessions, sessions, tun]);
  });
});

describe("whether a package has the repair", () => {
  const FIRST = "DisableForwarding yes\n";
  const limitsOf = (text: string, of: string): readonly string[] =>
    exposure(load({ [MAIN_FILE]: text }, release(of))).limits.map((limit) => limit.split(" ")[2] ?? "");

  it.each([
    [FIRST, "9.6+ubuntu", ["agent"]],
    [`${FIRST}X11Forwarding yes\nPermitTunnel yes\n`, "8.7p1-38.el9", ["tun", "x11", "agent"]],
    [`${FIRST}AllowAgentForwarding no\n`, "8.7+rhel", []],
    [`${FIRST}PermitTunnel yes\n`, "10.2+alpine", ["tun"]],
    [FIRST, "9.6", []],
    [FIRST, "1:9.2p1-2+deb12u5", []],
    ["DisableForwarding no\n", "9.6+ubuntu", []],
    ["Match User a\nDisableForwarding yes\n", "9.6+ubuntu", ["agent"]],
    ["X11Forwarding yes\nX11DisplayOffset 2000\n", "9.6+ubuntu", ["above"]],
    ["X11Forwarding yes\nX11DisplayOffset 2000\n", "1:9.2p1-2+deb12u10", []],
    ["X11Forwarding yes\nX11DisplayOffset 60000\n", "9.6+ubuntu", []],
    ["X11DisplayOffset 2000\n", "9.6+ubuntu", []],
    ["X11Forwarding yes\nX11DisplayOffset 2000\n", "10.1+alpine", []],
    ["Match User a**\nX11Forwarding no\n", "8.0+rhel", ["that"]],
    ["AllowUsers a**@10.* b\n", "8.0+rhel", ["that"]],
    ["AllowUsers a**b\nPermitListen *:80\n", "8.0+rhel", []],
    ["AllowUsers a**\n", "1:8.4p1-5+deb11u7", []],
    ["AllowUsers a**\n", "8.7+rhel", []],
    ["Match invalid-user\nX11Forwarding no\n", "9.9p1+fedora", ["holds"]],
    ["Match invalid-user\nX11Forwarding no\n", "9.9+fedora", ["holds"]],
    ["Match invalid-user\nX11Forwarding no\n", "9.9p2+fedora", []],
    ["Match User a\nSubsystem sftp x\n", "10.0+fedora", ["in"]],
    ["Subsystem x x\nMatch User a\nSubsystem sftp x\n", "10.0+fedora", []],
    ["Match User a\nSubsystem sftp x\n", "1:10.0p1-7+deb13u4", []],
  ])("is left open where it counts: %j on %s", (text, of, expected) => {
    expect(limitsOf(text, of)).toEqual(expected);
  });

  it.each([
    // nobody gains agents where DisableForwarding lets them pass; whoever has the repair does
    ["9.6+ubuntu", "DisableForwarding yes\n", "DisableForwarding no\n", "9.6+ubuntu", 1],
    ["9.6+ubuntu", FIRST, `${FIRST}PermitTTY no\n`, "9.6+ubuntu", 0],
    ["9.6+ubuntu", FIRST, FIRST, "8.7+rhel", 1],
    ["9.6", "DisableForwarding yes\n", "DisableForwarding no\n", "9.6", 0],
    [
      "9.6+ubuntu",
      "AllowAgentForwarding no\nDisableForwarding yes\n",
      "AllowAgentForwarding no\nDisableForwarding no\n",
      "9.6+ubuntu",
      0,
    ],
  ])("is left open by a comparison: on %s, %j to %j", (of, before, after, then, limits) => {
    const known = release(of);
    const comparison = comparePolicies(
      load({ [MAIN_FILE]: before }, known),
      load({ [MAIN_FILE]: after }, then === of ? known : release(then)),
    );
    expect(comparison.limits).toHaveLength(limits);
  });
});

describe("a Subsystem in Match blocks alone, over which sshd crashes up to 10.2", () => {
  const TEXT =
    "AllowTcpForwarding no\nMatch User bob\nSubsystem sftp x\nMatch User bob,eve\nAllowTcpForwarding local\n";
  const openTo = (of: string): readonly string[] =>
    exposure(load({ [MAIN_FILE]: TEXT }, release(of)), { capabilities: ["tcp-local"] })
      .answers.filter(({ allowed }) => allowed !== false)
      .map(({ witness, login }) => `${witness?.user} ${login}`);

  it.each([
    ["9.4", ["bob possible"]],
    ["9.8", ["eve possible"]],
    ["1:10.0p1-7+deb13u4", ["eve possible"]],
    ["10.0+fedora", ["bob possible"]],
    ["10.3", ["bob possible"]],
  ])("lets nobody in whom it is for: on %s %j", (of, expected) => {
    expect(openTo(of)).toEqual(expected);
  });

  it("is told by a comparison", () => {
    const changes = (from: string, to: string, after = TEXT): readonly string[] => {
      const comparison = comparePolicies(
        load({ [MAIN_FILE]: TEXT }, release(from)),
        load({ [MAIN_FILE]: after }, release(to)),
      );
      expect(comparison.limits).toEqual([]);
      return comparison.changes.map(
        ({ change, capability, witness, before, after: now }) =>
          `${change} ${capability} ${witness.user}: ${[before, now].map((lines) => lines[0]?.keyword).join(", ")}`,
      );
    };
    const each = (change: string, lines: string, agent: string): readonly string[] => [
      ...["tcp-local", "unix-local"].map((capability) => `${change} ${capability} bob: ${lines}`),
      `${change} agent bob: ${agent}`,
    ];
    const gained = each("gained", "subsystem, allowtcpforwarding", "subsystem, allowagentforwarding");
    expect(changes("10.0", "10.3")).toEqual(gained);
    expect(changes("10.0", "10.0")).toEqual([]);
    expect(changes("10.0", "10.0", `Subsystem x x\n${TEXT}`)).toEqual(gained);
    expect(changes("9.4", "10.0")).toEqual(
      each("lost", "allowtcpforwarding, subsystem", "allowagentforwarding, subsystem"),
    );
  });
});
