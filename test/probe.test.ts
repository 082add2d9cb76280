/**
 * Prediction and observation agree: real sshds with real forwards, on the live table, on every kind of forwarding under
 * every value that decides it, on lists, bind addresses and everything that people think stops forwarding.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { atLeast } from "../grammar/release.ts";
import type { ProbeResult } from "../src/cli/probe-run.ts";
import { sandboxFiles } from "../src/config/sandbox.ts";
import type { Job } from "../src/forward/job.ts";
import { runSandbox } from "../src/forward/sandbox.ts";
import type { Capability } from "../src/policy/connection.ts";
import type { ProbedAttempt } from "../src/policy/probed.ts";
import { describeUnless, testUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";
import { differencesOf, probeTree, programOf, whyNoProbe } from "./sshd/probing.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { load, MAIN_FILE } from "./sshd/reading.ts";
import type { ServerTree } from "./sshd/server-tree.ts";

/** Rows that are more than values: order, Includes, lists, quotes, bytes that vanish. */
const TOLD_BY_FILES = ["B", "E", "F", "G", "H", "I", "P", "Q", "T", "Z", "a", "b", "d", "e", "f", "h"];
const TRUTHS: readonly { readonly row: string; readonly files: ServerTree }[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/truth-table.json"), "utf8"),
);
const ROWS = TRUTHS.filter(({ row }) => TOLD_BY_FILES.includes(row));
/** On the lab's releases those where reading differs between releases, or once did: the rest costs a second each. */
const ROWS_FOR_ALL = ROWS.filter(({ row }) => ["B", "I", "T", "d", "e", "f"].includes(row));

/** What a live sshd does, each row a user's block; columns -L port, -L socket, -R port, -R socket. */
const LIVE: readonly (readonly [string, string])[] = [
  ["AllowTcpForwarding yes", "open open open open"],
  ["AllowTcpForwarding no", "refused refused refused refused"],
  ["AllowTcpForwarding local", "open open refused refused"],
  ["AllowTcpForwarding remote", "refused refused open open"],
  ["AllowStreamLocalForwarding no", "open refused open refused"],
  ["AllowStreamLocalForwarding local", "open open open refused"],
  ["PermitOpen none", "refused refused open open"],
  ["PermitOpen 127.0.0.1:9", "refused refused open open"],
  ["PermitListen none", "open open refused open"],
  ["PermitListen 9999", "open open refused open"],
  ["AllowTcpForwarding remote\nPermitListen none", "refused refused refused open"],
  ["DisableForwarding yes", "refused refused refused refused"],
  ["ForceCommand internal-sftp\nAllowTcpForwarding yes", "open open open open"],
];

const COLUMNS: readonly Capability[] = ["tcp-local", "unix-local", "tcp-remote", "unix-remote"];

/** One block a user: every block's witness is that user. */
function blocks(bodies: readonly string[], global = ""): string {
  return `${global}\n${bodies.map((body, index) => `Match User u${index}\n${body}\n`).join("")}`;
}

function product(...axes: readonly (readonly string[])[]): string[] {
  return axes.reduce<string[]>(
    (lines, axis) =>
      lines.flatMap((line) => axis.map((value) => `${line}${line === "" ? "" : "\n"}${value}`)),
    [""],
  );
}

const TCP = ["yes", "no", "local", "remote", "all"].map((value) => `AllowTcpForwarding ${value}`);
const SOCKETS = ["yes", "no", "local", "remote"].map((value) => `AllowStreamLocalForwarding ${value}`);
const DISABLED = ["no", "yes"].map((value) => `DisableForwarding ${value}`);
const OTHERS = product(
  ["no", "yes"].map((value) => `X11Forwarding ${value}`),
  ["no", "yes"].map((value) => `AllowAgentForwarding ${value}`),
  ["no", "yes", "point-to-point", "ethernet"].map((value) => `PermitTunnel ${value}`),
  DISABLED,
);
const LISTS = product(
  [
    "any",
    "none",
    "127.0.0.1:*",
    "*:8080",
    "db:5432 10.0.0.5:22 [::1]:9000",
    "localhost:*",
    "*:*",
    "[/tmp/a]:*",
    "[*]:*",
    "[*]:8080 [tmp/b]:*",
    "db:* [tmp/c]:*",
    "127.0.0.1:1",
    "[localhost]:020507 127.0.0.1:020508",
  ].map((list) => `PermitOpen ${list}`),
  ["yes", "local"].map((value) => `AllowTcpForwarding ${value}`),
);
const LISTENING = product(
  ["no", "yes", "clientspecified"].map((value) => `GatewayPorts ${value}`),
  [
    "any",
    "none",
    "20500",
    "localhost:20501",
    "127.0.0.1:20502 *:20503",
    "LOCALHOST:20504",
    "198.18.0.1:*",
    "l*t:20505",
    "localhost:88",
    "[localhost]:020506 127.0.0.1:020509",
  ].map((list) => `PermitListen ${list}`),
);
const BELIEFS = [
  "ForceCommand /bin/false",
  "ForceCommand internal-sftp\nPermitTTY no",
  "ChrootDirectory /srv/sftp/%u\nForceCommand internal-sftp",
  "PermitTTY no\nPermitUserRC no",
  "MaxSessions 0",
].flatMap((body) => ["yes", "no"].map((value) => `${body}\nAllowTcpForwarding ${value}`));

const KEYS = [
  "restrict",
  "restrict,port-forwarding",
  "port-forwarding,RESTRICT",
  'restrict,permitopen="*:*"',
  "no-agent-forwarding,no-X11-forwarding",
  'permitopen="127.0.0.1:20700",permitopen="db:5432",permitlisten="localhost:*"',
  'command="/bin/false",permitopen="*:*",permitlisten="20601"',
  'permitopen="db/5432",permitlisten="[localhost]:20600",tunnel="7"',
  'restrict,tunnel="any"',
];

/** Who matches decides: every attribute, in a world where each address, port and name exists. */
const CRITERIA = `UseDNS yes
AllowTcpForwarding no
DenyUsers mallory
Match User root
  AllowTcpForwarding yes
Match Group admins,!staff
  AllowTcpForwarding local
Match Address 2001:db8::/32
  AllowTcpForwarding remote
Match Address 203.0.113.0/24,!203.0.113.0/25 User svc
  AllowTcpForwarding local
  PermitOpen 127.0.0.1:*
Match LocalAddress 192.0.2.200
  PermitTunnel ethernet
Match LocalPort 2222
  AllowTcpForwarding yes
  GatewayPorts yes
Match Host *.example.com
  X11Forwarding yes
Match User mallory
  AllowTcpForwarding yes
Match all
  AllowAgentForwarding no
`;

/** Bytes outside ASCII, a name that no DNS has, displays that there are none of, messages amid a key exchange, no login at all. */
const STUMBLING = `RekeyLimit 16 1
MaxAuthTries 0
UseDNS yes
X11Forwarding yes
X11DisplayOffset 1000
PermitOpen \u00c3\u00a9:4 [/tmp/\u00c3\u00a9]:* 0.0.0.0:6 [fe80::1%lo]:5
Match Host *.x
  AllowTcpForwarding local
`;

for (const program of PROGRAMS) {
  const missing = whyNoProbe(program);
  describeUnless(missing, `a probe with the sshd of ${program.chroot ?? "this machine"}`, () => {
    const probeText = (text: string): ReturnType<typeof probeTree> =>
      probeTree({ [MAIN_FILE]: text }, { program });

    it.each([
      ["TCP, sockets, DisableForwarding", blocks(product(TCP, SOCKETS, DISABLED))],
      // one session at a time: the one before must be over
      ["X11, agent, tun, DisableForwarding", blocks(OTHERS, "MaxSessions 1")],
      ["PermitOpen", blocks(LISTS)],
      ["PermitListen and GatewayPorts", blocks(LISTENING)],
      ["what does not stop forwarding", blocks(BELIEFS)],
      ["who matches", CRITERIA],
      ["what a probe trips over", STUMBLING],
    ])(
      "sees what the policy says: %s",
      async (_, text) => {
        const result = await probeText(text);
        expect(result.failed).toBeNull();
        expect(differencesOf(result)).toEqual([]);
        expect(result.attempts.filter(({ observation }) => observation.why === "untried")).toEqual([]);
        const users = new Set(result.attempts.map(({ connection }) => connection.user));
        expect(users.size).toBeGreaterThanOrEqual(text.split("Match User u").length);
      },
      600_000,
    );

    it("sees the live table", async () => {
      const { attempts } = await probeText(blocks(LIVE.map(([body]) => body)));
      const first = (user: string, capability: Capability): string =>
        attempts.find(
          ({ connection, attempt }) => connection.user === user && attempt.capability === capability,
        )?.observation.observed ?? "not tried";
      const seen = LIVE.map(([body], index): [string, string] => [
        body,
        COLUMNS.map((capability) => first(`u${index}`, capability)).join(" "),
      ]);
      expect(seen).toEqual(LIVE);
    }, 600_000);

    it.each(program.chroot === undefined ? ROWS : ROWS_FOR_ALL)(
      "does what row $row of the truth table says",
      async ({ files }) => {
        const result = await probeTree(files, { program });
        expect(result.failed).toBeNull();
        expect(differencesOf(result)).toEqual([]);
        expect(seenIn(result)).toBeGreaterThan(10);
      },
      600_000,
    );

    it.each(["inet", "inet6"])(
      "sees what AddressFamily %s lets through",
      async (family) => {
        const lists = ["no", "yes", "clientspecified"].map((value) => `GatewayPorts ${value}`);
        const criteria = family === "inet6" ? "Match Address 2001:db8::/32\n  AllowTcpForwarding yes\n" : "";
        const result = await probeText(`AddressFamily ${family}\n${criteria}${blocks(lists)}`);
        expect(differencesOf(result)).toEqual([]);
        const whys = new Set(result.attempts.map(({ observation }) => observation.why));
        expect(whys.has("no-login")).toBe(family === "inet6");
        expect(whys.has("untried")).toBe(false);
        expect(seenIn(result)).toBeGreaterThan(10);
      },
      600_000,
    );

    it("sees whom a list that is wrong to the end keeps out: of the global one all, of a block its own", async () => {
      const bodies = ["PermitOpen any 10.0.0.9:80", "PermitListen none 80", "PermitOpen 127.0.0.1:*"];
      const whysOf = async (text: string): Promise<readonly string[]> => {
        const result = await probeText(text);
        if (result.failed !== null) return [result.failed.replace(/^.*line \d+: /s, "")];
        expect(differencesOf(result)).toEqual([]);
        return bodies.map((_, index) => {
          const own = result.attempts.filter(({ connection }) => connection.user === `u${index}`);
          return [...new Set(own.map(({ observation }) => observation.why))].join();
        });
      };
      const seen = [await whysOf(blocks(bodies)), await whysOf(blocks(bodies.slice(2), bodies[0]))];
      const isAccepted = atLeast(programOf(program).release, "9.7");
      if (isAccepted)
        expect(seen).toEqual([
          ["no-login", "no-login", "observed"],
          ["no-login", "", ""],
        ]);
      else expect(seen.map((one) => one.length)).toEqual([1, 1]);
    }, 600_000);

    it("keeps the shell of a known account, nologin too, and lets nobody in whom the policy refuses", async () => {
      const accounts = [
        {
          name: "svc",
          uid: 990,
          gid: 990,
          home: "/nonexistent",
          shell: "/usr/sbin/nologin",
          groups: ["svc"],
        },
      ];
      // who is in no group is refused where DenyGroups is set: the witness for bob is in one
      const text =
        "DenyUsers alice\nDenyGroups noshell\nMatch User svc\n  AllowTcpForwarding yes\nMatch User bob\n  PermitOpen 127.0.0.1:*\nMatch User alice\n  PermitOpen 127.0.0.1:20001\n";
      const result = await probeTree({ [MAIN_FILE]: text }, { program, accounts });
      expect(differencesOf(result)).toEqual([]);
      const of = (user: string): readonly ProbedAttempt[] =>
        result.attempts.filter(({ connection }) => connection.user === user);
      expect(of("svc").filter(({ observation }) => observation.observed === "open").length).toBeGreaterThan(
        3,
      );
      expect(new Set(of("alice").map(({ observation }) => observation.why))).toEqual(new Set(["no-login"]));
      expect(new Set(of("bob").map(({ observation }) => observation.why))).toEqual(new Set(["observed"]));
    }, 600_000);

    it.each(KEYS)(
      "sees what the key's options leave: %s",
      async (keyOptions) => {
        const text = blocks(
          [
            "PermitOpen any\nPermitListen any",
            "PermitOpen 127.0.0.1:* db:5432\nPermitListen localhost:20600 20601",
            "AllowTcpForwarding no",
          ],
          "X11Forwarding yes\nPermitTunnel yes\nPermitRootLogin yes\nMatch User root\nPermitOpen none",
        );
        const result = await probeTree({ [MAIN_FILE]: text }, { program, keyOptions });
        expect(result.failed).toBeNull();
        expect(differencesOf(result)).toEqual([]);
        expect(seenIn(result)).toBeGreaterThan(40);
      },
      600_000,
    );

    if (missing === null && atLeast(programOf(program).release, "9.8"))
      it("runs its own sshd-session and sshd-auth, not those that the configuration names", async () => {
        const auth = atLeast(programOf(program).release, "10.0") ? "SshdAuthPath /bin/false\n" : "";
        const result = await probeText(`SshdSessionPath /bin/false\n${auth}`);
        expect(differencesOf(result)).toEqual([]);
        expect(seenIn(result)).toBeGreaterThan(10);
        expect(result.changes.map(({ keyword }) => keyword)).toContain("sshdsessionpath");
      }, 600_000);

    it("turns red when the policy is read wrongly", async () => {
      // without the repair of CVE-2025-32728, which this sshd has
      const result = await probeTree(
        { [MAIN_FILE]: "DisableForwarding yes\n" },
        { program, judgedAs: "8.4p1" },
      );
      expect(differencesOf(result)).toEqual([
        expect.stringMatching(/agent : predicted open .*, seen refused/),
      ]);
    }, 600_000);
  });
}

const EMPTY_JOB: Job = {
  ...{ sshd: "", kind: "root", keyOptions: "", options: [], files: [], listen: [], addresses: [] },
  connections: [],
};

describeUnless(whyNoProbe({}), "a throw-away sshd", () => {
  it("keeps Includes and Match blocks of files anywhere", async () => {
    const result = await probeTree({
      [MAIN_FILE]: "Include sshd_config.d/*.conf /opt/more/*\nAllowTcpForwarding no\n",
      "/etc/ssh/sshd_config.d/50 cloud.conf": "Match User *,!bob\n  Include /srv/deep.conf\n",
      "/srv/deep.conf": "AllowTcpForwarding local\n",
      "/opt/more/a": "PermitOpen 127.0.0.1:*\n",
    });
    expect(result.failed).toBeNull();
    expect(differencesOf(result)).toEqual([]);
    expect(result.attempts.some(({ attempt }) => attempt.predicted === "open")).toBe(true);
  }, 600_000);

  // what rules/lockout.ts says
  testUnless(whyNoFile("/etc/services"), "lets nobody in whose list names a service", async () => {
    const lists = [
      "PermitOpen db:ssh",
      "PermitListen 20510 *:imap",
      "PermitOpen db:22\nPermitListen 20510 *:143",
    ];
    const result = await probeTree({ [MAIN_FILE]: blocks(lists) });
    expect(result.failed).toBeNull();
    expect(differencesOf(result)).toEqual([]);
    // the server closes the connection during the login
    const seen = lists.map((_, index) => {
      const own = result.attempts.filter(({ connection }) => connection.user === `u${index}`);
      return [...new Set(own.map(({ observation }) => observation.why))];
    });
    expect(seen).toEqual([["no-login"], ["no-login"], ["observed"]]);
  });

  it("writes nothing outside its own root, and takes a session that sshd ends for no refusal", async () => {
    const result = await probeTree({
      [MAIN_FILE]: `PermitOpen [/../../../../../../tmp/escaped.sock]:*
ChrootDirectory /../../../tmp/escaped-root
`,
    });
    expect(result.failed).toBeNull();
    expect(differencesOf(result)).toEqual([]);
    const details = result.attempts.map(({ observation }) => observation.detail);
    expect(details).toContainEqual(expect.stringMatching(/sshd ended the session: .*bad ownership/));
    expect(readdirSync("/tmp").filter((name) => name.startsWith("escaped"))).toEqual([]);
  }, 600_000);

  it("lets its part inside write nowhere else, on no file system", async () => {
    const own = `/tmp/sshd-policy-probe-${crypto.randomUUID()}`;
    const places = ["/tmp", "/dev/shm", "/etc", "/root"].map((folder) => `${folder}/escaped-${process.pid}`);
    const script = `for place in ${places.join(" ")}; do touch "$place" && exit 9; done; touch ${own}/tmp/own || exit 8`;
    const inside = ["/bin/sh", "-c", script];
    const ended = await runSandbox({
      ...{ inside, base: "/", folder: own, job: EMPTY_JOB },
      onReport: () => {},
    });
    expect([ended, places.filter((place) => existsSync(place))]).toEqual([null, []]);
  });

  it("takes no link of the target over but those of programs", async () => {
    const base = makeFolder();
    const links = {
      home: "var/home",
      root: "/root",
      etc: "/etc",
      tmp: "/tmp",
      bin: "usr/bin",
      mnt: "var/mnt",
    };
    for (const [name, to] of Object.entries(links)) symlinkSync(to, join(base, name));
    mkdirSync(join(base, "usr"));
    const own = `/tmp/sshd-policy-probe-${crypto.randomUUID()}`;
    const names = Object.keys(links).join(" ");
    const script = `cd ${own}; for name in ${names}; do if [ -L $name ]; then echo $name; fi; done >&2; exit 7`;
    const inside = ["/bin/sh", "-c", script];
    const ended = await runSandbox({ inside, base, folder: own, job: EMPTY_JOB, onReport: () => {} });
    expect(ended).toBe("bin");
  });

  it("makes a home that is the ChrootDirectory as sshd wants it", async () => {
    const places = [
      "%h",
      "/home/account",
      "/home/account/below",
      "/srv/%u",
      "/srv/%U/%%",
      "~",
      "~/below",
      "~u7",
    ];
    const bodies = places.map((place) => `ChrootDirectory ${place}\nForceCommand internal-sftp`);
    const result = await probeTree({ [MAIN_FILE]: blocks(bodies) });
    expect(differencesOf(result)).toEqual([]);
    expect(result.attempts.filter(({ observation }) => observation.why === "untried")).toEqual([]);
  }, 600_000);

  it("logs in under names outside ASCII, and says which name cannot be sent", async () => {
    const names = ["m\xc3\xbcller", "m\xfcller"];
    const text = names.map((name) => `Match User ${name}\nAllowTcpForwarding no\nChrootDirectory /srv/%u\n`);
    const result = await probeTree({ [MAIN_FILE]: text.join("") });
    expect(differencesOf(result)).toEqual([]);
    const ways = names.map((name) => {
      const own = result.attempts.filter(({ connection }) => connection.user === name);
      return [...new Set(own.map(({ observation: { observed, detail } }) => observed ?? detail))].sort();
    });
    expect(ways).toEqual([
      expect.arrayContaining(["open", "refused"]),
      ["no login: the user's name: its bytes are not UTF-8, which is all that can be sent here"],
    ]);
  }, 600_000);

  it("says which addresses no connection has, where the system takes others for them", async () => {
    const blocks = ["Address 0.0.0.0", "Address 224.0.0.0/4", "LocalAddress 0.0.0.0"].map(
      (criterion, index) => `Match ${criterion}\nAllowTcpForwarding no\nPermitOpen h${index}:1\n`,
    );
    const result = await probeTree({ [MAIN_FILE]: blocks.join("") });
    expect(differencesOf(result)).toEqual([]);
    const untried = result.attempts.filter(({ observation }) => observation.why === "untried");
    expect(new Set(untried.map(({ observation }) => observation.detail))).toEqual(
      new Set([
        "no login: from 0.0.0.0 to 192.0.2.1 this machine connects as 192.0.2.1 to 192.0.2.1",
        "no login: from 224.0.0.1 to 192.0.2.1 this machine connects as 192.0.2.1 to 192.0.2.1",
        "no login: from 198.51.100.7 to 0.0.0.0 this machine connects as 198.51.100.7 to 198.51.100.7",
      ]),
    );
  }, 600_000);

  it("replaces what options of the service force, too", () => {
    const options = [
      "ForceCommand=touch /tmp/forced",
      "PermitRootLogin=forced-commands-only",
      "X11Forwarding=yes",
    ];
    const config = load({ [MAIN_FILE]: "" }, programOf({}).release, options);
    const sandbox = { folder: "/x", asRoot: true, realPathOf: (path: string) => path };
    expect(sandboxFiles(config, sandbox).options).toEqual([
      "forcecommand=/bin/false",
      "permitrootlogin=prohibit-password",
      "X11Forwarding=yes",
    ]);
  });

  it("says which ChrootDirectory it cannot make, and probes the others", async () => {
    const chroots = ["/usr/no-such/folder", "/srv/made", "/no\xfcmlaut"].map(
      (path, index) => `ChrootDirectory ${path}\nPermitOpen 127.0.0.1:${20520 + index}`,
    );
    const result = await probeTree({ [MAIN_FILE]: blocks(chroots) });
    expect(result.failed).toBeNull();
    const seen = ["u0", "u1", "u2"].map((user) => {
      const own = result.attempts.filter(({ connection }) => connection.user === user);
      return [...new Set(own.map(({ observation }) => observation.detail))];
    });
    expect(seen[0]).toEqual([
      "no login: there is no ChrootDirectory /usr/no-such/folder, and the probe could not make it in its root",
    ]);
    expect(seen[1]?.join()).not.toContain("no login");
    expect(seen[2]?.join()).not.toContain("no login");
  }, 600_000);

  it("takes no refusal of an address that is a name for a difference", async () => {
    const result = await probeTree({
      [MAIN_FILE]: "GatewayPorts clientspecified\nPermitListen ?*:20514 1*:20513\nChrootDirectory /home\n",
    });
    expect(result.failed).toBeNull();
    expect(differencesOf(result)).toEqual([]);
    const named = result.attempts.filter(
      ({ attempt: { request } }) => "host" in request && request.host === "x",
    );
    expect(named.map(({ attempt, observation }) => [attempt.needs, observation.why])).toEqual([
      ["an address of the server that is called x", "needs"],
    ]);
  }, 600_000);

  it("logs in with its own key where nobody else can, as every method is off", async () => {
    const off = ["Pubkey", "Password", "KbdInteractive"].map((name) => `${name}Authentication no\n`);
    const result = await probeTree({ [MAIN_FILE]: off.join("") });
    expect(result.failed).toBeNull();
    expect(differencesOf(result)).toEqual([]);
    expect(seenIn(result)).toBeGreaterThan(10);
  }, 600_000);

  it("runs nothing that the configuration names, and says what it changed", async () => {
    const folder = makeFolder();
    const result = await probeTree({
      [MAIN_FILE]: `UsePAM yes
ForceCommand touch ${folder}/forced
AuthorizedKeysCommand /usr/bin/touch ${folder}/keys
AuthorizedKeysCommandUser root
AuthorizedPrincipalsCommand /usr/bin/touch ${folder}/principals
AuthorizedPrincipalsCommandUser root
Subsystem sftp /usr/bin/touch ${folder}/subsystem
Port 2022
ListenAddress 192.0.2.77
HostKey /nowhere
AuthenticationMethods publickey,password
Ciphers aes256-cbc
RevokedKeys /nowhere
`,
    });
    expect(result.failed).toBeNull();
    expect(differencesOf(result)).toEqual([]);
    expect(seenIn(result)).toBeGreaterThan(10);
    expect(readdirSync(folder)).toEqual([]);
    expect(result.changes.map(({ keyword }) => keyword).sort()).toEqual([
      "authenticationmethods",
      "authorizedkeyscommand",
      "authorizedkeyscommanduser",
      "authorizedprincipalscommand",
      "authorizedprincipalscommanduser",
      "ciphers",
      "forcecommand",
      "hostkey",
      "listenaddress",
      "port",
      "revokedkeys",
      "usepam",
    ]);
  }, 600_000);
});

function seenIn({ attempts }: ProbeResult): number {
  return attempts.filter(({ observation }) => observation.observed !== null).length;
}
