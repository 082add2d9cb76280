import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchAddressList, parseAddress, parseAddressList } from "../grammar/addresses.ts";
import { printIPv6 } from "../grammar/print-address.ts";
import { parseRelease, type Release } from "../grammar/release.ts";

function release(text: string): Release {
  const found = parseRelease(text);
  if (found === null) throw new Error(text);
  return found;
}

describe("parseAddress follows glibc's getaddrinfo", () => {
  test.each([
    ["10.66051", [10, 1, 2, 3], "0"],
    ["0.255.0.10", [0, 255, 0, 10], "0"],
    ["010.0.0.1", [8, 0, 0, 1], "0"],
    ["00.0.0.1", [0, 0, 0, 1], "0"],
    ["1.2.3.0377", [1, 2, 3, 255], "0"],
    ["0x0A.0X1", [10, 0, 0, 1], "0"],
    ["10", [0, 0, 0, 10], "0"],
    ["4294967295", [255, 255, 255, 255], "0"],
    ["::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4], "0"],
    ["fe80::1%lo", [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "1"],
    ["fe80::1%eth0", [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "eth0"],
    ["::1%07", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "7"],
    ["1:2:3:4:5:6:7::", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0], "0"],
  ])("%s", (text, bytes, scope) => {
    expect(parseAddress(text)).toEqual({ bytes, scope });
  });

  test.each([
    "",
    "*",
    "[::1]",
    "10.0.0.300",
    "256.0.0.1",
    "1.2.3.",
    ".1.2.3",
    "1.2..4",
    "08.1",
    "0x",
    "1..2",
    "1.2.3.4.5",
    "1.2.3.4.0",
    "4294967296",
    " 1.2.3.4",
    "1.2.3.4 ",
    "host",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4::5:6:7:8",
    "::ffff:01.2.3.4",
    "::1%lo",
    "fe80::1%",
    "fe80::1%4294967296",
    "1.2.3.4%1",
  ])("%j is no address", (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe("masks", () => {
  const kinds = (list: string, version: string): string[] =>
    parseAddressList(list, release(version)).items.map((item) => item.kind);

  test.each([
    ["10.0.0.0/8", "9.2", "network"],
    ["10.0.0.0/33", "9.2", "invalid"],
    ["10.1.2.3/8", "9.2", "invalid"],
    ["10.1.2.3/8", "8.1", "invalid"],
    ["10.0.0.0/129", "9.7", "text"],
    ["10.0.0.0/129", "9.8", "invalid"],
    ["2001:db8::/129", "9.7", "text"],
    ["2001:db8::/129", "10.5", "invalid"],
    ["1.2.3.4/+32", "9.0", "network"],
    ["1.2.3.4/ 32", "9.0", "network"],
    ["1.2.3.4/+32", "9.1", "text"],
    ["1.2.3.4/ 32", "9.7", "text"],
    ["1.2.3.4/+32", "9.8", "network"],
    ["1.2.3.4/ 32", "9.8", "network"],
    ["0.0.0.0/-0", "9.0", "network"],
    ["0.0.0.0/-18446744073709551600", "9.0", "network"],
    ["0.0.0.0/-1", "9.8", "text"],
    ["10.0.0.0/", "9.2", "text"],
    ["10.0.0.0/", "10.5", "text"],
    ["10.0.0.0/2147483648", "10.5", "text"],
    ["10.0.0.0/8x", "10.5", "text"],
    [`${"1".repeat(62)}/8`, "10.5", "text"],
  ])("%s in %s is %s", (item, version, kind) => {
    expect(kinds(item, version)).toEqual([kind]);
  });

  test("the first bad item is named", () => {
    expect(parseAddressList("10.0.0.0/8,!10.1.2.3/8").error).toEqual({
      item: "10.1.2.3/8",
      start: 11,
      cause: "host-bits",
    });
    expect(parseAddressList("a,").error).toEqual({ item: "", start: 2, cause: "empty" });
    expect(parseAddressList("10.0.0.0/8").error).toBeNull();
  });
});

describe("matchAddressList", () => {
  test.each([
    ["10.1.2.3", "10.0.0.0/8", 1],
    ["10.1.2.3", "10.*", 1],
    ["10.1.2.3", "!192.0.2.0/24", 0],
    ["192.0.2.7", "!192.0.2.0/24,*", -1],
    ["192.0.2.7", "*,!192.0.2.0/24", -1],
    ["8.0.0.1", "010.0.0.1", 1],
    ["10.0.0.1", "010.0.0.1", 0],
    ["::ffff:1.2.3.4", "1.2.3.4", 0],
    ["::ffff:1.2.3.4", "::ffff:0:0/96", 1],
    ["2001:db8::1", "2001:DB8::*", 0],
    ["2001:db8::1", "2001:DB8::/32", 1],
    ["fe80::1", "fe80::/10", 1],
    ["fe80::1%lo", "fe80::/10", 0],
    ["fe80::1%lo", "fe80::*", 1],
    ["0.0.0.1", "0.0.0.0/31", 1],
    ["255.255.255.255", "0.0.0.0/0", 1],
    ["nonsense", "*", 0],
  ] as const)("%s in %s gives %d", (addr, list, expected) => {
    expect(matchAddressList(addr, parseAddressList(list).items)).toBe(expected);
  });

  test("before 8.4 a bad item kills the connection unless a negated one hits first", () => {
    const old = release("8.1");
    const match = (addr: string, list: string): unknown =>
      matchAddressList(addr, parseAddressList(list, old).items, old);
    expect(match("10.1.2.3", "10.1.2.3/8")).toBe("dies");
    expect(match("10.1.2.3", "10.0.0.0/8,")).toBe("dies");
    expect(match("10.1.2.3", "!10.0.0.0/8,10.1.2.3/8")).toBe(-1);
    expect(match("", "10.1.2.3/8")).toBe(0);
  });
});

test("addresses are printed as URLs have them, which shorten the first longest run of zeros, too", () => {
  const group = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const full = groups.map((each) => each.toString(16)).join(":");
      expect(`[${printIPv6(groups)}]`).toBe(new URL(`http://[${full}]/`).hostname);
    }),
  );
});
