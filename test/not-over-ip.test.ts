/** Clients without an IP address before a real sshd: no address list holds for them, not even `*`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../src/policy/answer.ts";
import { exposure } from "../src/policy/exposure.ts";
import { type LoopbackSshd, serve, startSshd, type TestServer, whyNoSshd } from "./sshd/loopback.ts";
import { load, MAIN_FILE, release } from "./sshd/reading.ts";

const LISTS = ["Address *", "Address *,0.0.0.0/0,::/0", "LocalAddress *"];
const OTHERS = ["Host *", "Host unk*", "LocalPort 65535"];

function openAnswersFor(criterion: string): readonly Answer[] {
  const text = `Match ${criterion}\n  AllowTcpForwarding no\n`;
  const { answers } = exposure(load({ [MAIN_FILE]: text }, release("9.2")), { capabilities: ["tcp-local"] });
  return answers.filter(({ allowed }) => allowed === true);
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

  it("is held by Match Host *", () => {
    expect(openFor("Host *")).toEqual([]);
  });
});

const REFUSED = "administratively prohibited";
const missing = whyNoSshd();

describe.skipIf(missing !== null)(`sshd -i on a pipe${missing === null ? "" : `: ${missing}`}`, () => {
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
});
