/** A list that grants nothing names the line that closes it. */
import { describe, expect, test } from "vitest";
import { rule } from "../rules/dead-permit-open.ts";
import { positionAt } from "../src/source/source.ts";
import { auditRoot, MAIN, makeRoot } from "./auditing.ts";

describe("dead-permit-open names what closes", () => {
  test.each([
    ["AllowTcpForwarding no\nPermitOpen db:5432\n", ['1 "AllowTcpForwarding no" closes it']],
    ["DisableForwarding yes\nPermitOpen db:5432\n", ['1 "DisableForwarding yes" closes it']],
    [
      "Match User bob\n  AllowTcpForwarding remote\n  PermitOpen db:5432\nMatch all\n  AllowTcpForwarding no\n",
      ['2 "AllowTcpForwarding remote" closes it'],
    ],
    [
      "PermitListen 8080\nAllowTcpForwarding local\nPermitOpen db:5432\n",
      ['2 "AllowTcpForwarding local" closes it'],
    ],
  ])("%j", (text, expected) => {
    const { findings } = auditRoot({ root: makeRoot({ [MAIN]: text }), rules: [rule] });
    const notes = findings.flatMap(({ related }) =>
      related.map(({ place, note }) => `${positionAt(place.source, place.start).line} ${note}`),
    );
    expect(notes).toEqual(expected);
  });
});
