/** A run over many files says of each what a run over it alone says, also where files repeat each other. */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RULES } from "../rules/index.ts";
import { auditTargets } from "../src/cli/audit-targets.ts";
import type { AuditCommandOptions } from "../src/cli/prepare-audit.ts";
import { concise } from "../src/report/concise.ts";
import { html } from "../src/report/html.ts";
import { json } from "../src/report/json.ts";
import { markdown } from "../src/report/markdown.ts";
import type { TargetReport } from "../src/report/report.ts";
import { sarif } from "../src/report/sarif.ts";
import { makeRoot } from "./auditing.ts";
import { nextDifference } from "./fuzz/many.ts";
import { makeRandom } from "./fuzz/random.ts";

const OPTIONS: AuditCommandOptions = { suppressions: true, openssh: "9.2", restart: true, validate: true };

/** `npm run fuzz-many` for a long run. */
const FAMILIES = 60;
const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_127);

/** FLEETS=10000 for a long run. */
const RUNS = Number(process.env["FLEETS"] ?? 100);

async function audited(files: readonly string[], options = OPTIONS): Promise<readonly TargetReport[]> {
  const found = await auditTargets(files, options, { count: () => {}, keep: (report) => report });
  if ("misuse" in found) throw new Error(found.misuse);
  return found.targets;
}

/** Everything that people and scripts are shown. */
function shown(targets: readonly TargetReport[]): readonly string[] {
  const report = { tool: { name: "sshd-policy", version: "0" }, targets, fixed: 0 };
  return [
    [...json(report)].join(""),
    [...sarif(report, RULES)].join(""),
    concise(report),
    markdown(report),
    html(report),
  ];
}

/** Longer than the pieces in which files are compared (src/cli/alike.ts). */
const LONG_COMMENT = "# words that all servers have\n".repeat(50);

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
  LONG_COMMENT.slice(0, 290),
  LONG_COMMENT.slice(0, -1),
];

/** Names that the search takes first for anybody; then it invents some. */
const EVERY_NICE_NAME = "alice,bob,carol,dave,erin,frank,grace,heidi";

/** Lines about names; `%0` to `%3` stand for those of one server. */
const NAME_LINES: readonly string[] = [
  "AllowTcpForwarding no",
  "AllowTcpForwarding local",
  "X11Forwarding yes",
  "PermitOpen %0.example:5432",
  "PermitOpen %1:22 %0:22 %0:*",
  "PermitOpen [%0]:22 %1:22",
  "PermitOpen localhost:25 %2:25",
  "PermitListen %0:2222",
  "AllowUsers %0 %1",
  "AllowUsers %0 root",
  "AllowUsers %2@10.0.0.1 %0",
  "AllowUsers %0*",
  "DenyUsers %1",
  "DenyUsers !%1",
  "AllowGroups %0",
  "AllowGroups staff %3",
  "DenyGroups %3 users",
  "Match User %0",
  "Match User %0,%1",
  "Match User %0,%1 User %1,%0",
  "Match User !%0",
  "Match User *,!%0",
  "Match User web?",
  "Match User root,%0",
  "Match Group %2,!%3",
  "Match Group %3 User %0",
  "Match User %1 Address 10.0.0.0/8",
  "Match Host %0 User %0",
  "Match Host user User %1",
  "Match Address 10.0.0.0/8 Group %2",
  "Match user=%0",
  'Match User "%0"',
  'Ma"tch" User %0',
  "match\tuser\t%1\t",
  "Match all",
  "Match User %0 # %1",
  "ForceCommand /bin/rsh %0",
  "ChrootDirectory /home/%0",
  "# %0 may forward",
  "#AllowTcpForwarding %0",
  "# sshd-policy: allow tcp-forwarding -- %0 needs it",
  "AllowTcpForwarding %0",
  "Banner /etc/issue.%1",
  "NoSuchKeyword %0",
];

/** Of the same length, so that files with them look alike; some are names that the search tries, or of our rules. */
const NAMES: readonly (readonly string[])[] = [
  ["web1", "web2", "ops3", "deploy", "q0", "x7"],
  ["web1", "ops3", "web2", "backup", "u1", "u2"],
  ["web3", "web3", "ops1", "deploy", "zz9", "zz8"],
  ["user1", "user2", "user1", "users", "u1", "x7"],
  ["user2", "user3", "user4", "user5", "q0", "u2"],
  ["ab12", "b-12", "c.12", "d_12", "e12f", "g123"],
  ["root", "bob1", "none", "any", "all", "x12"],
];

const templates = fc.record({
  lines: fc.array(fc.constantFrom(...NAME_LINES), { minLength: 1, maxLength: 9 }),
  servers: fc.array(fc.record({ names: fc.constantFrom(...NAMES), shift: fc.nat(5) }), {
    minLength: 3,
    maxLength: 7,
  }),
});

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

async function sameAsAlone(
  files: Readonly<Record<string, string>>,
  asked: readonly string[],
  optionsIn: (root: string) => Partial<AuditCommandOptions> = () => ({}),
): Promise<void> {
  const root = makeRoot(files);
  const paths = [...new Set(asked.map((place) => join(root, place)))];
  const options = { ...OPTIONS, ...optionsIn(root) };
  const together = await audited(paths, options);
  const alone = (await Promise.all(paths.map((path) => audited([path], options)))).flat();
  // a drop-in beside its main file is no target of its own in a run over both
  const expected = alone.filter(({ path }) => together.some((report) => report.path === path));
  expect(alone.length - expected.length).toBeLessThanOrEqual(1);
  expect(shown(together)).toEqual(shown(expected));
}

describe("a run over many files", () => {
  it(
    "says of each what a run over it alone says",
    async () => {
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
        { numRuns: RUNS },
      );
    },
    RUNS * 1200,
  );

  it(
    "says of each what a run over it alone says where one template has each server's names",
    async () => {
      await fc.assert(
        fc.asyncProperty(templates, async ({ lines, servers }) => {
          const files: Record<string, string> = {};
          for (const [index, { names, shift }] of servers.entries())
            files[`/${"abcdefg".charAt(index)}/sshd_config`] = lines
              .join("\n")
              .replace(/%(\d)/g, (_, number: string) => names[(Number(number) + shift) % names.length] ?? "");
          await sameAsAlone(files, Object.keys(files));
        }),
        { numRuns: RUNS },
      );
    },
    RUNS * 1200,
  );

  it(`says of each of ${FAMILIES} families of mutations what is said of it alone (seed ${SEED})`, async () => {
    expect(await nextDifference(makeRandom(SEED), (families) => families === FAMILIES)).toBe(FAMILIES);
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
    [
      "a NUL in a comment hides the next line",
      {
        "/a/sshd_config": "# one\nX11Forwarding yes\n",
        "/b/sshd_config": "# tw\0\nX11Forwarding yes\n",
      },
    ],
    [
      "the stock Include finds a file beside one of them, by whatever name they go",
      {
        "/a/web": "Include /etc/ssh/sshd_config.d/*.conf\n",
        "/b/web": "Include /etc/ssh/sshd_config.d/*.conf\n",
        "/b/sshd_config.d/a.conf": "AllowTcpForwarding no\n",
      },
    ],
    ["the line end differs that a fix copies", { "/a/web": "# a\n", "/b/web": "# a\r\n" }],
    [
      "a quote makes a comment a line that sshd drops",
      {
        "/a/sshd_config": "# one\nX11Forwarding yes\n",
        "/b/sshd_config": '#"two\nX11Forwarding yes\n',
        "/c/sshd_config": '#"three"\nX11Forwarding yes\n',
      },
    ],
    [
      "an Include is quoted, and finds a file beside one of them",
      {
        "/a/sshd_config": 'Inc"lude" more/*\n',
        "/b/sshd_config": 'Inc"lude" more/*\n',
        "/b/more/x": "AllowTcpForwarding no\n",
      },
    ],
    [
      "a quoted Include of files by other names finds a file beside one of them",
      {
        "/a/web": '\tInclud"e" more/*\n',
        "/b/web": '\tInclud"e" more/*\n',
        "/b/more/x": "AllowTcpForwarding no\n",
      },
    ],
  ])("says the same where %s", async (_, files) => {
    await sameAsAlone(files, Object.keys(files));
    await sameAsAlone(files, Object.keys(files).reverse());
  });

  it("says the same of a comment that is too long for sshd", async () => {
    const files = {
      "/a/sshd_config": "# one\nX11Forwarding yes\n",
      "/b/sshd_config": `# ${"x".repeat(5000)}\nX11Forwarding yes\n`,
    };
    await sameAsAlone(files, Object.keys(files), () => ({ openssh: "7.4" }));
  });

  /** The first and the last one are alike; in the middle, one byte or the end differs. */
  it.each([
    ["a value", "AllowTcpForwarding yes\n", "AllowTcpForwarding no \n"],
    ["a setting that is turned on", "# llowTcpForwarding no\n", "AllowTcpForwarding  no\n"],
    ["the end of a line", "X11Forwarding yes\n# a", "X11Forwarding yes# \na"],
  ])("says the same where long files differ in %s", async (_, one, other) => {
    const around = (line: string, words: string): string =>
      `# ${words}\n${LONG_COMMENT}${LONG_COMMENT}${line}${LONG_COMMENT}PermitTunnel no\n${LONG_COMMENT}`;
    const files = {
      "/d/sshd_config.one": around(one, "one"),
      "/d/sshd_config.two": around(other, "two"),
      "/d/sshd_config.six": around(one, "six"),
    };
    await sameAsAlone(files, Object.keys(files));
    await sameAsAlone(files, Object.keys(files).reverse());
  });

  it("says the same where a line differs behind a # in it, wherever the pieces of a file end", async () => {
    for (let padding = 0; padding < 128; padding++) {
      const around = (name: string): string =>
        `# ${name}\n${"# 3456789012345\n".repeat(12)}#${"x".repeat(padding)}\nMatch User a#${name}\nX11Forwarding yes\n`;
      const files = { "/d/sshd_config.one": around("one"), "/d/sshd_config.two": around("two") };
      const root = makeRoot(files);
      const targets = await audited(Object.keys(files).map((path) => root + path));
      const lines = concise({ tool: { name: "sshd-policy", version: "0" }, targets, fixed: 0 });
      expect(lines.match(/a#\w+/g)).toEqual(["a#one", "a#two"]);
    }
  });

  it("says the same of more kinds of files than are remembered", async () => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 1010; index++)
      files[`/d/${1000 + index}/sshd_config`] = `Kind${index % 1005}\nX11Forwarding yes\n`;
    const asked = Object.keys(files);
    const root = makeRoot(files);
    const together = await audited(asked.map((path) => root + path));
    const alone = await audited([`${root}/d/2007/sshd_config`]);
    expect(together).toHaveLength(1010);
    expect(shown(together.slice(1007, 1008))).toEqual(shown(alone));
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

  /** The first two are alike; of the last one more counts than that its name is another one. */
  it.each<readonly [string, string, readonly string[]]>([
    [
      "a pattern matches it",
      "Match User web?\nX11Forwarding no\nMatch User %\nX11Forwarding yes\n",
      ["ops1", "ops2", "web3"],
    ],
    [
      "it is named with an address",
      "AllowUsers web9@10.0.0.1\nMatch User %\nX11Forwarding yes\n",
      ["web1", "web2", "web9"],
    ],
    [
      "it is named twice",
      "AllowUsers web9 root\nMatch User %\nX11Forwarding yes\n",
      ["web1", "web2", "web9"],
    ],
    [
      "a keyword is quoted",
      'Ma"tch" User web9\nX11Forwarding no\nMatch User %\nX11Forwarding yes\n',
      ["web1", "web2", "web9"],
    ],
    [
      "a keyword is quoted behind blanks",
      '\t Ma"tch" User web9\nX11Forwarding no\nMatch User %\nX11Forwarding yes\n',
      ["web1", "web2", "web9"],
    ],
    [
      "it is quoted",
      'Match User "web9"\nX11Forwarding no\nMatch User %\nX11Forwarding yes\n',
      ["web1", "web2", "web9"],
    ],
    [
      "the search has to invent a name",
      `Match User ${EVERY_NICE_NAME},%\nX11Forwarding no\nMatch all\nX11Forwarding yes\n`,
      ["ops11", "ops12", "user1"],
    ],
    [
      "it is one of the first file's",
      "AllowUsers % web1\nMatch User web1\nX11Forwarding yes\n",
      ["web1", "web2", "web3"],
    ],
    [
      "a line has two lists",
      "Match User %,root User b%,%,root\nX11Forwarding yes\n",
      ["aab1", "aab2", "zzb1"],
    ],
    [
      "two blocks open together",
      "Match Group %\nPermitOpen db:22\nMatch Group ops5 Address 10.0.0.0/8\nAllowTcpForwarding local\n",
      ["aab1", "aab2", "zzb1"],
    ],
    ["it is named in brackets, too", "PermitOpen [web9]:22 %:22\n", ["web1", "web2", "web9"]],
    ["it means something to a rule", "PermitOpen %:25\n", ["localhos1", "localhos2", "localhost"]],
    ["it is the server's own", "PermitOpen %:25\n", ["webserver1", "webserver2", "localhost6"]],
    ["it lies below the server's own", "PermitOpen %:25\n", ["a1.localhos1", "a1.localhos2", "a1.localhost"]],
  ])("says the same of a name where %s", async (_, text, names) => {
    const files = Object.fromEntries(
      names.map((name, index) => [`/${"abc".charAt(index)}/sshd_config`, text.replaceAll("%", name)]),
    );
    await sameAsAlone(files, Object.keys(files));
    await sameAsAlone(files, Object.keys(files).reverse());
  });

  /** Of three names that are alike in the files, the last one stands elsewhere, too. */
  it.each<readonly [string, (root: string) => Partial<AuditCommandOptions>]>([
    ["an option of sshd", () => ({ o: ["DenyUsers=web3"] })],
    ["the accounts", (root) => ({ accounts: [`${root}/passwd`, `${root}/group`] })],
    ["the policy file", (root) => ({ config: `${root}/policy.yaml` })],
  ])("says the same of names where %s names one", async (_, optionsIn) => {
    const text = (name: string): string =>
      `AllowTcpForwarding no\nMatch User ${name}\nAllowTcpForwarding yes\n`;
    const asked = ["/a/sshd_config", "/b/sshd_config", "/c/sshd_config"];
    const files = {
      ...Object.fromEntries(asked.map((path, index) => [path, text(`web${index + 1}`)])),
      "/passwd": "root:x:0:0::/:/bin/sh\nweb3:x:1003:100::/:/bin/sh\n",
      "/group": "users:x:100:\n",
      "/policy.yaml": "version: 1\nallow:\n  - { users: web3, capability: tcp-local, reason: r }\n",
    };
    await sameAsAlone(files, asked, optionsIn);
    await sameAsAlone(files, [...asked].reverse(), optionsIn);
  });

  const moved = (files: Readonly<Record<string, string>>): Promise<readonly TargetReport[]> => {
    const root = makeRoot(files);
    return audited(Object.keys(files).map((path) => root + path));
  };
  /** Those of another report, where it was moved. */
  const changesOf = (report: TargetReport | undefined): object | null =>
    report?.findings.find(({ finding }) => finding.rule === "tcp-forwarding")?.finding.fix?.changes ?? null;

  it("reasons once about files that differ in the words of comments", async () => {
    const text = (name: string): string =>
      `# ${name}\nInclude /etc/ssh/sshd_config.d/*.conf\n# of ${name}\n#AllowTcpForwarding yes\n`;
    const [first, second, third] = await moved({
      "/a/sshd_config": text("a"),
      "/b/sshd_config": text("the second"),
      "/c/sshd_config.b": text("c"),
    });
    expect(changesOf(first)).not.toBeNull();
    expect(changesOf(second)).toBe(changesOf(first));
    expect(changesOf(third)).not.toBe(changesOf(first));
  });

  it("reasons once about files that differ in where they listen, their keys and their banner", async () => {
    const text = (name: string): string =>
      `ListenAddress 10.0.0.${name}\nHostKey /etc/ssh/host.${name}\nBanner /etc/issue.${name}\nX11Forwarding yes\n`;
    const [first, second] = await moved({ "/a/sshd_config": text("1"), "/b/sshd_config": text("123") });
    expect(changesOf(first)).not.toBeNull();
    expect(changesOf(second)).toBe(changesOf(first));
  });

  it("reasons once more about files that differ in names, and then no more", async () => {
    const text = (name: string): string =>
      `AllowGroups ops-${name}\nMatch User deploy.${name},!bob-${name}\nAllowTcpForwarding local\nPermitOpen db.${name}:5432\n`;
    const [first, second, third, longer] = await moved({
      "/a/sshd_config": text("s1"),
      "/b/sshd_config": text("s2"),
      "/c/sshd_config": text("s3"),
      "/d/sshd_config": text("s10"),
    });
    expect(changesOf(first)).not.toBeNull();
    expect(changesOf(second)).not.toBe(changesOf(first));
    expect(changesOf(third)).toBe(changesOf(second));
    expect(changesOf(longer)).not.toBe(changesOf(second));
    expect(third?.findings.map(({ finding }) => finding.message).join()).toContain("db.s3:5432");
  });

  it.each([
    ["a suppression", "# sshd-policy: allow tcp-forwarding -- a jump host\n", "# jump host\n"],
    ["a stock line", "#AllowTcpForwarding yes\n", "#AllowedTcpForwarding yes\n"],
    ["a value", "Banner none\n", "Banner /etc/issue\n"],
    ["what forwards", "AllowTcpForwarding yes\n", "AllowTcpForwarding local\n"],
    ["a port", "ListenAddress 10.0.0.1\n", "ListenAddress 10.0.0.1:2222\n"],
    ["a user", "AllowUsers alice\n", "AllowUsers bob\n"],
  ])("reasons again where %s differs", async (_, one, other) => {
    for (const path of ["/b/sshd_config", "/a/sshd_config.b"]) {
      const [first, second] = await moved({ "/a/sshd_config": one, [path]: other });
      expect(changesOf(second)).not.toBe(changesOf(first));
    }
    const [first, second] = await moved({ "/a/a.conf": `${one}\n`, "/a/b.conf": `${other}\n` });
    expect(changesOf(second)).not.toBe(changesOf(first));
  });

  it("reasons once about neighbours that differ in the words of comments, and again in all other bytes", async () => {
    const text = (words: string, last: string): string => `# ${words}\nX11Forwarding yes${last}`;
    const [first, second, shorter, open] = await moved({
      "/a/sshd_config.1": text("a", "\n"),
      "/a/sshd_config.2": text("a longer one", "\n"),
      "/a/sshd_config.3": text("a", ""),
      "/a/sshd_config.4": text("sshd-policy: allow tcp-forwarding -- a jump host", "\n"),
    });
    expect(changesOf(first)).not.toBeNull();
    expect(changesOf(second)).toBe(changesOf(first));
    expect(changesOf(shorter)).not.toBe(changesOf(first));
    expect(changesOf(open)).not.toBe(changesOf(first));
  });
});
