/** What a probe leaves out because it depends on a name or on groups that only the server knows, against each in turn. */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ProbePlace } from "../src/policy/attempt.ts";
import { planAttempts } from "../src/policy/attempts.ts";
import { CAPABILITIES, type Capability, type Connection } from "../src/policy/connection.ts";
import { exposure } from "../src/policy/exposure.ts";
import { PLAIN_KEY } from "../src/policy/login-key.ts";
import { dependingOn, type Unknown } from "../src/policy/unknown-client.ts";
import { configOf } from "./configurations.ts";

const OWN = "10.0.0.1";
const CALLER: Connection = {
  user: "me",
  groups: [],
  host: OWN,
  addr: OWN,
  laddr: "10.0.0.2",
  lport: 22,
  rdomain: "",
  invalidUser: false,
};

function place(): ProbePlace {
  let port = 1000;
  return {
    kind: "server",
    key: PLAIN_KEY,
    own: OWN,
    dialled: ["127.0.0.1", "::1"],
    outside: null,
    asRoot: false,
    nextPort: () => port++,
    nextPath: () => "",
    taken: new Set(),
  };
}

function depending(unknown: readonly Unknown[], text: string): ReadonlySet<Capability> {
  const config = configOf(text);
  return dependingOn(unknown, {
    config,
    answers: exposure(config).answers,
    connection: CALLER,
    placeAgain: place,
  });
}

const WHO = ["User me", "User you", "User me,you", "User *,!me", "Address 10.0.0.0/8"];
const SETTINGS = [
  ...["AllowTcpForwarding no", "AllowTcpForwarding local", "AllowTcpForwarding yes", "PermitOpen a:1"],
  ...["X11Forwarding yes", "PermitTunnel yes", "MaxSessions 0", "PermitListen 8080", "GatewayPorts yes"],
];
const HOSTS = ["w*", "z1", "*.a", "!w1,w*", "!*.a", "w*,z*", "*,!z*", "w?", OWN];
const NAMES = [OWN, "w1", "w2", "z1", "w1.a", "z1.a", "x.a", "x", "w1b"];
const GROUPS = ["w*", "z1", "!w1,w*", "w*,!w2", "!z1", "*,!z*", "w?", "w1,z1"];
const MEMBERSHIPS = [[], ["w1"], ["w2"], ["z1"], ["w1", "w2"], ["w1", "z1"], ["w2", "z1"], ["x", "w1b"]];

/** Who the client may be, among others. */
const CLIENTS: Readonly<Record<Unknown, readonly Connection[]>> = {
  host: NAMES.map((host) => ({ ...CALLER, host })),
  groups: MEMBERSHIPS.map((groups) => ({ ...CALLER, groups })),
};

function block(criterion: string, lists: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom(...lists),
      fc.constantFrom("", "Group g", "Host g", ...WHO),
      fc.constantFrom(...SETTINGS),
    )
    .filter(([, who]) => !who.startsWith(criterion))
    .map(([list, who, setting]) => `Match ${criterion} ${list} ${who}\n  ${setting}\n`);
}

const BLOCKS: Readonly<Record<Unknown, fc.Arbitrary<string>>> = {
  host: block("Host", HOSTS),
  groups: block("Group", GROUPS),
};

/** Which of its own ports the probe takes is no difference. */
function outcomeText(attempts: unknown): string {
  return String(JSON.stringify(attempts)).replace(/"port":1\d\d\d\b/g, '"port":"its own"');
}

it.each(["host", "groups"] as const)(
  "leaves out all that one client makes other than the next: %s",
  (unknown) => {
    fc.assert(
      fc.property(fc.array(BLOCKS[unknown], { minLength: 1, maxLength: 4 }), (blocks) => {
        const text = `UseDNS yes\n${blocks.join("")}`;
        const config = configOf(text);
        const { answers } = exposure(config);
        const outcomes = CLIENTS[unknown].map((client) => planAttempts(config, answers, client, place()));
        const found = depending([unknown], text);
        for (const capability of CAPABILITIES) {
          const texts = outcomes.map((plan) =>
            outcomeText(plan?.filter((one) => one.capability === capability)),
          );
          if (new Set(texts).size > 1) expect(found).toContain(capability);
        }
      }),
      { numRuns: 200 },
    );
  },
);

it("leaves out nothing that no client changes", () => {
  const named = "Match Host w*\n  X11Forwarding yes\n";
  expect([...depending(["host"], `UseDNS yes\n${named}`)]).toEqual(["x11"]);
  expect([...depending(["groups"], named)], "the name is known").toEqual([]);
  expect([...depending(["host"], "UseDNS yes\nMatch Host w* User you\n  X11Forwarding yes\n")]).toEqual([]);
  expect([...depending(["groups"], "Match Group dev User you\n  X11Forwarding yes\n")]).toEqual([]);
  expect([...depending(["groups"], "Match Group dev\n  X11Forwarding no\n")]).toEqual([]);
});

it("looks at a name and at groups that count together alone", () => {
  const both = "UseDNS yes\nMatch Host w* Group dev\n  X11Forwarding yes\n";
  expect([...depending(["host"], both)]).toEqual([]);
  expect([...depending(["host", "groups"], both)]).toEqual(["x11"]);
});

it("looks at names that no region of an answer is about: without a session there is no agent", () => {
  expect(depending(["host"], "UseDNS yes\nX11Forwarding yes\nMatch Host z1\n  MaxSessions 0\n")).toEqual(
    new Set(["x11", "agent"]),
  );
});

it("leaves out everything where lists hold in too many ways", () => {
  const blocks = Array.from({ length: 9 }, (_, at) => `Match Host *${at}a*\n  X11Forwarding no\n`);
  expect(depending(["host"], `UseDNS yes\n${blocks.join("")}`)).toEqual(new Set(CAPABILITIES));
});

it("sees through the groups of many blocks", () => {
  const blocks = Array.from({ length: 8 }, (_, at) => `Match Group team${at}\n  PermitOpen h${at}:1\n`);
  expect([...depending(["groups"], blocks.join(""))]).toEqual(["tcp-local", "unix-local"]);
});
