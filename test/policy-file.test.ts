/** The policy file as text: what it means, its mistakes with line and column, and its JSON Schema. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { RULES } from "../rules/index.ts";
import { readPolicyFile } from "../src/lint/policy-file.ts";

const schema = JSON.parse(readFileSync(new URL("../schemas/policy-file.json", import.meta.url), "utf8"));
const fitsSchema = new Ajv2020({ allowUnionTypes: true }).compile(schema);

function read(text: string): ReturnType<typeof readPolicyFile> {
  return readPolicyFile("p", text, { rules: RULES.map(({ id }) => id), profiles: ["default", "strict"] });
}

function mistakesOf(text: string): readonly string[] {
  const found = read(text);
  return "mistakes" in found ? found.mistakes : [];
}

const ENTRY = "capability: tcp-local, reason: r";

describe("a policy file that is right", () => {
  it.each([
    "version: 1\n",
    "version: 1\nprofile: strict\nfail-on: high\nallow-forwarding: remote\n",
    "version: 1\nrules: { syntax: high, x11-forwarding: { severity: low }, agent-forwarding: { off: jump host } }\n",
    "version: 1\nallow: []\n",
    "version: 1\nallow:\n  - capability: all\n    reason: lab\n",
    'version: 1\nallow:\n  - users: ["*", "!root"]\n    groups: dev\n    from: [10.0.0.0/8, 2001:db8::/32, 192.168.*]\n    server-port: 2222\n    capability: [tcp-local, unix-local]\n    to: [db:5432, "[::1]:22", "*:443", /run/x.sock]\n    reason: r\n    owner: o@example.com\n    until: 2027-01-31\n',
    "version: 1\nallow:\n  - { capability: tcp-remote, listen: [9000, localhost:8080, any], bind: any, reason: r }\n",
    "version: 1\nkeep:\n  - { users: deploy, from: 10.0.0.0/8, capability: tcp-local, to: db:5432 }\n",
  ])("%j", (text) => {
    expect(mistakesOf(text)).toEqual([]);
    expect(fitsSchema(parse(text)), JSON.stringify(fitsSchema.errors)).toBe(true);
  });

  it("may be empty or begin with a byte order mark", () => {
    expect(mistakesOf("")).toEqual([]);
    expect(mistakesOf("# nothing yet\n")).toEqual([]);
    expect(mistakesOf("\xef\xbb\xbfversion: 1\r\nfail-on: low\r\n")).toEqual([]);
    expect(mistakesOf("\xef\xbb\xbfversion: 1\nfail_on: low\n").join()).toContain(
      "p:2:1: a policy file has no",
    );
  });

  it("says who, what and until when", () => {
    const found = read(
      "version: 1\nkeep:\n  - { users: [a, b], from: 10.0.0.0/8, capability: tcp-local, to: db:5432, until: 2027-01-31 }\n  - { capability: tcp-remote, listen: 9000, bind: any }\n",
    );
    expect(found).toMatchObject({
      allow: null,
      keep: [
        {
          grant: {
            criteria: [
              { attribute: "user", text: "a,b" },
              { attribute: "address", text: "10.0.0.0/8" },
            ],
            capabilities: ["tcp-local"],
            destinations: ["db:5432"],
            bind: "loopback",
          },
          until: "2027-01-31",
        },
        { grant: { capabilities: ["tcp-remote"], listen: ["9000"], bind: "any" }, until: null },
      ],
    });
  });
});

describe("a mistake", () => {
  /** text, place and words of the message, and whether the schema finds it, too */
  const MISTAKES: readonly (readonly [string, string, boolean])[] = [
    ["profile: strict\n", 'p:1:1: the first line must say "version: 1"', true],
    ["version: 2\n", 'p:1:10: "version" is one of 1, not "2"', true],
    ["- version: 1\n", 'p:1:1: a policy file must hold "name: value" lines', true],
    ["version: 1\nfail_on: low\n", 'p:2:1: a policy file has no "fail_on": did you mean "fail-on"?', true],
    [
      "version: 1\nfail-on: hi\n",
      'p:2:10: "fail-on" is one of info, low, medium, high, error, not "hi"',
      true,
    ],
    ["version: 1\nversion: 1\n", "p:2:1: Map keys must be unique", false],
    ["version: 1\nrules:\n  syntax: off\n", "p:3:11: syntax is switched off without a reason", true],
    ["version: 1\nrules:\n  syntax: { off: }\n", 'p:3:13: "off" has no value', true],
    [
      "version: 1\nrules: { syntax: { off: yes } }\n",
      "p:2:25: syntax is switched off without a reason",
      false,
    ],
    [
      "version: 1\nrules: { syntax: { off: r, severity: low } }\n",
      "p:2:25: syntax has a severity and is",
      true,
    ],
    ["version: 1\nrules:\n", 'p:2:1: "rules" has no value', true],
    ["version: 1\nallow: db\n", 'p:2:8: "allow" must be a list', true],
    ["version: 1\nallow: [{ capability: tcp-local }]\n", 'p:2:9: an entry of "allow" needs a "reason"', true],
    ["version: 1\nkeep: [{ users: a }]\n", 'p:2:8: an entry needs a "capability"', true],
    [
      `version: 1\nallow: [{ capability: tcp, reason: r }]\n`,
      'p:2:23: "capability" is one of tcp-local',
      true,
    ],
    [`version: 1\nallow: [{ ${ENTRY}, user: a }]\n`, 'has no "user": did you mean "users"?', true],
    [`version: 1\nallow: [{ ${ENTRY}, users: "!root" }]\n`, '"users" holds only exceptions', false],
    [`version: 1\nallow: [{ ${ENTRY}, users: [] }]\n`, '"users" is an empty list', true],
    [
      `version: 1\nallow: [{ ${ENTRY}, from: 10.1.2.3/8 }]\n`,
      '"10.1.2.3/8" has bits set behind its mask',
      false,
    ],
    [`version: 1\nallow: [{ ${ENTRY}, from: office }]\n`, '"office" is no address and no network', false],
    [`version: 1\nallow: [{ ${ENTRY}, to: db }]\n`, '"db" is no HOST:PORT and not any', false],
    [`version: 1\nallow: [{ ${ENTRY}, to: "db:65536" }]\n`, '"db:65536" is no HOST:PORT and not any', false],
    [
      "version: 1\nallow: [{ capability: tcp-remote, listen: 99999, reason: r }]\n",
      '"99999" is no PORT, no HOST:PORT and not any',
      false,
    ],
    ["version: 1\n---\nallow: []\n", "p:2:1: a second document begins here, which would not count", false],
    [`version: 1\nallow: [{ ${ENTRY}, listen: 80 }]\n`, '"listen" goes with tcp-remote only', false],
    [`version: 1\nallow: [{ ${ENTRY}, until: 31.1.2027 }]\n`, '"until" is a day like 2027-01-31', true],
    [`version: 1\nallow: [{ ${ENTRY}, until: 2027-02-30 }]\n`, '"until" is a day like 2027-01-31', false],
    [`version: 1\nallow: [{ ${ENTRY}, server-port: 99999 }]\n`, '"server-port" is one number', false],
    [`version: 1\nallow: [{ ${ENTRY}, server-port: 65536 }]\n`, '"server-port" is one number', false],
    [`version: 1\nallow: [{ ${ENTRY}, server-port: [22, 2222] }]\n`, '"server-port" is one number', true],
    [`version: 1\nallow: [{ ${ENTRY}, users: "a,,b" }]\n`, '"users" holds an empty name', false],
    [`version: 1\nallow: [{ ${ENTRY}, users: [[a]] }]\n`, '"users" must be one value', true],
    [`version: 1\nallow: [{ ${ENTRY}, from: 10.0.0.0/33 }]\n`, '"10.0.0.0/33" has a mask that is too', false],
    [`version: 1\nallow: [{ ${ENTRY}, bind: all }]\n`, '"bind" goes with tcp-remote only', false],
    [
      "version: 1\nallow: [{ capability: x11, to: db:1, reason: r }]\n",
      '"to" goes with tcp-local, unix-local and unix-remote only',
      false,
    ],
    [
      "version: 1\nallow: [{ capability: unix-local, to: db, reason: r }]\n",
      '"db" is no path of a socket and not any',
      false,
    ],
    ["version: 1\nrules: { syntax: {} }\n", 'syntax needs "severity" or "off"', true],
    [
      "version: 1\nrules: { syntax: hi }\n",
      '"syntax" is one of info, low, medium, high, error, not "hi"',
      true,
    ],
    ["version: 1\nrules: &a {}\nkeep: *a\n", "must be a list", false],
    ["version: 1\nprofile: !!str strict\n", "tags are not read here", false],
    ["version: 1\nallow: [\n", "p:3:1:", false],
    ["\tversion: 1\n", "p:1:1:", false],
  ];

  it.each(MISTAKES)("%j: %s", (text, message, inSchema) => {
    const mistakes = mistakesOf(text);
    expect(mistakes.join("\n")).toContain(message);
    if (inSchema) expect(fitsSchema(parse(text))).toBe(false);
  });

  it("never throws and never takes long, whatever the bytes are", () => {
    for (const text of [
      "[".repeat(20_000),
      "a: ".repeat(5_000),
      "\0\x1b[2J",
      "- &a [*a, *a]\n",
      "x".repeat(100_000),
    ])
      expect(mistakesOf(text).length, text.slice(0, 20)).toBeGreaterThan(0);
  });
});
