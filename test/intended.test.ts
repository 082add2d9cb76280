/** The policy file against the policy, in both directions, by brute force over a small universe of connections. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Account } from "../src/files/tree.ts";
import { compareIntent, type Intended } from "../src/lint/intended.ts";
import type { Answer } from "../src/policy/answer.ts";
import { CAPABILITIES, type Capability, type Connection } from "../src/policy/connection.ts";
import { criterionHolds, evaluate, isAnswer } from "../src/policy/evaluate.ts";
import type { Grant } from "../src/policy/grant.ts";
import { locate } from "../src/policy/locate.ts";
import { intentOf } from "./auditing.ts";
import { configOf, releaseOf } from "./configurations.ts";
import { isOpen, POLICY, universe } from "./policies.ts";

const WHO = fc.constantFrom(
  {},
  { users: "alice" },
  { users: ["*", "!root"] },
  { users: ["bob", "dev-*"] },
  { groups: "staff" },
  { groups: ["*", "!admins"] },
  { from: "10.0.0.0/8" },
  { from: ["10.1.0.0/16", "2001:db8::/32"] },
  { users: "alice", from: "*" },
  { "server-port": 2222 },
);
const ENTRY = fc
  .tuple(
    WHO,
    fc.subarray(["all", ...CAPABILITIES], { minLength: 1, maxLength: 3 }),
    fc.constantFrom("loopback", "any"),
  )
  .map(([who, capability, bind]) => ({
    ...who,
    capability,
    ...(capability.includes("tcp-remote") || capability.includes("all") ? { bind } : {}),
    reason: "r",
  }));

function isGranted(
  grants: readonly Grant[],
  capability: Capability,
  connection: Connection,
  bind: string,
): boolean {
  return grants.some(
    (grant) =>
      grant.capabilities.includes(capability) &&
      (capability !== "tcp-remote" || bind === "loopback" || grant.bind === "any") &&
      isMeant(grant, connection),
  );
}

function isMeant(grant: Grant, connection: Connection): boolean {
  return grant.criteria.every(
    (criterion) => criterionHolds(criterion, connection, releaseOf("10.0")) === true,
  );
}

/** Answers that rules report as not allowed, whole or in part. */
function reported({ unwanted, beyond }: Intended): Answer[] {
  return [
    ...unwanted.answers.filter(({ allowed }) => allowed !== false),
    ...beyond.map(({ answer }) => answer),
  ];
}

it("every excess and every loss is reported with a witness, and nothing else is", () => {
  fc.assert(
    fc.property(
      POLICY,
      fc.array(ENTRY, { maxLength: 3 }),
      fc.array(ENTRY, { maxLength: 2 }),
      (text, allow, keep) => {
        const config = configOf(text, "10.0");
        const intent = intentOf(JSON.stringify({ version: 1, allow, keep }));
        const intended = compareIntent(config, intent, { accounts: null, today: "2026-01-01" });
        expect(intended.everything.complete).toBe(true);
        const grants = [...(intent.allow ?? []), ...intent.keep].map(({ grant }) => grant);
        const excess = reported(intended);
        for (const { witness, capability, listen } of excess) {
          expect(witness).not.toBeNull();
          if (witness === null) continue;
          const effective = evaluate(config, witness);
          expect(isAnswer(effective) && isOpen(effective, capability)).toBe(true);
          expect(isGranted(grants, capability, witness, listen?.bind ?? "loopback")).toBe(false);
        }
        for (const { witness, capability, grant, kind } of intended.losses) {
          expect(witness === null ? "" : isMeant(grant, witness)).toBe(kind === "nobody" ? "" : true);
          const effective = witness === null ? null : evaluate(config, witness);
          if (kind === "closed")
            expect(effective !== null && isAnswer(effective) && isOpen(effective, capability)).toBe(false);
        }
        for (const connection of universe) {
          const effective = evaluate(config, connection);
          if (!isAnswer(effective)) continue;
          for (const capability of CAPABILITIES) {
            const open = isOpen(effective, capability);
            const bind = effective.get("gatewayports")?.values[0] === "no" ? "loopback" : "wildcard";
            if (open && !isGranted(grants, capability, connection, bind)) {
              const answer = locate(config, intended.everything.answers, capability, connection);
              const same = excess.filter((found) => found.capability === capability && isSame(found, answer));
              expect(same, `${capability} of ${connection.user} from ${connection.addr}`).not.toEqual([]);
            }
            if (!open)
              for (const { grant } of intent.keep.filter((entry) => isMeant(entry.grant, connection)))
                if (grant.capabilities.includes(capability))
                  expect(
                    intended.losses.some((loss) => loss.grant === grant && loss.capability === capability),
                  ).toBe(true);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

function isSame(found: Answer, answer: Answer | null): boolean {
  return found.decidedBy.every(({ directive }, index) => directive === answer?.decidedBy[index]?.directive);
}

it("destinations and addresses to listen on are compared one by one", () => {
  const config = configOf(
    "PermitOpen db:5432 cache:6379\nPermitListen localhost:9000 *:8080\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\n",
  );
  const intent = intentOf(
    JSON.stringify({
      version: 1,
      allow: [
        { capability: "tcp-local", to: ["db:*"], reason: "r" },
        { capability: "tcp-remote", listen: [9000], reason: "r" },
      ],
      keep: [{ capability: "tcp-local", to: ["cache:6379", "web:443"] }],
    }),
  );
  const { beyond, losses } = compareIntent(config, intent, { accounts: null, today: "2026-01-01" });
  expect(
    beyond.map(({ answer }) => [answer.capability, ...(answer.listen?.addresses ?? answer.destinations)]),
  ).toEqual([["tcp-remote", "*:8080"]]);
  expect(losses.map(({ kind, missing }) => [kind, ...missing])).toEqual([["narrower", "web:443"]]);
});

it.each([
  ["places of TCP", "db:5432", "AllowTcpForwarding local\nAllowStreamLocalForwarding no\n"],
  [
    "paths of sockets",
    "/run/x.sock",
    "AllowTcpForwarding yes\nPermitOpen [/run/x.sock]:*\nPermitListen none\n",
  ],
])("an entry whose destinations are only %s wants nothing of the other kind", (_what, to, text) => {
  const entry = { capability: "all", to: [to], reason: "r" };
  const intent = intentOf(JSON.stringify({ version: 1, allow: [], keep: [entry] }));
  const { losses } = compareIntent(configOf(text), intent, { accounts: null, today: "2026-01-01" });
  const other = to.startsWith("/") ? "tcp-local" : "unix-local";
  expect(losses.filter(({ capability }) => capability === other)).toEqual([]);
  expect(losses.map(({ capability }) => capability)).toContain("tun");
});

it.each([
  ["PermitListen local*:8080", "localhost:8080", []],
  ["PermitListen local*:8080", "Localhost:8080", []],
  ["PermitListen LOCALHOST:8080", "LOCALHOST:8080", ["closed"]],
  ["PermitListen l?calhost:8080", "local*:8080", ["narrower"]],
])("with %s an entry that keeps %s loses %j", (line, listen, expected) => {
  const intent = intentOf(
    JSON.stringify({ version: 1, allow: [], keep: [{ capability: "tcp-remote", listen: [listen] }] }),
  );
  const { losses } = compareIntent(configOf(line), intent, { accounts: null, today: "2026-01-01" });
  expect(losses.map(({ kind }) => kind)).toEqual(expected);
});

const account = (name: string, uid: number): Account => {
  const settings = { gid: 1, home: "/", shell: "/bin/sh", groups: [] };
  return { name, uid, ...settings };
};
const PEOPLE = [account("root", 0), account("toor", 0), account("alice", 1000)];

it.each<{
  readonly config?: string;
  readonly release?: string;
  readonly who?: object;
  readonly listen: readonly (string | number)[];
  readonly first?: number;
  readonly accounts?: readonly Account[];
  readonly lost: readonly (readonly string[])[];
}>([
  { listen: [443], lost: [["needs-root", "443"]] },
  { listen: ["localhost:80", 8080, "*:25"], lost: [["needs-root", "localhost:80", "*:25"]] },
  { who: { users: "alice" }, listen: [80], lost: [["needs-root", "80"]] },
  { who: { users: "root" }, listen: [80], lost: [] },
  { who: { users: ["root", "alice"] }, listen: [80], lost: [["needs-root", "80"]] },
  { listen: [1024, 65535], lost: [] },
  { listen: ["localhost:*"], lost: [] },
  { listen: [80], first: 80, lost: [] },
  { listen: [79], first: 80, lost: [["needs-root", "79"]] },
  { listen: [80], first: 0, lost: [] },
  { listen: [1500], first: 2000, lost: [["needs-root", "1500"]] },
  // up to 7.7 sshd itself asks for root, whatever the kernel says
  { release: "7.7", listen: [80], first: 0, lost: [["needs-root", "80"]] },
  { release: "7.8", listen: [80], first: 0, lost: [] },
  // nobody else can log in
  { config: "AllowUsers root\nPermitRootLogin yes\n", listen: [80], lost: [] },
  { config: "AllowUsers alice\n", listen: [80], lost: [["needs-root", "80"]] },
  // what sshd itself refuses comes first
  { config: "AllowTcpForwarding local\n", listen: [80], lost: [["closed", "80"]] },
  { config: "PermitListen 8080\n", listen: [80], lost: [["narrower", "80"]] },
  { accounts: PEOPLE, who: { users: ["*", "!alice"] }, listen: [80], lost: [] },
  { accounts: PEOPLE, listen: [80], lost: [["needs-root", "80"]] },
])("low ports that an entry keeps: %j", ({ config = "", release = "10.0", who = {}, listen, ...asked }) => {
  const entry = { ...who, capability: "tcp-remote", listen };
  const { losses } = compareIntent(
    configOf(config, release),
    intentOf(JSON.stringify({ version: 1, allow: [], keep: [entry] })),
    {
      accounts: asked.accounts ?? null,
      today: "2026-01-01",
      unprivilegedPortStart: asked.first ?? null,
    },
  );
  expect(losses.map(({ kind, missing }) => [kind, ...missing])).toEqual(asked.lost);
  const rooted = losses.filter(({ kind }) => kind === "needs-root");
  for (const { witness } of rooted) expect(["root", "toor", undefined]).not.toContain(witness?.user);
});
