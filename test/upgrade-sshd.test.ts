/**
 * What `compare --openssh A..B` says of an upgrade, before the two sshds: configurations that the older reads otherwise, and
 * random ones. Only where the lab is there (test/lab/host make).
 */
import { afterAll, expect, it } from "vitest";
import { type CampaignResult, runCampaign } from "./fuzz/campaign.ts";
import { upgradeTo } from "./fuzz/compare.ts";
import { type Judgement, OURS, type Reading } from "./fuzz/judge.ts";
import { describeUnless } from "./needs.ts";
import { type Opened, openSshd, type Sshd } from "./sshd/driver.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { MAIN_FILE } from "./sshd/reading.ts";

const opened: Opened[] = await Promise.all(PROGRAMS.map((program) => openSshd(program)));
const sshds: readonly Sshd[] = opened
  .flatMap((one) => (one.kind === "open" ? [one.sshd] : []))
  .sort((a, b) => a.release.major - b.release.major || a.release.minor - b.release.minor);

afterAll(() => Promise.all(sshds.map((sshd) => sshd.close())));

const PAIRS = sshds.flatMap((before, index) =>
  sshds.slice(index + 1, index + 2).map((after) => ({ before, after })),
);

/** Read otherwise by one of them: quotes, comments, NUL, wildcards, escapes, criteria. */
const READ_OTHERWISE: readonly string[] = [
  "X11Forwarding no\nMatch User 'alice'\nX11Forwarding yes\n",
  "X11Forwarding no\nMatch User alice**\nX11Forwarding yes\n",
  "X11Forwarding no\nMatch User bob,alice**,!alice\nX11Forwarding yes\n",
  'AllowAgentForwarding no\nMatch User alice "# x"\nAllowAgentForwarding yes\n',
  "# a NUL\0 hides\nX11Forwarding yes\nX11Forwarding no\n",
  "AllowTcpForwarding no\nMatch User =alice\nAllowTcpForwarding yes\n",
  'PermitOpen h:1 "g:2" # "\nMatch User alice\nPermitOpen h:3\n',
  "DisableForwarding yes\nPermitTunnel yes\nX11Forwarding yes\n",
  "Match User dom\\\\alice\nX11Forwarding yes\n",
];
const CONNECTIONS = ["alice", "bob", "alicex", "'alice'", "=alice", "dom\\alice", "dom\\\\alice"].map(
  (user) => `user=${user},host=192.0.2.7,addr=192.0.2.7,laddr=192.0.2.1,lport=22`,
);

const BLIND: Reading = {
  ...OURS,
  compare: (before, after) => ({ ...OURS.compare(before, after), changes: [] }),
};

function upgrade(before: Sshd, after: Sshd, trees: number, seed: number): Promise<CampaignResult> {
  const endless = { pairs: Number.POSITIVE_INFINITY, milliseconds: Number.POSITIVE_INFINITY };
  return runCampaign(before, { ...endless, seed, trees, mostFound: 3, seeds: [], judge: upgradeTo(after) });
}

describeUnless(PAIRS.length === 0 ? "no two sshds" : null, "an upgrade of sshd", () => {
  /** One after the other: an sshd holds one tree at a time. */
  const judged = async (reading: Reading, pairs = PAIRS): Promise<readonly Judgement[]> => {
    const all: Judgement[] = [];
    for (const { before, after } of pairs)
      for (const text of READ_OTHERWISE) {
        const drawn = { tree: { [MAIN_FILE]: text }, connections: CONNECTIONS, draw: 1 };
        all.push(await upgradeTo(after)(before, drawn, reading));
      }
    return all;
  };

  it("changes what compare says, in configurations that one reads otherwise", async () => {
    expect((await judged(OURS)).flatMap(({ differences }) => differences)).toEqual([]);
  }, 120_000);

  it("is seen here to change something", async () => {
    const found = (await judged(BLIND, PAIRS.slice(0, 1))).filter(
      ({ differences }) => differences.length > 0,
    );
    expect(found.length).toBeGreaterThan(1);
  }, 120_000);

  it("changes what compare says, in random configurations", async () => {
    for (const [index, { before, after }] of PAIRS.entries())
      expect((await upgrade(before, after, 3, 700 + index)).differences).toEqual([]);
  }, 300_000);
});
