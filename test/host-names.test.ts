/** Match Host with and without UseDNS, by brute force over addresses and names: no connection is left out of all regions. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../grammar/addresses.ts";
import { exposure } from "../src/policy/exposure.ts";
import { locate } from "../src/policy/locate.ts";
import { configOf } from "./configurations.ts";
import { signedList, withWildcard } from "./pattern-lists.ts";

const ADDRESSES = [
  ...["10.0.0.1", "10.1.2.3", "1.1.1.1", "192.168.1.7"],
  ...["2001:db8::1", "2001:db8:7:1:9::1", "2001:db8:7:1:9:1:1:1", "fe80::1%eth0"],
];
const NAMES = ["a", "a.b", "h10.0.0.1", "x.example.com", "1.b", "fe80"];
const TEXTS = [...ADDRESSES, ...NAMES];
const PATTERN = fc.oneof(
  fc.constantFrom(...TEXTS, "10"),
  fc.constantFrom(
    "*",
    "?",
    "*.*",
    "*:*",
    "2001:*:9*:?",
    "*1",
    "10.*",
    "1*",
    "*.b",
    "a*",
    "*:7:*",
    "!*",
    "0x*",
  ),
  withWildcard(TEXTS),
);
const LIST = signedList(PATTERN);
const NETWORK = fc.constantFrom("10.0.0.0/8", "::/0", "0.0.0.0/0", "2001:db8::/32");
const CRITERION = fc.oneof(
  LIST.map((list) => `Host ${list}`),
  fc.oneof(LIST, NETWORK).map((list) => `Address ${list}`),
);
const BLOCK = fc
  .tuple(fc.array(CRITERION, { minLength: 1, maxLength: 2 }), fc.constantFrom("yes", "no"))
  .map(([criteria, value]) => `Match ${criteria.join(" ")}\nX11Forwarding ${value}\n`);

const LEFT_OUT: readonly string[] = [
  // the text of an address is only sampled for it, and no name fits
  "Match Host *:7:*,!a*\nX11Forwarding yes\n",
  "Match Address 10.0.0.0/8\nX11Forwarding yes\nMatch Host ?:7:*,2001:*:9*:?\nX11Forwarding yes\n",
];

function checkAll(text: string): void {
  const config = configOf(text, "9.6");
  const hasNames = text.startsWith("UseDNS yes");
  const { answers } = exposure(config, { capabilities: ["x11"] });
  for (const { witness } of answers) {
    // auth.c remote_hostname: the text of the address, or a name that is no address
    if (witness === null || witness.host === witness.addr) continue;
    expect([text, hasNames, parseAddress(witness.host ?? "")]).toEqual([text, true, null]);
  }
  for (const addr of ADDRESSES)
    for (const host of hasNames ? [addr, ...NAMES] : [addr]) {
      const connection = {
        ...{ user: "alice", groups: [], host, addr, laddr: "192.0.2.1", lport: 22, rdomain: "" },
        invalidUser: false,
      };
      const answer = locate(config, answers, "x11", connection);
      expect([text, host, answer === null ? "left out" : ""]).toEqual([text, host, ""]);
    }
}

describe("Match Host", () => {
  it.each(LEFT_OUT)("holds for somebody: %j", (blocks) => {
    checkAll(`UseDNS yes\n${blocks}`);
  });

  it("leaves nobody out, and needs no name that is an address", () => {
    const blocks = fc.array(BLOCK, { minLength: 1, maxLength: 4 });
    const all = fc.constantFrom("", "Match all\nX11Forwarding yes\n");
    fc.assert(
      fc.property(fc.constantFrom("yes", "no"), blocks, all, (dns, some, last) =>
        checkAll(`UseDNS ${dns}\n${some.join("")}${last}`),
      ),
      { numRuns: Number(process.env["THEORIES"] ?? 400) },
    );
  }, 120_000);
});
