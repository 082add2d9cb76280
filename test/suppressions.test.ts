/** Comments that accept a finding: where they may stand, and what becomes of them. */
import { describe, expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import { auditRoot, fixRoot, MAIN, makeRoot } from "./auditing.ts";

const found = (text: string, release?: string): string[] =>
  auditRoot({
    root: makeRoot({ [MAIN]: text }),
    rules: RULES.filter(
      ({ id }) => id === "tcp-forwarding" || id === "x11-forwarding" || id === "suppression",
    ),
    ...(release === undefined ? {} : { release }),
  }).findings.map(({ rule, message }) => (rule === "suppression" ? `suppression: ${message}` : rule));

describe("a finding is accepted", () => {
  test.each([
    ["on the line before", "# sshd-policy: allow tcp-forwarding -- bastion\nAllowTcpForwarding yes\n"],
    ["at the end of the line", "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- bastion\n"],
    ["before the stock comment", "# sshd-policy: allow tcp-forwarding -- bastion\n#AllowTcpForwarding yes\n"],
    ["anywhere, where no line decides", "Port 22\n# sshd-policy: allow tcp-forwarding -- bastion\n"],
    ["for the whole file", "AllowTcpForwarding yes\n# sshd-policy: allow-file tcp-forwarding -- bastion\n"],
    [
      "above a further comment of this kind",
      "# sshd-policy: allow x11-forwarding -- a\n# sshd-policy: allow-file tcp-forwarding -- b\nX11Forwarding yes\n",
    ],
    ["with CRLF", "# sshd-policy: allow tcp-forwarding -- bastion\r\nAllowTcpForwarding yes\r\n"],
    [
      "until a day, behind the reason",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- b until 2099-11-24\n",
    ],
    [
      "until as a word of the reason",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- not until we move\n",
    ],
    ["until today", "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding until 2026-11-24 -- b\n"],
    [
      "by the old tokeniser's comments",
      "AllowTcpForwarding yes# sshd-policy: allow tcp-forwarding -- b\n",
      "8.4",
    ],
  ])("%s", (_, text, release?: string) => {
    expect(found(text, release)).toEqual([]);
  });

  test("two above one line", () => {
    const text =
      "# sshd-policy: allow tcp-forwarding -- a\n# sshd-policy: allow x11-forwarding -- b\nX11Forwarding yes\n";
    expect(found(`AllowTcpForwarding no\n${text}`)).toEqual([
      "suppression: this comment allows tcp-forwarding, and there is no such finding here any more",
    ]);
  });
});

describe("a finding stays", () => {
  test.each([
    [
      "a comment above a Match line, and a default that opens for everybody",
      "# sshd-policy: allow tcp-forwarding -- bob needs it\nMatch User bob\nX11Forwarding no\n",
      "this comment allows tcp-forwarding, and there is no such finding here any more",
    ],
    [
      "a comment inside a Match block, and a default that opens for everybody",
      "Match User bob\nX11Forwarding no # sshd-policy: allow tcp-forwarding -- bob needs it\n",
      "this comment allows tcp-forwarding, and there is no such finding here any more",
    ],
    [
      "another rule",
      "AllowTcpForwarding yes # sshd-policy: allow x11-forwarding -- bastion\n",
      "this comment allows x11-forwarding, and there is no such finding here any more",
    ],
    [
      "two lines before",
      "# sshd-policy: allow tcp-forwarding -- bastion\n\nAllowTcpForwarding yes\n",
      "this comment allows tcp-forwarding, and there is no such finding here any more",
    ],
    [
      "no reason",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding --  \n",
      "this comment allows tcp-forwarding without a reason: write it behind --",
    ],
    [
      "over, said behind the reason",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- b until 2026-11-23\n",
      "this comment allowed tcp-forwarding until 2026-11-23: it is over",
    ],
    [
      "an end without a reason",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- until 2099-11-23\n",
      "this comment allows tcp-forwarding without a reason: write it behind --",
    ],
    [
      "no such day",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding until 2099-02-31 -- b\n",
      'this comment allows tcp-forwarding until "2099-02-31", and that is no date: write 2027-01-31',
    ],
    [
      "no date at all",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding until tomorrow -- b\n",
      'this comment allows tcp-forwarding until "tomorrow", and that is no date: write 2027-01-31',
    ],
    [
      "over",
      "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding until 2026-11-23 -- b\n",
      "this comment allowed tcp-forwarding until 2026-11-23: it is over",
    ],
  ])("%s", (_, text, complaint) => {
    const findings = found(text);
    expect(findings).toContain("tcp-forwarding");
    expect(findings).toContain(`suppression: ${complaint}`);
  });
});

describe("a keyword that takes the rest of its line has no comment behind it", () => {
  const rules = RULES.filter(({ id }) => ["forced-command-still-forwards", "suppression"].includes(id));
  const MARK = "# sshd-policy: allow forced-command-still-forwards -- git only";
  const rulesOf = (text: string): string[] =>
    auditRoot({ root: makeRoot({ [MAIN]: text }), rules }).findings.map(({ rule }) => rule);

  test("before it the comment counts, behind it it is part of the command", () => {
    expect(rulesOf(`${MARK}\nForceCommand git-shell\n`)).toEqual([]);
    expect(rulesOf(`ForceCommand git-shell ${MARK}\n`)).toEqual(["forced-command-still-forwards"]);
  });

  test.each(["AuthorizedKeysCommand /bin/x", "AuthorizedPrincipalsCommand /bin/x", "VersionAddendum x"])(
    "%s",
    (line) => {
      const text = `ForceCommand git-shell\n${line} # sshd-policy: allow-file forced-command-still-forwards -- x\n`;
      expect(rulesOf(text)).toEqual(["forced-command-still-forwards"]);
    },
  );
});

describe("a suppression that is wrong is a finding", () => {
  test.each([
    [
      "allow-file without a reason",
      "AllowTcpForwarding no\n# sshd-policy: allow-file tcp-forwarding\n",
      "this comment allows tcp-forwarding without a reason: write it behind --",
    ],
    [
      "unused for the whole file",
      "AllowTcpForwarding no\n# sshd-policy: allow-file tcp-forwarding -- b\n",
      "this comment allows tcp-forwarding, and there is no such finding here any more",
    ],
    [
      "an unknown rule",
      "AllowTcpForwarding no # sshd-policy: allow no-such-rule -- b\n",
      'this comment allows "no-such-rule", and there is no such rule',
    ],
    [
      "not understood",
      "AllowTcpForwarding no # sshd-policy: ignore everything\n",
      "this comment is not understood: write # sshd-policy: allow RULE -- reason",
    ],
  ])("%s", (_, text, complaint) => {
    expect(found(text)).toEqual([`suppression: ${complaint}`]);
  });
});

test("what is accepted is not fixed", () => {
  const text =
    "AllowTcpForwarding yes # sshd-policy: allow tcp-forwarding -- bastion\nAllowAgentForwarding no\n";
  const rules = RULES.filter(({ id }) => id === "tcp-forwarding");
  expect(fixRoot({ root: makeRoot({ [MAIN]: text }), rules }).files).toEqual([]);
});
