/** The theories of names and addresses by brute force: "none" is a proof, and what is found fits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchAddressList, parseAddressList } from "../grammar/addresses.ts";
import { matchPatternList, parsePatternList } from "../grammar/patterns.ts";
import { NEWEST } from "../grammar/release.ts";
import { LAST, printAddress, valueOfV6 } from "../src/policy/address-sets.ts";
import { exposure } from "../src/policy/exposure.ts";
import { found, NONE } from "../src/policy/found.ts";
import { followGroups } from "../src/policy/theory-address-groups.ts";
import { fits } from "../src/policy/theory-address-text.ts";
import { findAddress, niceAddress } from "../src/policy/theory-addresses.ts";
import { findName, fullEffort } from "../src/policy/theory-names.ts";
import { configOf } from "./configurations.ts";
import { signedList, withWildcard } from "./pattern-lists.ts";

const RUNS = Number(process.env["THEORIES"] ?? 3000);

const OCTETS = ["0", "1", "7", "10", "11", "27", "107", "117", "127", "192"];
const V4 = OCTETS.flatMap((first) => OCTETS.slice(0, 4).map((last) => `${first}.0.${last}.1`));
const V6 = [
  "::1",
  "1::1",
  "2001:db8::1",
  "2001:db8::7",
  "2001:db8:1::1",
  "2001:db9::1",
  "2001:db9:1::7",
  "fd::1",
  "fdab::1",
  "2001:db:1::1",
];
const ZONED = ["fe80::1%lo", "fe80::1%eth0", "fe80::7%eth0", "fe80::1%eth7"];
const ADDRESSES = [...V4, ...V6, ...ZONED];

const ITEM = fc
  .tuple(
    fc.constantFrom("", "", "", "!"),
    fc.oneof(
      fc.constantFrom(...ADDRESSES),
      fc.constantFrom(
        "10.0.0.0/8",
        "0.0.0.0/0",
        "127.0.0.0/8",
        "10.0.1.0/24",
        "::/0",
        "2001:db8::/32",
        "fe80::/10",
      ),
      fc.constantFrom(
        "*",
        "?27.0.0.1",
        "1?7.0.0.1",
        "1*",
        "10.*.1",
        "*.7.1",
        "?.0.*",
        "*:*",
        "2001:db9:*",
        "*::?",
        "fd*",
        "2001:db*",
        "fd00::/8",
        "*.*.*.*",
        "fe80:*",
        "*,!fe80::*",
        "fe80::*",
        "*.example.com",
        "h.*",
        "*7",
      ),
      withWildcard(ADDRESSES),
    ),
  )
  .map(([sign, item]) => sign + item);
const LIST = fc.array(ITEM, { minLength: 1, maxLength: 3 }).map((items) => items.join(","));
const WANTED = fc.array(fc.tuple(LIST, fc.boolean()), { minLength: 1, maxLength: 4 });

/** IPv4 in IPv6 clothes, which no peer wears. */
const COMPATIBLE = /^::(ffff:)?[0-9a-f]+(:[0-9a-f]+)?$/;

describe("theories", () => {
  it.each(["1?7.0.0.1,10.0.0.0/8", "10.0.0.0/8,*.7.0.1", "2001:db8::/32,!*:,!*0,!*1,!*f"])(
    "of the text beside a network: %s",
    (list) => {
      const config = configOf(
        `Match Address 10.0.0.0/8\n\tAllowTcpForwarding no\nMatch Address ${list}\n\tAllowTcpForwarding yes\nMatch all\n\tAllowTcpForwarding no\n`,
      );
      const { answers } = exposure(config, { capabilities: ["tcp-local"], answers: "open" });
      expect(answers.map(({ witness, decidedBy }) => [witness?.addr, decidedBy[0]?.value])).toEqual([
        [expect.not.stringMatching(/^10\./), "yes"],
      ]);
    },
  );

  it.each([
    ["no", "Host *,!trusted.example.com"],
    ["no", "Host *,!*.example.com"],
    ["no", "Host !*.lan,!h.*,*"],
    ["no", "Host *,!*corp*"],
    ["no", "Host *,!eth0*"],
    ["yes", "Host *,!127.0.0.1,!::1\nAllowTcpForwarding no\nMatch Host 127.*,::1"],
    ["no", "Address *,!fe80::*\nAllowTcpForwarding no\nMatch Host *,!*.example.com"],
    ["no", "Address fd00::/8,fd?:*,fd:*\nAllowTcpForwarding no\nMatch Address *.*,*:*,!fd??:*"],
    ["no", "Address *:*\nAllowTcpForwarding no\nMatch Address *.*.*.*"],
    // each address is printed with a dot, with `::`, or with seven colons
    ["no", "Address *.*,*::*,*:*:*:*:*:*:*:*\nAllowTcpForwarding no\nMatch LocalPort 22"],
  ])(
    "know that no address looks like a host, and how addresses are printed: UseDNS %s, Match %s",
    (dns, list) => {
      const config = configOf(`UseDNS ${dns}\nMatch ${list}\n\tAllowTcpForwarding no\n`);
      const { answers, limits } = exposure(config, { capabilities: ["tcp-local"], answers: "open" });
      const overIp = answers.filter(({ witness }) => witness?.addr !== "UNKNOWN");
      expect({ overIp, limits }).toEqual({ overIp: [], limits: [] });
    },
  );

  it.each([
    "2001:db8:0:0:0:0:0:*",
    "2001:db8:* Address *:0:0:*:*:*:*:* Address !*:0:0:*::,*",
    // the zero before would be left out, too; and the first of two runs is
    "1:0::*",
    "1:0:0:2::?:4",
  ])("of zeros that are printed as ::, %s", (list) => {
    const config = configOf(`AllowTcpForwarding no\nMatch Address ${list}\n\tAllowTcpForwarding yes\n`);
    const { answers, limits } = exposure(config, { capabilities: ["tcp-local"], answers: "open" });
    expect({ witness: answers[0]?.witness?.addr, limits }).toEqual({ witness: undefined, limits: [] });
  });

  it("of text in a few addresses", () => {
    const config = configOf("Match Address ::1 Address 1*\n\tX11Forwarding yes\n");
    const { answers, limits } = exposure(config, { capabilities: ["x11"], answers: "open" });
    expect({ answers, limits }).toEqual({ answers: [], limits: [] });
  });

  it("of addresses", () => {
    fc.assert(
      fc.property(WANTED, (lists) => {
        const constraints = lists.map(([text, met]) => ({
          items: parseAddressList(text, NEWEST).items,
          met,
        }));
        const fits = (address: string): boolean =>
          constraints.every(({ items, met }) => (matchAddressList(address, items) === 1) === met);
        const found = findAddress(constraints, {
          nice: ["198.51.100.7", "2001:db8::1"].map(niceAddress),
          effort: fullEffort(),
        });
        if (found.kind === "found") expect(fits(found.value)).toBe(true);
        if (found.kind === "none") expect(ADDRESSES.filter(fits)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it("of IPv6 addresses as they are printed", () => {
    const printed = fc
      .array(fc.constantFrom("0", "0", "0", "1", "a", "10", "db8", "fd00"), { minLength: 8, maxLength: 8 })
      .map((groups) => printAddress(BigInt(`0x${groups.map((one) => one.padStart(4, "0")).join("")}`), 6));
    const pool = fc.sample(printed, { numRuns: 1500, seed: 27 }).filter((text) => !COMPATIBLE.test(text));
    const list = signedList(fc.oneof(withWildcard(pool), fc.constantFrom("*::*", "1::/16", "*:0:*", "*")));
    let unknown = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(list, fc.boolean()), { minLength: 1, maxLength: 3 }), (lists) => {
        const constraints = lists.map(([text, met]) => ({
          items: parseAddressList(text, NEWEST).items,
          met,
        }));
        const found = findAddress(constraints, { nice: [], family: 6, effort: fullEffort() });
        if (found.kind === "found") {
          expect(fits(found.value, constraints)).toBe(true);
          const [address = ""] = found.value.split("%");
          expect(valueOfV6(address), address).not.toBeNull();
        }
        if (found.kind === "none") expect(pool.filter((text) => fits(text, constraints))).toEqual([]);
        unknown += Number(found.kind === "unknown");
      }),
      { numRuns: RUNS / 10 },
    );
    expect(unknown).toBeLessThan(RUNS / 300);
  });

  it("of IPv6 text without its quick ways", () => {
    const groups = fc.array(fc.constantFrom("0", "0", "0", "1", "a"), { minLength: 8, maxLength: 8 });
    const values = fc.sample(groups, { numRuns: 500, seed: 28 }).map((all) => all.join(":"));
    const pool = values.map((text) => new URL(`http://[${text}]/`).hostname.slice(1, -1));
    const list = signedList(fc.oneof(withWildcard(pool), fc.constantFrom("*::*", "*:0:*", "*:*:*", "*1")));
    fc.assert(
      fc.property(fc.array(fc.tuple(list, fc.boolean()), { minLength: 1, maxLength: 3 }), (lists) => {
        const constraints = lists.map(([text, met]) => ({ items: parseAddressList(text).items, met }));
        const answer = followGroups({
          stretches: [{ low: 0n, high: LAST[6] }],
          lists: constraints.map(({ items, met }) => ({
            items: items.flatMap((item) => (item.kind === "text" ? [item] : [])),
            met,
          })),
          fitting: (text) => (fits(text, constraints) ? found(text) : NONE),
          effort: fullEffort(),
        });
        if (answer.kind === "found") expect(valueOfV6(answer.value), answer.value).not.toBeNull();
        if (answer.kind === "none") expect(pool.filter((text) => fits(text, constraints))).toEqual([]);
      }),
      { numRuns: RUNS / 30 },
    );
  });

  it("of link-local peers, whose interface may have any name", () => {
    const config = configOf(
      "AllowTcpForwarding no\nMatch Address fe80::1*c2 Address *d3c2\n\tAllowTcpForwarding yes\n",
    );
    const { answers } = exposure(config, { capabilities: ["tcp-local"], answers: "open" });
    expect(answers.map(({ allowed }) => allowed)).toEqual(["unknown"]);
  });

  it("of a client and the server address that it came to, which are of one family", () => {
    const isV6 = (address: string): boolean => address.includes(":");
    const places = ADDRESSES.flatMap((addr) =>
      [...V4.slice(0, 9), ...V6].flatMap((laddr) => (isV6(addr) === isV6(laddr) ? [{ addr, laddr }] : [])),
    );
    const holds = (text: string, list: string): boolean =>
      matchAddressList(text, parseAddressList(list, NEWEST).items) === 1;
    fc.assert(
      fc.property(LIST, LIST, (from, to) => {
        const config = configOf(`Match Address ${from} LocalAddress ${to}\n\tX11Forwarding yes\n`);
        const { answers, limits } = exposure(config, { capabilities: ["x11"], answers: "open" });
        const witness = answers[0]?.witness;
        if (witness?.addr != null && witness.laddr != null)
          expect(isV6(witness.addr)).toBe(isV6(witness.laddr));
        if (answers.length === 0 && limits.length === 0)
          expect(places.filter(({ addr, laddr }) => holds(addr, from) && holds(laddr, to))).toEqual([]);
      }),
      {
        numRuns: RUNS / 10,
        examples: [
          ["10.0.0.0/8", "2001:db8::/32"],
          ["*", "2001:db8::/32"],
        ],
      },
    );
  });

  const LETTERS = ["a", "b", "1", "."];
  const TEXTS = LETTERS.flatMap((a) =>
    ["", ...LETTERS].flatMap((b) => ["", ...LETTERS].map((c) => a + b + c)),
  );
  const PATTERN = fc
    .tuple(
      fc.constantFrom("", "", "!"),
      fc.array(fc.constantFrom(...LETTERS, "*", "?"), { minLength: 1, maxLength: 4 }),
    )
    .map(([sign, parts]) => sign + parts.join(""));
  const NAMES = fc.array(
    fc.tuple(
      fc.array(PATTERN, { minLength: 1, maxLength: 3 }),
      fc.constantFrom([1], [-1, 0], [-1], [0]) as fc.Arbitrary<readonly (-1 | 0 | 1)[]>,
    ),
    { maxLength: 3 },
  );

  it("of names, whatever bytes a name may have", () => {
    fc.assert(
      fc.property(NAMES, fc.constantFrom(/[:,]/, /[^0-9.]/, /[^ab.]/, /[^a]/), (lists, forbidden) => {
        const constraints = lists.map(([items, wanted]) => ({
          items: parsePatternList(items.join(",")),
          wanted,
        }));
        const fits = (name: string): boolean =>
          !forbidden.test(name) &&
          constraints.every(({ items, wanted }) => wanted.includes(matchPatternList(name, items)));
        const found = findName(constraints, { nice: [], forbidden, effort: fullEffort() });
        if (found.kind === "found") expect(fits(found.value)).toBe(true);
        if (found.kind === "none") expect(TEXTS.filter(fits)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
