/** Why nobody is ever in a block: nobody at all, or nobody of those who exist. */
import { expect, it } from "vitest";
import { type Account, audit } from "../src/index.ts";
import { configOf } from "./configurations.ts";

const BOB: Account = {
  name: "bob",
  uid: 1000,
  gid: 1000,
  home: "/home/bob",
  shell: "/bin/sh",
  groups: ["users"],
};
const EXCLUSIVE = "no connection is ever in this block: its criteria exclude each other";
const UNKNOWN = "none of the known accounts is in this block";

it.each([
  ["User alice User bob", null, EXCLUSIVE],
  ["User alice User bob", [BOB], UNKNOWN],
  ["User alice", null, null],
  ["User alice", [BOB], UNKNOWN],
  ["Group admins", [BOB], UNKNOWN],
  ["Group users", [BOB], null],
  ["User bob Address 10.0.0.0/8 Address 192.0.2.0/24", [BOB], EXCLUSIVE],
] as const)("Match %s, of %j", (criteria, accounts, message) => {
  const config = configOf(`Match ${criteria}\n\tX11Forwarding yes\n`);
  const found = audit(config, { accounts }).filter(({ rule }) => rule === "unreachable-match");
  expect(found.map((finding) => finding.message)).toEqual(message === null ? [] : [message]);
});

it("a block in whose included file a block has an effect has one", () => {
  const files = {
    "/etc/ssh/sshd_config": "Match User bob\n\tInclude a.conf\n\tX11Forwarding yes\n",
    "/etc/ssh/a.conf":
      "Match Address 10.*\n\tX11Forwarding no\nMatch Address *\n\tX11Forwarding no\nMatch all\n\tX11Forwarding no\n",
  };
  const found = audit(configOf(files), {}).filter(({ rule }) => rule === "unreachable-match");
  expect(found.map(({ place }) => place.source.path)).toEqual([]);
});

it("a block that nobody gets into alive is a finding of lockout", () => {
  const config = configOf("Match Address !10.0.0.0/8,10.1.2.3/8\nX11Forwarding yes\n", "8.3");
  const rules = audit(config, {}).map(({ rule }) => rule);
  expect(rules).toContain("lockout");
  expect(rules).not.toContain("unreachable-match");
});
