/** A run over many files says of each what a run over it alone says, also where files repeat each other. */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { auditTargets } from "../src/cli/audit.ts";
import type { AuditCommandOptions } from "../src/cli/prepare-audit.ts";
import { concise } from "../src/report/concise.ts";
import { html } from "../src/report/html.ts";
import { json } from "../src/report/json.ts";
import { markdown } from "../src/report/markdown.ts";
import type { TargetReport } from "../src/report/report.ts";
import { makeRoot } from "./auditing.ts";

const OPTIONS: AuditCommandOptions = { suppressions: true, openssh: "9.2", restart: true, validate: true };

async function audited(files: readonly string[], options = OPTIONS): Promise<readonly TargetReport[]> {
  const found = await auditTargets(files, options, () => {});
  if ("misuse" in found) throw new Error(found.misuse);
  return found.targets;
}

/** Everything that people and scripts are shown. */
function shown(targets: readonly TargetReport[]): readonly string[] {
  const report = { tool: { name: "sshd-policy", version: "0" }, targets, fixed: 0 };
  return [[...json(report)].join(""), concise(report), markdown(report), html(report)];
}

/** Lines of which a file is made; `%` stands for what differs between the servers of a fleet. */
const LINES: readonly string[] = [
  "# server %",
  "#",
  "# % of the bastion: AllowTcpForwarding is below",
  "#%",
  "#\t%",
  "#AllowTcpForwarding yes",
  "#AllowTcpForwarding %",
  "# X11Forwarding %",
  "#Match User %",
  "#PermitTunnel no %",
  "# sshd-policy: allow tcp-forwarding -- %",
  "# sshd-policy: allow tcp-forwarding until 2000-01-01 -- %",
  "# sshd-policy: allow-file x11-forwarding -- %",
  "# sshd-policy: %",
  "AllowTcpForwarding yes # %",
  "AllowTcpForwarding no",
  "X11Forwarding yes",
  "X11Forwarding %",
  "  GatewayPorts clientspecified",
  "AllowAgentForwarding no\r",
  "# %\r",
  "PermitOpen db:%",
  "PermitRootLogin no",
  "Match User deploy",
  "Match Group %",
  "Match Address 10.0.0.0/8",
  "Match all",
  "Include /etc/ssh/sshd_config.d/*.conf",
  "Include missing-%.conf",
  "Include sshd_config.*",
  "include /etc/ssh/sshd_config.d/../more/*",
  "Banner %",
  "Banner /etc/issue.%",
  "ListenAddress 10.0.0.%",
  "ListenAddress 10.1.%.9",
  "ListenAddress 10.0.0.%:2222",
  "AddressFamily inet6",
  "HostKey /etc/ssh/host_%",
  "HostCertificate /etc/ssh/host_%-cert.pub",
  "# sshd-policy: allow shadowed-directive -- %",
  "Match LocalAddress 10.0.0.1",
  "NoSuchKeyword %",
  "Port port%",
  '"AllowTcpForwarding yes',
  "Ciphers \0 %",
  "== %",
];

/** Where the servers' files lie: each for itself, side by side, as drop-ins, with a policy file above them. */
const PLACES: readonly string[] = [
  "/a/sshd_config",
  "/b/sshd_config",
  "/c/etc/ssh/sshd_config",
  "/d/sshd_config.one",
  "/d/sshd_config.seven",
  "/d/web",
  "/e/sshd_config.d/10-web.conf",
  "/f/sshd_config.d/10-web.conf",
  "/f/sshd_config",
  "/g/sshd_config",
  "/p/sshd_config",
  "/p/q/sshd_config",
  "/ni\u00f1o/sshd_config",
];

const BESIDE: Readonly<Record<string, string>> = {
  "/b/sshd_config.d/50-cloud.conf": "PasswordAuthentication yes\n",
  "/g/sshd_config.d/50-cloud.conf": "X11Forwarding no\nAllowTcpForwarding local\n",
  "/p/.git/HEAD": "",
  "/p/.sshd-policy.yaml": "version: 1\nallow-forwarding: local\nrules:\n  x11-forwarding: low\n",
};

/** A few texts, and for each place one of them with its own words. */
const fleets = fc.record({
  texts: fc.array(fc.array(fc.constantFrom(...LINES), { maxLength: 9 }), { minLength: 1, maxLength: 2 }),
  servers: fc.array(
    fc.record({
      place: fc.constantFrom(...PLACES),
      text: fc.nat(),
      words: fc.constantFrom("1", "2", "eleven", "no", "AllowTcpForwarding"),
      end: fc.constantFrom("", "\n"),
    }),
    { minLength: 2, maxLength: 8 },
  ),
});

async function sameAsAlone(files: Readonly<Record<string, string>>, asked: readonly string[]): Promise<void> {
  const root = makeRoot(files);
  const paths = [...new Set(asked.map((place) => join(root, place)))];
  const together = await audited(paths);
  const alone = (await Promise.all(paths.map((path) => audited([path])))).flat();
  // a drop-in beside its main file is no target of its own in a run over both
  const expected = alone.filter(({ path }) => together.some((report) => report.path === path));
  expect(alone.length - expected.length).toBeLessThanOrEqual(1);
  expect(shown(together)).toEqual(shown(expected));
}

describe("a run over many files", () => {
  it("says of each what a run over it alone says", async () => {
    await fc.assert(
      fc.asyncProperty(fleets, async ({ texts, servers }) => {
        const files = { ...BESIDE };
        for (const { place, text, words, end } of servers)
          files[place] = (texts[text % texts.length] ?? []).join("\n").replaceAll("%", words) + end;
        await sameAsAlone(
          files,
          servers.map(({ place }) => place),
        );
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    [
      "a fix goes in front of a comment",
      { "/a/sshd_config": "PermitRootLogin no\n# a\n", "/b/sshd_config": "PermitRootLogin no\n# server b\n" },
    ],
    [
      "a fix goes behind the last comment",
      { "/a/sshd_config": "# long words\n# a", "/b/sshd_config": "# b\n# server b" },
    ],
    [
      "files include each other",
      { "/d/sshd_config.1": "# a\nInclude sshd_config.*", "/d/sshd_config.2": "# bb\nInclude sshd_config.*" },
    ],
    [
      "one includes the other",
      { "/d/sshd_config.1": "Include sshd_config.2", "/d/sshd_config.2": "Include sshd_config.2" },
    ],
    [
      "a message names the file",
      {
        "/d/one": "AllowTcpForwarding one",
        "/d/web": "AllowTcpForwarding one",
        "/d/x": "AllowTcpForwarding one",
      },
    ],
    [
      "drop-ins differ",
      {
        "/a/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf",
        "/b/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf",
        "/b/sshd_config.d/a.conf": "AllowTcpForwarding no",
      },
    ],
  ])("says the same where %s", async (_, files) => {
    await sameAsAlone(files, Object.keys(files));
    await sameAsAlone(files, Object.keys(files).reverse());
  });

  /** Of each line that is no comment: one that a finding names, or that a fix goes beside. */
  it.each([
    ["is overridden by another one", "Banner /etc/issue.%\nBanner /etc/other\n"],
    ["overrides another one", "Banner /etc/issue\nBanner /etc/other.%\n"],
    ["stands in a Match block", "Match User deploy\nBanner /etc/issue.%\nMatch all\nBanner /etc/issue\n"],
    ["is refused", "Match User deploy\nHostKey /etc/ssh/key.%\n"],
    ["has a port", "ListenAddress 10.0.0.%:2222\n"],
    ["does not go with another one", "AddressFamily inet6\nListenAddress 10.0.0.%\n"],
    ["is the last one", "PermitRootLogin no\nListenAddress 10.0.0.%"],
    ["stands in front of a fix", "ListenAddress 10.0.0.%\nMatch User deploy\nAllowTcpForwarding no\n"],
    ["is repeated", "HostKey /etc/ssh/key.%\nHostKey /etc/ssh/key.%\n"],
  ])("says the same where a setting of the server's own %s", async (_, text) => {
    const files = {
      "/a/sshd_config": text.replaceAll("%", "1"),
      "/b/sshd_config": text.replaceAll("%", "17"),
      "/c/web": text.replaceAll("%", "201"),
    };
    await sameAsAlone(files, Object.keys(files));
    await sameAsAlone(files, Object.keys(files).reverse());
  });

  const moved = (files: Readonly<Record<string, string>>): Promise<readonly TargetReport[]> => {
    const root = makeRoot(files);
    return audited(Object.keys(files).map((path) => root + path));
  };
  const witnessOf = (report: TargetReport | undefined): object | null =>
    report?.findings.find(({ finding }) => finding.rule === "tcp-forwarding")?.finding.witness ?? null;

  it("reasons once about files that differ in the words of comments", async () => {
    const text = (name: string): string =>
      `# ${name}\nInclude /etc/ssh/sshd_config.d/*.conf\n# of ${name}\n#AllowTcpForwarding yes\n`;
    const [first, second, third] = await moved({
      "/a/sshd_config": text("a"),
      "/b/sshd_config": text("the second"),
      "/c/sshd_config.b": text("c"),
    });
    expect(witnessOf(first)).not.toBeNull();
    expect(witnessOf(second)).toBe(witnessOf(first));
    expect(witnessOf(third)).not.toBe(witnessOf(first));
  });

  it("reasons once about files that differ in where they listen, their keys and their banner", async () => {
    const text = (name: string): string =>
      `ListenAddress 10.0.0.${name}\nHostKey /etc/ssh/host.${name}\nBanner /etc/issue.${name}\nX11Forwarding yes\n`;
    const [first, second] = await moved({ "/a/sshd_config": text("1"), "/b/sshd_config": text("123") });
    expect(witnessOf(first)).not.toBeNull();
    expect(witnessOf(second)).toBe(witnessOf(first));
  });

  it.each([
    ["a suppression", "# sshd-policy: allow tcp-forwarding -- a jump host\n", "# jump host\n"],
    ["a stock line", "#AllowTcpForwarding yes\n", "#AllowedTcpForwarding yes\n"],
    ["a value", "Banner none\n", "Banner /etc/issue\n"],
    ["what forwards", "AllowTcpForwarding yes\n", "AllowTcpForwarding local\n"],
    ["a port", "ListenAddress 10.0.0.1\n", "ListenAddress 10.0.0.1:2222\n"],
    ["a user", "AllowUsers alice\n", "AllowUsers bob\n"],
  ])("reasons again where %s differs", async (_, one, other) => {
    const [first, second] = await moved({ "/a/sshd_config": one, "/b/sshd_config": other });
    expect(witnessOf(second)).not.toBe(witnessOf(first));
  });
});
