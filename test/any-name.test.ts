/** What a probe leaves out because it depends on a name that only the server knows, against each name in turn. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { dependingOnName } from "../src/policy/any-name.ts";
import type { ProbePlace } from "../src/policy/attempt.ts";
import { planAttempts } from "../src/policy/attempts.ts";
import { CAPABILITIES, type Capability, type Connection } from "../src/policy/connection.ts";
import { exposure } from "../src/policy/exposure.ts";
import { PLAIN_KEY } from "../src/policy/login-key.ts";
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

function depending(text: string): ReadonlySet<Capability> {
  const config = configOf(text);
  return dependingOnName(config, exposure(config).answers, CALLER, place);
}

const NAMES = [OWN, "w1", "w2", "z1", "w1.a", "z1.a", "x.a", "x", "w1b"];
const HOSTS = ["w*", "z1", "*.a", "!w1,w*", "!*.a", "w*,z*", "*,!z*", "w?", OWN];
const WHO = ["User me", "User you", "User me,you", "User *,!me", "Address 10.0.0.0/8", "Group g"];
const SETTINGS = [
  ...["AllowTcpForwarding no", "AllowTcpForwarding local", "AllowTcpForwarding yes", "PermitOpen a:1"],
  ...["X11Forwarding yes", "PermitTunnel yes", "MaxSessions 0", "PermitListen 8080", "GatewayPorts yes"],
];

const BLOCK = fc
  .tuple(fc.constantFrom(...HOSTS), fc.constantFrom("", ...WHO), fc.constantFrom(...SETTINGS))
  .map(([host, who, setting]) => `Match Host ${host} ${who}\n  ${setting}\n`);

it("leaves out all that one name makes other than the next", () => {
  fc.assert(
    fc.property(fc.array(BLOCK, { minLength: 1, maxLength: 4 }), (blocks) => {
      const text = `UseDNS yes\n${blocks.join("")}`;
      const config = configOf(text);
      const { answers } = exposure(config);
      const outcomes = NAMES.map((host) => planAttempts(config, answers, { ...CALLER, host }, place()));
      const found = dependingOnName(config, answers, CALLER, place);
      for (const capability of CAPABILITIES) {
        const texts = outcomes.map((plan) =>
          JSON.stringify(plan?.filter((one) => one.capability === capability)),
        );
        if (new Set(texts).size > 1) expect(found).toContain(capability);
      }
    }),
    { numRuns: 200 },
  );
});

it("leaves out nothing that no name changes", () => {
  const block = "Match Host w*\n  X11Forwarding yes\n";
  expect([...depending(`UseDNS yes\n${block}`)]).toEqual(["x11"]);
  expect([...depending(block)], "without names").toEqual([]);
  expect([...depending("UseDNS yes\nMatch Host w* User you\n  X11Forwarding yes\n")]).toEqual([]);
});

it("looks at names that no region of an answer is about: without a session there is no agent", () => {
  expect(depending("UseDNS yes\nX11Forwarding yes\nMatch Host z1\n  MaxSessions 0\n")).toEqual(
    new Set(["x11", "agent"]),
  );
});

it("leaves out everything where lists hold in too many ways", () => {
  const blocks = Array.from({ length: 8 }, (_, at) => `Match Host *${at}a*\n  X11Forwarding no\n`);
  expect(depending(`UseDNS yes\n${blocks.join("")}`)).toEqual(new Set(CAPABILITIES));
});
