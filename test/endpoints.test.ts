/** Lists of PermitOpen and PermitListen against what a policy file wants, by brute force over what a client may ask for. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchPattern } from "../grammar/patterns.ts";
import { compareIntent } from "../src/lint/intended.ts";
import { intentOf } from "./auditing.ts";
import { configOf } from "./configurations.ts";

const PORTS = ["80", "5432", "9"];
const PLACES = ["localhost", "locals", "localhos", "lxcalhost", "l", "db", "", "zz", "127.0.0.1"].flatMap(
  (host) => PORTS.map((port) => ({ host, port })),
);

interface Kind {
  readonly capability: "tcp-local" | "tcp-remote";
  readonly keyword: string;
  readonly field: "to" | "listen";
  readonly hosts: readonly string[];
  /** channels.c open_match, remote_open_match */
  readonly fits: (host: string, item: string) => boolean;
}

const KINDS: readonly Kind[] = [
  {
    ...{ capability: "tcp-local", keyword: "PermitOpen", field: "to" },
    hosts: ["localhost", "db", "*", "LOCALHOST", "l*", "zz"],
    fits: (host, item) => item === "*" || item === host,
  },
  {
    ...{ capability: "tcp-remote", keyword: "PermitListen", field: "listen" },
    hosts: ["localhost", "local*", "l*", "l?calhos*", "LOCALHOST", "*", "**", "?*", "db", "127.0.0.1"],
    fits: (host, item) => matchPattern(host, item),
  },
];

interface Item {
  readonly host: string;
  readonly port: string;
}

describe.each(KINDS)("$keyword", ({ capability, keyword, field, hosts, fits }) => {
  const ITEMS = fc.array(
    fc.record({ host: fc.constantFrom(...hosts), port: fc.constantFrom("80", "5432", "*") }),
    { minLength: 1, maxLength: 3 },
  );
  const isIn = (items: readonly Item[], { host, port }: Item): boolean =>
    items.some((item) => fits(host, item.host) && (item.port === "*" || item.port === port));
  const textsOf = (items: readonly Item[]): string[] => items.map(({ host, port }) => `${host}:${port}`);
  /** of the first side, and not of the second */
  const beyond = (some: readonly Item[], others: readonly Item[]): readonly Item[] =>
    PLACES.filter((place) => isIn(some, place) && !isIn(others, place));

  it("opens no more than is allowed, or that is reported; and gives all that is kept, or that is a loss", () => {
    fc.assert(
      fc.property(ITEMS, ITEMS, (given, wanted) => {
        const config = configOf(
          `AllowStreamLocalForwarding no\nAllowAgentForwarding no\n${keyword} ${textsOf(given).join(" ")}\n`,
        );
        const entry = { capability, [field]: textsOf(wanted), reason: "r" };
        const ask = (lists: object) =>
          compareIntent(config, intentOf(JSON.stringify({ version: 1, ...lists })), {
            // whether a port is a low one is not the question here
            ...{ accounts: null, today: "2026-01-01", unprivilegedPortStart: 0 },
          });
        const { beyond: partly, unwanted } = ask({ allow: [entry] });
        const excess = [
          ...partly.map(({ answer }) => answer),
          ...unwanted.answers.filter(({ allowed }) => allowed !== false),
        ].filter((answer) => answer.capability === capability);
        const { losses } = ask({ keep: [entry] });
        const what = [textsOf(given), textsOf(wanted)];
        if (beyond(given, wanted).length > 0) expect([what, excess.length]).not.toEqual([what, 0]);
        if (beyond(wanted, given).length > 0) expect([what, losses.length]).not.toEqual([what, 0]);
        // one item against one: nothing is said without cause
        if (given.length + wanted.length > 2 || PLACES.every((place) => !isIn(given, place))) return;
        expect([what, excess.length]).toEqual([what, beyond(given, wanted).length > 0 ? 1 : 0]);
        if (PLACES.some((place) => isIn(wanted, place)))
          expect([what, losses.length]).toEqual([what, beyond(wanted, given).length > 0 ? 1 : 0]);
      }),
      { numRuns: Number(process.env["THEORIES"] ?? 500) },
    );
  }, 60_000);
});
