/** What a probe's table says of a cell in which not all attempts went the same way. */
import { Chalk } from "chalk";
import { expect, test } from "vitest";
import type { Request } from "../src/policy/attempt.ts";
import type { ProbedAttempt } from "../src/policy/probed.ts";
import { probeTable } from "../src/report/probe.ts";

const connection = {
  ...{ user: "bob", groups: [], host: "192.0.2.9", addr: "192.0.2.9", laddr: "192.0.2.1", lport: 22 },
  ...{ rdomain: "", invalidUser: false, version: null, sessionType: null, command: null },
} as unknown as ProbedAttempt["connection"];

function tried(target: string, observed: "open" | "refused" | null): ProbedAttempt {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(target) ?? [];
  const request: Request = { kind: "open-tcp", host, port: Number(port) };
  const nothing = { listensAt: null, needs: null, untried: null };
  const seen = {
    answeredAt: [],
    dialled: [],
    detail: "",
    why: observed === null ? "untried" : "observed",
  } as const;
  return {
    connection,
    attempt: { capability: "tcp-local", request, predicted: observed ?? "open", ...nothing },
    observation: { observed, ...seen },
  };
}

/** The lines of the one row. */
function rowOf(open: readonly string[], refused: readonly string[]): readonly string[] {
  const attempts = [
    ...open.map((target) => tried(target, "open")),
    ...refused.map((target) => tried(target, "refused")),
    tried("never:1", null),
  ];
  const table = { path: "x", sshd: "y", attempts, changes: [], limits: [], assumptions: [] };
  const lines = probeTable(table, new Chalk({ level: 0 })).split("\n");
  return lines.slice(4, lines.indexOf("", 4)).map((line) => line.trim());
}

const ROW = "bob 192.0.2.9 to 192.0.2.1:22";

test("the targets that were let through are named, names first, four of them", () => {
  expect(rowOf(["10.0.0.1:80", "*:1", "db:5432"], ["no:1"])).toEqual([
    `${ROW}  3 of 4 open`,
    "TCP out    db:5432, 10.0.0.1:80, *:1",
  ]);
  const many = ["1.1.1.1:1", "a:1", "b:1", "c:1", "d:1", "d:1"];
  expect(
    rowOf(
      many,
      many.map((target) => `not-${target}`),
    ).at(-1),
  ).toBe("TCP out    a:1, b:1, c:1, d:1 and 1 more");
});

test("those that were refused are, where they are fewer than many", () => {
  expect(rowOf(["a:1", "b:1", "c:1", "d:1", "e:1"], ["::1:22", "no:1"])).toEqual([
    `${ROW}  5 of 7 open`,
    "TCP out    all but no:1, [::1]:22",
  ]);
});

test("where all went the same way nothing is named", () => {
  expect(rowOf(["a:1", "b:1"], [])).toEqual([`${ROW}  open`]);
  expect(rowOf([], ["a:1", "b:1"])).toEqual([`${ROW}  refused`]);
});

test("the whole table: rows by connection, what differs, why what was not seen was not, the sum", () => {
  const of = (probed: ProbedAttempt, user: string, host = "192.0.2.9"): ProbedAttempt => ({
    ...probed,
    connection: { ...connection, user, host },
  });
  const unseen = (user: string, why: "needs" | "untried", detail: string): ProbedAttempt => {
    const { attempt, observation, ...probed } = tried("db:5432", null);
    const capability = why === "untried" ? "agent" : attempt.capability;
    const unseen = { attempt: { ...attempt, capability }, observation: { ...observation, why, detail } };
    return of({ ...probed, ...unseen }, user);
  };
  const wrong = tried("db:5432", "open");
  const attempts = [
    of(tried("a:1", "open"), "bob", "client.example"),
    of(
      {
        ...wrong,
        attempt: { ...wrong.attempt, predicted: "refused" },
        observation: { ...wrong.observation, detail: "it answered" },
      },
      "eve",
    ),
    ...["u1", "u2", "u3", "u4"].map((user) => unseen(user, "needs", "a device")),
    unseen("u1", "untried", "no sshd"),
  ];
  const report = { path: "x", sshd: "y", changes: ["c"], limits: ["l"], assumptions: ["a"] };
  const table = (some: readonly ProbedAttempt[]): string =>
    probeTable({ ...report, attempts: some }, new Chalk({ level: 0 }));
  expect(table(attempts)).toBe(`x: what a real sshd does
y; 7 attempts on 6 connections

                                                  TCP out      agent
  bob 192.0.2.9 (client.example) to 192.0.2.1:22  open         -
  eve 192.0.2.9 to 192.0.2.1:22                   open !       -
  u1 192.0.2.9 to 192.0.2.1:22                    -            -
  u2 192.0.2.9 to 192.0.2.1:22                    -            -
  u3 192.0.2.9 to 192.0.2.1:22                    -            -
  u4 192.0.2.9 to 192.0.2.1:22                    -            -

difference  tcp-local db:5432: predicted refused, seen open
            it answered
            -C user=eve,host=192.0.2.9,addr=192.0.2.9,laddr=192.0.2.1,lport=22,rdomain=
not seen, it needs: a device (tcp-local for u1, tcp-local for u2, tcp-local for u3 and 1 more)
not tried: no sshd (agent for u1)
not complete: l
taken for granted: a
changed: c
2 seen, 1 not as predicted
`);
  expect(table(attempts.slice(0, 1))).toContain("\n1 seen, all as predicted\n");
  expect(table(attempts.slice(2))).toContain("\nnothing seen\n");
});
