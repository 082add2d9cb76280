/** Clients without an IP address before a real sshd: no address list holds for them, not even `*`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../src/policy/answer.ts";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { exposure } from "../src/policy/exposure.ts";
import { describeUnless } from "./needs.ts";
import { type LoopbackSshd, serve, startSshd, type TestServer, whyNoSshd } from "./sshd/loopback.ts";
import { load, MAIN_FILE, release } from "./sshd/reading.ts";

const LISTS = ["Address *", "Address *,0.0.0.0/0,::/0", "LocalAddress *"];
const OTHERS = ["Host *", "Host unk*", "LocalPort 65535"];

function openIn(text: string, version: string): readonly Answer[] {
  const { answers } = exposure(load({ [MAIN_FILE]: text }, release(version)), {
    capabilities: ["tcp-local"],
  });
  return answers.filter(({ allowed }) => allowed !== false);
}

function openAnswersFor(criterion: string): readonly Answer[] {
  return openIn(`Match ${criterion}\n  AllowTcpForwarding no\n`, "9.2");
}

function openFor(criterion: string): readonly string[] {
  return openAnswersFor(criterion).map(({ witness }) => witness?.addr ?? "");
}

describe("a client without an address", () => {
  it.each(LISTS)("is all that Match %s leaves open", (criterion) => {
    expect(openFor(criterion)).toEqual(["UNKNOWN"]);
  });

  it("is told among the needs, of that one alone", () => {
    const needs = (criterion: string): readonly string[] =>
      openAnswersFor(criterion).flatMap((answer) => answer.needs);
    expect(needs("Address *")).toEqual([
      "a connection that is not over IP: sshd -i on a unix or vsock socket, or on a pipe",
    ]);
    expect(needs("User bob")).toEqual([]);
  });

  it("is told where all addresses are held by how they are printed", () => {
    expect(openFor("Address *.*,*::*,*:*:*:*:*:*:*:*")).toEqual(["UNKNOWN"]);
  });

  it("is not told where whether there are others is not known", () => {
    const lists = "Address *.*,*::*,*:*:*:*:*:*:*:*,fe80::*lan";
    expect(openAnswersFor(lists).map(({ allowed, needs }) => [allowed, needs])).toEqual([["unknown", []]]);
  });

  it("is held by Match Host *", () => {
    expect(openFor("Host *")).toEqual([]);
  });

  const RDOMAIN = "Match Address *\n  AllowTcpForwarding no\nMatch RDomain vrf1\n  X11Forwarding no\n";

  it.each([
    ["8.0", ["UNKNOWN"]],
    ["8.1", []],
    ["9.2", []],
  ])("is ended by any Match RDomain, but not up to 8.0: %s", (version, open) => {
    expect(openIn(RDOMAIN, version).map(({ witness }) => witness?.addr)).toEqual(open);
  });
});

describe("a client without a routing domain", () => {
  const closed = "AllowTcpForwarding no\nMatch RDomain *\n  AllowTcpForwarding yes\n";
  const open = "Match RDomain *\n  AllowTcpForwarding no\n";

  // up to 8.0 no criterion on routing domains holds, `*` neither: sshd finds out none (configure.ac)
  it.each([
    ["7.7", closed, []],
    ["8.0", closed, []],
    ["8.0", open, [null]],
    ["8.1", closed, [""]],
    ["9.2", closed, [""]],
    ["9.2", open, []],
  ])("%s: %j is open for those with the routing domain %j", (version, text, domains) => {
    expect(openIn(text, version).map(({ witness }) => witness?.rdomain)).toEqual(domains);
  });

  it.each([
    ["8.0", "", ["no"], ["yes"]],
    ["8.1", "", ["yes"], ["yes"]],
    ["9.2", null, "'Match RDomain' in configuration", ["no"]],
  ])("%s, %j: a server says %j, sshd -T %j", (version, rdomain, served, tested) => {
    const config = load({ [MAIN_FILE]: closed }, release(version));
    const where = { host: "UNKNOWN", addr: "UNKNOWN", laddr: "UNKNOWN", lport: 65535 };
    const connection = { user: "alice", groups: [], ...where, rdomain, invalidUser: false };
    const said = (missing: "as-sshd" | "no-match"): readonly string[] | string => {
      const found = evaluate(config, connection, { missing });
      return isAnswer(found) ? (found.get("allowtcpforwarding")?.values ?? []) : found.message;
    };
    if (typeof served === "string") expect(said("no-match")).toContain(served);
    else expect(said("no-match")).toEqual(served);
    expect(said("as-sshd")).toEqual(tested);
  });
});

const REFUSED = "administratively prohibited";
const missing = whyNoSshd();

describeUnless(missing, "sshd -i on a pipe", () => {
  let target: TestServer;
  beforeAll(async () => {
    target = await serve((socket) => socket.end("reached"));
  });
  afterAll(() => target.close());

  /** What comes back through the forward, or sshd's refusal. */
  const forwarded = (sshd: LoopbackSshd, more: readonly string[]): Promise<string> =>
    new Promise((done) => {
      const wanted = ["-W", `127.0.0.1:${target.port}`, ...more, "127.0.0.1"];
      execFile("ssh", [...sshd.sshOptions, ...wanted], { timeout: 60_000 }, (_, stdout, stderr) =>
        done(stdout + (/administratively prohibited/.exec(stderr)?.[0] ?? "")),
      );
    });

  it.each([...LISTS.map((list) => [list, "reached"]), ...OTHERS.map((list) => [list, REFUSED])])(
    "Match %s, AllowTcpForwarding no: a forward is %s",
    async (criterion, expected) => {
      const sshd = await startSshd({ lines: [`Match ${criterion}`, "AllowTcpForwarding no", "Match all"] });
      try {
        const command = `/usr/sbin/sshd -i -f ${join(sshd.folder, "sshd_config")}`;
        expect(await forwarded(sshd, ["-o", `ProxyCommand=${command}`])).toBe(expected);
        if (expected !== REFUSED) expect(await forwarded(sshd, [])).toBe(REFUSED);
      } finally {
        await sshd.stop();
      }
    },
    120_000,
  );

  it("Match RDomain ends the connection", async () => {
    const sshd = await startSshd({ lines: ["Match RDomain vrf1", "X11Forwarding no", "Match all"] });
    try {
      const command = `/usr/sbin/sshd -i -f ${join(sshd.folder, "sshd_config")}`;
      expect(await forwarded(sshd, ["-o", `ProxyCommand=${command}`])).toBe("");
      expect(await forwarded(sshd, [])).toBe("reached");
    } finally {
      await sshd.stop();
    }
  }, 120_000);
});
