import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchHostList, matchPattern, matchPatternList, parsePatternList } from "../grammar/patterns.ts";
import { parseRelease, type Release } from "../grammar/release.ts";
import { timed } from "./cpu-time.ts";

function release(text: string): Release {
  const found = parseRelease(text);
  if (found === null) throw new Error(text);
  return found;
}

/** The definition, exponential and obviously right. */
function matches(text: string, pattern: string): boolean {
  if (pattern === "") return text === "";
  const rest = pattern.slice(1);
  if (pattern[0] === "*") return matches(text, rest) || (text !== "" && matches(text.slice(1), pattern));
  return text !== "" && (pattern[0] === "?" || pattern[0] === text[0]) && matches(text.slice(1), rest);
}

/** The loop of 8.4 and older as it stands in match.c: `*` before another wildcard never tries the empty rest. */
function matchesIn84(text: string, pattern: string): boolean {
  if (pattern === "") return text === "";
  const rest = pattern.slice(1);
  if (pattern[0] !== "*")
    return text !== "" && (pattern[0] === "?" || pattern[0] === text[0]) && matchesIn84(text.slice(1), rest);
  if (rest === "") return true;
  for (let at = 0; at < text.length; at++) if (matchesIn84(text.slice(at), rest)) return true;
  return false;
}

const small = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 7 });
const text = fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 7 });

describe("matchPattern", () => {
  test("agrees with the definition", () => {
    fc.assert(fc.property(text, small, (t, p) => matchPattern(t, p) === matches(t, p)));
  });

  test("up to 8.4 agrees with the old loop", () => {
    const old = release("8.4");
    fc.assert(fc.property(text, small, (t, p) => matchPattern(t, p, old) === matchesIn84(t, p)));
    expect(matchPattern("a", "a**", old)).toBe(false);
    expect(matchPattern("a", "a**", release("8.5"))).toBe(true);
  });

  test("a pattern with 10,000 wildcards ends quickly", () => {
    const { result, cpuSeconds } = timed(() => matchPattern("a".repeat(10_000), `${"*a".repeat(5000)}*b`));
    expect(result).toBe(false);
    expect(cpuSeconds).toBeLessThan(1);
  });
});

describe("pattern lists", () => {
  test.each([
    ["alice", "alice,bob", 1],
    ["carol", "alice,bob", 0],
    ["alice", "!alice", -1],
    ["bob", "!alice", 0],
    ["bob", "!alice,*", 1],
    ["bob", "*,!bob", -1],
    ["bob", "!!bob,*", 1],
    ["!bob", "!!bob,*", -1],
    ["", "", 0],
    ["", ",", 1],
    ["", "a,", 0],
    ["", "a,,b", 1],
    ["", "a,!", -1],
    ["x", `x,${"y".repeat(1023)}`, 0],
    ["x", `x,${"y".repeat(1022)}`, 1],
    ["x", `!x,${"y".repeat(1023)}`, -1],
    ["\xc4", "\xe4", 0],
  ] as const)("%j in %j gives %d", (name, list, expected) => {
    expect(matchPatternList(name, parsePatternList(list))).toBe(expected);
  });

  test("hosts fold ASCII only", () => {
    expect(matchHostList("Host.EXAMPLE", parsePatternList("*.Example"))).toBe(1);
    expect(matchHostList("\xc4", parsePatternList("\xe4"))).toBe(0);
  });
});
