import { describe, expect, test } from "vitest";
import { readMatch } from "../grammar/match.ts";
import { parseText } from "../grammar/parser.ts";
import { parseRelease, type Release } from "../grammar/release.ts";
import type { DirectiveLine } from "../grammar/tree.ts";

function release(text: string): Release {
  const found = parseRelease(text);
  if (found === null) throw new Error(text);
  return found;
}

function read(text: string, version: string): string {
  const at = release(version);
  const line = parseText(text, at).lines.find((found): found is DirectiveLine => found.kind === "directive");
  if (line === undefined) return "no line";
  const { criteria, problems } = readMatch(line, at);
  if (criteria === null) return problems.map(({ message }) => message).join(" | ");
  const silent = problems.map(({ code }) => ` (${code})`).join("");
  return (
    criteria.map((one) => ("text" in one ? `${one.attribute}:${one.text}` : one.attribute)).join(" ") + silent
  );
}

const BAD = " | Bad Match condition";

describe("the forms of semantics 5.1", () => {
  test.each([
    ["Match User alice", "9.8 9.9p1 9.9p2 10.5", "user:alice"],
    ["Match User=alice", "8.4 9.2 9.8 9.9p2 10.5", "user:alice"],
    ["Match User=alice", "9.9p1", `Missing Match criteria for User=alice${BAD}`],
    ["Match User = alice", "8.4 9.2 9.8", "user:alice"],
    ["Match User = alice", "9.9p1 9.9p2 10.5", `Missing Match criteria for alice${BAD}`],
    ["Match User =alice", "9.2 9.8", "user:alice"],
    ["Match User =alice", "9.9p1 10.5", "user:=alice"],
    ["Match User==alice", "9.9p2 10.5", "user:=alice"],
    ["Match User==alice", "9.9p1", `Missing Match criteria for User==alice${BAD}`],
    ["Match User==alice", "9.2", `Missing Match criteria for User${BAD}`],
    ['Match "User"=alice', "9.9p2 10.5", "user:alice"],
    ['Match User "alice"', "8.4 9.2 9.9p1 10.5", "user:alice"],
    ["Match User 'alice'", "8.4 9.2 9.8", "user:'alice'"],
    ["Match User 'alice'", "9.9p1 10.5", "user:alice"],
    ['Match User al"i"ce', "9.9p1 10.5", "user:alice"],
    ["Match User alice # c", "8.4 9.2 9.8 9.9p1 10.5", "user:alice"],
    ["Match user a GROUP b Host c", "7.4 9.2 10.5", "user:a group:b host:c"],
    ["Match User a User b", "9.2", "user:a user:b"],
    ["Match all", "7.4 8.4 9.2 10.5", "all"],
    ["Match all # c", "7.4 8.4 9.2 10.5", "all"],
    ["Match all User x", "8.4 9.2 10.5", `'all' cannot be combined with other Match attributes${BAD}`],
    ["Match User x all", "8.4 9.2 10.5", `'all' cannot be combined with other Match attributes${BAD}`],
    ["Match User a, b", "9.2 10.5", `Missing Match criteria for b${BAD}`],
    ["Match User a, b c", "9.2", `Unsupported Match attribute b${BAD}`],
    ["Match LocalPort 22,2222", "9.2", `Invalid LocalPort '22,2222' on Match line${BAD}`],
    ["Match LocalPort 022", "9.2", "localport:022"],
    ["Match LocalPort ssh", "7.9 9.2", "localport:ssh (service-name)"],
    ["Match LocalPort ssh", "7.8", `Invalid LocalPort 'ssh' on Match line${BAD}`],
    ["Match RDomain x", "7.6", `Unsupported Match attribute RDomain${BAD}`],
    ["Match RDomain x", "7.7", "rdomain:x"],
    ["Match Version x", "9.9p2", `Unsupported Match attribute Version${BAD}`],
    ["Match Version x", "10.0", "version:x"],
    ["Match Version=x", "10.0", "version:x"],
    ["Match Version=x", "9.9p2", `Missing Match criteria for Version=x${BAD}`],
    ["Match invalid-user", "9.9p1 10.5", "invalid-user"],
    ["Match invalid-user", "9.8", `Missing Match criteria for invalid-user${BAD}`],
    ["Match Exec x", "9.2 10.5", `Unsupported Match attribute Exec${BAD}`],
    ["Match Address 10.1.2.3/8", "8.4 9.2 10.5", "Invalid Match address argument '10.1.2.3/8' at line 1"],
    ["Match LocalAddress 1.2.3.4/33", "9.2", "Invalid Match localaddress argument '1.2.3.4/33' at line 1"],
    ["Match Address 10.1.2.3/8", "7.4 8.3", "address:10.1.2.3/8 (match-address-lockout)"],
    ['Match User alice "# x"', "9.2 10.5", "user:alice"],
    ['Match User "# x"', "9.2 10.5", `Missing Match criteria for User${BAD}`],
    ['Match User alice "Address 1.2.3.4', "7.4 8.6", "user:alice"],
    ['Match User alice "" x', "8.6", 'garbage at end of line; "x".'],
    ['Match User alice "" "" x', "8.6", "user:alice"],
    ['Match User alice "" x', "9.2", "keyword Match extra arguments at end of line"],
    ['Match User alice ""', "8.6 9.2", "user:alice"],
    ['Match User alice ""', "10.5", `Missing Match criteria for ${BAD}`],
    ['Match all "" x', "9.2 10.5", "keyword Match extra arguments at end of line"],
    ["Match all===", "9.2", "keyword Match extra arguments at end of line"],
    ['Match all ""=', "9.2", "keyword Match extra arguments at end of line"],
    ["Match User alice ===", "9.2", "keyword Match extra arguments at end of line"],
    ["Match User alice ==", "9.2", "user:alice"],
    ["Match # x", "9.2", `One or more attributes required for Match${BAD}`],
  ])("%s on %s", (text, versions, expected) => {
    for (const version of versions.split(" "))
      expect(`${version} ${read(text, version)}`).toBe(`${version} ${expected}`);
  });
});
