/** The proof of a fix: who loses what, in words, and what moves although no finding names it. */
import { expect, test } from "vitest";
import { parseRelease } from "../grammar/release.ts";
import { RULES } from "../rules/index.ts";
import type { Change } from "../src/config/change.ts";
import { loadConfig } from "../src/config/load.ts";
import { folderTree } from "../src/files/folder.ts";
import type { Plan } from "../src/fix/plan.ts";
import { type FixProof, proveFix } from "../src/fix/proof.ts";
import { safeFix } from "../src/lint/fixes.ts";
import type { Rule } from "../src/lint/rule.ts";
import { fixRoot, MAIN, makeRoot } from "./auditing.ts";

function prove(before: string, after: string, keywords: readonly string[]): FixProof {
  const release = parseRelease("9.2");
  if (release === null) throw new Error("no release");
  const load = (text: string): Plan["before"] =>
    loadConfig(folderTree(makeRoot({ [MAIN]: text })), MAIN, { release });
  const changes = keywords.map((keyword): Change => ({ kind: "set-global", keyword, value: "no" }));
  const nothing = { files: [], fixed: [], remaining: [], left: [], moved: [], broken: [] };
  return proveFix({ ...nothing, before: load(before), after: load(after), changes }, null);
}

const DEPLOY = "Match User deploy\n  AllowTcpForwarding local\n  PermitOpen db:5432\n";

test("a closed default", () => {
  expect(prove("", "AllowTcpForwarding no\n", ["allowtcpforwarding"])).toEqual({
    losses: ["everybody loses -L -D -W -J, -R, socket forwards out, socket forwards in"],
    unasked: [],
    limits: [],
  });
});

test("an exception keeps what it has, and a closed one loses its destinations", () => {
  const open = `X11Forwarding no\n${DEPLOY}`;
  expect(prove(open, `AllowTcpForwarding no\n${open}`, ["allowtcpforwarding"]).losses).toEqual([
    "everybody, except user deploy, loses -L -D -W -J, -R, socket forwards out, socket forwards in",
  ]);
  const closed = open.replace("local", "no");
  expect(prove(open, closed, ["allowtcpforwarding"]).losses).toEqual([
    "user deploy loses -L -D -W -J to db:5432",
  ]);
});

test("a loss that no finding names, and any gain, are not asked for", () => {
  expect(prove("", "X11Forwarding no\nAllowAgentForwarding no\n", ["allowtcpforwarding"]).unasked).toEqual([
    "agent would be lost for everybody",
  ]);
  expect(
    prove("AllowTcpForwarding no\n", "AllowTcpForwarding local\n", ["allowtcpforwarding"]).unasked,
  ).toEqual(["tcp-local would be gained for everybody", "unix-local would be gained for everybody"]);
});

/** Rules of somebody's who does not know the values. */
const careless = (value: string): readonly Rule[] =>
  RULES.filter(({ id }) => id === "tcp-forwarding").map((rule) => ({
    ...rule,
    check: (...audited: Parameters<typeof rule.check>) =>
      rule.check(...audited).map((draft) => ({
        ...draft,
        fix: safeFix(value, [{ kind: "set-global", keyword: "allowtcpforwarding", value }]),
      })),
  }));

test.each([
  ["alone", ""],
  ["beside what was refused before", "PermitTunnel maybe\n"],
  ["beside the same in another place", "Match User a\nAllowTcpForwarding never\n"],
])("a result that sshd would refuse is known as one, %s", (_, text) => {
  const root = makeRoot({ [MAIN]: `AllowTcpForwarding yes\n${text}` });
  expect(fixRoot({ root, rules: careless("never") }).broken).toEqual([
    'bad-choice: unsupported option "never".',
  ]);
});

test("a setting that moves although no change names it is known", () => {
  const moved = (text: string, value: string): readonly unknown[] =>
    fixRoot({ root: makeRoot({ [MAIN]: text }), rules: careless(value) }).moved.map(
      ({ keyword, before, after, connection }) => [keyword, before, after, connection.user],
    );
  const text = "AllowTcpForwarding yes\nX11Forwarding no\n";
  expect(moved(text, "no")).toEqual([]);
  expect(moved(text, "no\nX11Forwarding no")).toEqual([]);
  const everywhere = moved(text, "no\nX11Forwarding yes");
  expect(new Set(everywhere.map((one) => JSON.stringify(one)))).toContain(
    JSON.stringify(["x11forwarding", "no", "yes", "root"]),
  );
  // for some connections alone
  const inBlock = moved(text, "no\nMatch User root\nX11Forwarding yes");
  expect(new Set(inBlock)).toEqual(new Set([["x11forwarding", "no", "yes", "root"]]));
});

test("a line that one finding narrows and another closes is closed at once, with no line too many and nothing left", () => {
  const block = "Match User a\nAllowTcpForwarding yes\nGatewayPorts clientspecified\n";
  const root = makeRoot({ [MAIN]: `AllowAgentForwarding no\nAllowTcpForwarding remote\n${block}` });
  const { files, left } = fixRoot({ root, rules: RULES });
  expect(files[0]?.after).toBe(
    `AllowAgentForwarding no\nAllowTcpForwarding no\n${block.replace("yes", "no")}`,
  );
  expect(left).toEqual([]);
});
