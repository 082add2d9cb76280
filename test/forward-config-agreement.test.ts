/** Configurations of ssh(1) made at random: what ours reads out of them is what `ssh -G` says. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Directive } from "../src/forward/client-config.ts";
import { openClientFiles } from "../src/forward/client-files.ts";
import { parseOption } from "../src/forward/directives.ts";
import { settingsOf } from "../src/forward/reach.ts";
import type { HostSettings } from "../src/forward/settings.ts";
import { distinctForwards, type Forward, parseDestination } from "../src/forward/specification.ts";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const missing = whyNoFile("/usr/bin/ssh");
const folder = makeFolder();
const { homedir: home, username: name, uid } = userInfo();

/** Keywords with values that ssh takes, without StreamLocalBindMask: readconf.c sets it in blocks that do not hold, too. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  HostName: ["192.0.2.4", "%h.example", '"quoted.example"', "::1"],
  Port: ["2222", "22", '"2022"'],
  User: ["bob", '"al ice"', "'al ice'", "carol"],
  IdentityFile: ["/k/a", '"/k/a b"', "~/.ssh/id_x", "/k/a\\ b", "'/k/c d'"],
  ProxyJump: ["none", "j1", "u@j1:22", "j1,u@j2"],
  ProxyCommand: ["none"],
  LocalForward: [
    ...["8080 localhost:80", "127.0.0.1:81 [::1]:80", "*:8082 a:1", "/tmp/s b:2", "[::1]:85 d:4"],
    ...[
      '"/tmp/a b" c:3',
      "'/tmp/a b' c:4",
      "/tmp/a\\ b c:5",
      `"$\{FOLDER}/s" /%h-%n-%p-%r-%u-%i-%d`,
      "/%L-%l-%k a:6",
    ],
  ],
  RemoteForward: ["9090 localhost:80", "*:9092 a:1", "/tmp/s /tmp/t", "0 a:1", "/%r/%% /a%%b", "82 a:7:"],
  DynamicForward: ["1080", "*:1081", "[::1]:1082", '"1084"'],
  GatewayPorts: ["yes", "no", '"yes"'],
  ExitOnForwardFailure: ["yes", "no", "true"],
  StreamLocalBindUnlink: ["yes", "no"],
  ClearAllForwardings: ["yes", "no", "no", "no"],
  StrictHostKeyChecking: ["yes", "no", "ask", "accept-new", "off"],
  UserKnownHostsFile: ["/a", "/a /b", "none", "/dev/null"],
  GlobalKnownHostsFile: ["/g", "/g /h", "none"],
  HostKeyAlias: ["alias", '"al"'],
  BindAddress: ["127.0.0.2"],
  ConnectTimeout: ["5", "1m", "10s", "1m30s"],
  ServerAliveInterval: ["5", "1m"],
  ServerAliveCountMax: ["1", "3"],
  BatchMode: ["yes", "no"],
  IdentitiesOnly: ["yes", "no"],
  IdentityAgent: ["none", "/agent", "$FOLDER", `$\{FOLDER}/agent`],
  NumberOfPasswordPrompts: ["1", "5"],
  PasswordAuthentication: ["yes", "no", "No"],
  KbdInteractiveAuthentication: ["yes", "no"],
  ChallengeResponseAuthentication: ["yes", "no"],
  PubkeyAuthentication: ["yes", "no"],
};
const BLOCKS = [
  ...["Host h", "Host *", "Host !h *", "Host x h", "Host=h", 'Host "h"', "Host h,x", "Host x"],
  ...["Match host h", "Match all", "Match host h,x user bob", "Match originalhost h", "Match !host h"],
  ...["Match user carol", "Match host=h", 'Match host "h"', "Match host *.example", "Match host x"],
];

const directive = fc
  .constantFrom(...Object.keys(VALUES))
  .chain((keyword) =>
    fc.tuple(
      fc.oneof(
        fc.tuple(
          fc.constantFrom(keyword, keyword.toLowerCase(), `\t${keyword.toUpperCase()}`),
          fc.constantFrom(" ", "=", " = ", "\t"),
        ),
        // readconf.c takes the = behind a quoted keyword for a part of the value
        fc.constantFrom<[string, string]>([`"${keyword}"`, " "]),
      ),
      fc.constantFrom(...(VALUES[keyword] ?? [])),
      // readconf.c takes what follows for a part of the command
      fc.constantFrom(...(keyword === "ProxyCommand" ? ["", " ", "\r"] : ["", " ", " # c", "\r"])),
    ),
  )
  .map(([[keyword, separator], value, end]) => `${keyword}${separator}${value}${end}\n`);
const text = fc
  .array(
    fc.oneof(
      { arbitrary: directive, weight: 3 },
      { arbitrary: fc.constantFrom(...BLOCKS.map((block) => `${block}\n`)), weight: 1 },
    ),
    { minLength: 1, maxLength: 10 },
  )
  // Debian's ssh has a default of its own beside BatchMode
  .map((lines) => `${lines.join("")}Match all\nServerAliveInterval 20\n`);

/** FORWARD_SPECIFICATIONS=3000 is a campaign: ssh -G is started for each. */
const SPECIFICATIONS = Number(process.env["FORWARD_SPECIFICATIONS"] ?? 120);

type Reading = Readonly<Record<string, string>>;

const LISTS = ["identityfile", "localforward", "remoteforward", "dynamicforward"];

function theirs(file: string): Reading {
  const { stdout, stderr, status } = spawnSync("ssh", ["-G", "-F", file, "h"], {
    encoding: "latin1",
    env: { ...process.env, ...VARIABLES },
  });
  if (status !== 0) throw new Error(stderr);
  const said = new Map<string, string>();
  for (const line of stdout.trim().split("\n")) {
    const [, keyword = "", value = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    said.set(keyword, LISTS.includes(keyword) ? `${said.get(keyword) ?? ""}${value}\n` : value);
  }
  // a LocalForward from socket to socket is printed as a DynamicForward, too
  said.set("dynamicforward", (said.get("dynamicforward") ?? "").replace(/^.*\/.*\n/gm, ""));
  const get = (keyword: string): string => said.get(keyword) ?? "";
  const timeout = get("connecttimeout");
  return {
    ...Object.fromEntries([...SAME, ...LISTS].map((keyword) => [keyword, get(keyword)])),
    // a variable alone is looked up later
    identityagent: get("identityagent").replace(/^\$FOLDER$/, VARIABLES["FOLDER"] ?? ""),
    proxyjump: get("proxyjump").replace(/^none$/, ""),
    identityfile: get("identityfile").includes(".ssh/id_rsa") ? "" : get("identityfile").replace(/~/g, home),
    connecttimeout: timeout === "none" ? "30" : timeout,
    userknownhostsfile: get("userknownhostsfile").replace(/~/g, home),
    streamlocalbindmask: String(Number.parseInt(get("streamlocalbindmask"), 8)),
    stricthostkeychecking:
      { true: "yes", false: "no" }[get("stricthostkeychecking")] ?? get("stricthostkeychecking"),
    pubkeyauthentication:
      { true: "yes", false: "no" }[get("pubkeyauthentication")] ?? get("pubkeyauthentication"),
  };
}

/** Keywords that both write alike. */
const SAME = [
  ...["hostname", "port", "user", "gatewayports", "exitonforwardfailure", "streamlocalbindunlink"],
  ...[
    "hostkeyalias",
    "bindaddress",
    "serveralivecountmax",
    "serveraliveinterval",
    "batchmode",
    "identitiesonly",
    "globalknownhostsfile",
  ],
  ...["numberofpasswordprompts", "passwordauthentication", "kbdinteractiveauthentication", "identityagent"],
];

/** SSH_AUTH_SOCK, of which ssh -G says nothing */
const UNSET = "/unset";
const VARIABLES: Readonly<Record<string, string>> = { SSH_AUTH_SOCK: UNSET, FOLDER: "/f/%h" };

const environment = {
  caller: { home, name, uid },
  configFile: null,
  files: openClientFiles(() => {}),
  variable: (wanted: string) => VARIABLES[wanted] ?? null,
  talk: { ask: async () => null, note: () => {} },
};

function ours(file: string): Reading {
  const of = settingsOf({ user: null, host: "h", port: null }, [], {
    ...environment,
    configFile: { path: file, chosen: "by the user" },
    files: openClientFiles(() => {}),
  });
  const yes = (value: boolean): string => (value ? "yes" : "no");
  const paths = (list: readonly string[]): string => list.join(" ") || "none";
  return {
    hostname: of.host,
    port: String(of.port),
    user: of.user,
    gatewayports: of.gatewayPorts,
    exitonforwardfailure: yes(of.exitOnForwardFailure),
    streamlocalbindunlink: of.unlink,
    streamlocalbindmask: String(of.mask),
    hostkeyalias: of.keyAlias ?? "",
    bindaddress: of.bindAddress ?? "",
    serveraliveinterval: String((of.keepAlive?.intervalMs ?? 0) / 1000),
    serveralivecountmax: String(of.keepAlive?.count),
    batchmode: yes(of.batch),
    identitiesonly: yes(of.identitiesOnly),
    identityagent: of.agent !== UNSET ? (of.agent ?? "none") : "",
    numberofpasswordprompts: String(of.passwordPrompts),
    passwordauthentication: yes(of.methods.includes("password")),
    kbdinteractiveauthentication: yes(of.methods.includes("keyboard-interactive")),
    pubkeyauthentication: yes(of.methods.includes("publickey")),
    proxyjump: of.proxyJump ?? "",
    connecttimeout: String(of.timeoutMs / 1000),
    stricthostkeychecking: of.strict,
    userknownhostsfile: paths(of.userKnownHosts),
    globalknownhostsfile: paths(of.globalKnownHosts),
    identityfile: of.identityFiles
      .map(({ path, chosen }) => (chosen === "by the user" ? `${path}\n` : ""))
      .join(""),
    ...forwardsOf(of),
  };
}

function forwardsOf({ forwards }: HostSettings): Reading {
  const all = distinctForwards(forwards);
  const list = (fits: (forward: Forward) => boolean): string =>
    all
      .filter(fits)
      .map((forward) => `${forwardText(forward)}\n`)
      .join("");
  return {
    localforward: list(({ side, target }) => side === "local" && target.kind !== "socks"),
    remoteforward: list(({ side }) => side === "remote"),
    dynamicforward: list(({ side, target }) => side === "local" && target.kind === "socks"),
  };
}

/** ssh.c dump_cfg_forwards: brackets around every host */
function forwardText({ listen, target }: Forward): string {
  const bracketed = (host: string, port: number): string => `[${host}]:${port}`;
  const from =
    listen.kind === "socket"
      ? listen.path
      : listen.host === null
        ? String(listen.port)
        : bracketed(listen.host === "" ? "*" : listen.host, listen.port);
  if (target.kind === "socks") return from;
  return `${from} ${target.kind === "socket" ? target.path : bracketed(target.host, target.port)}`;
}

describeUnless(missing, "ssh -G and ours", () => {
  it("read the same out of a configuration", () => {
    const file = join(folder, "config");
    fc.assert(
      fc.property(text, (written) => {
        writeFileSync(file, written, { mode: 0o600 });
        expect(ours(file)).toEqual(theirs(file));
      }),
      { numRuns: 200 },
    );
  }, 120_000);

  it.each([
    ["parts/*", ["parts/a", "parts/b"]],
    ["*/a", ["other/a", "parts/a"]],
    ["*/?", ["other/a", "parts/a", "parts/b"]],
    ["*/.?", ["parts/.c"]],
    ["./parts/a", ["parts/a"]],
    ["parts/a/*", []],
    ["nowhere/*", []],
  ])("include the same files by %s", (pattern, files) => {
    const top = makeFolder();
    for (const name of ["parts", "other"]) mkdirSync(join(top, name));
    for (const name of ["parts/a", "parts/b", "parts/.c", "other/a"])
      writeFileSync(join(top, name), `IdentityFile /${name}\n`, { mode: 0o600 });
    const file = join(top, "config");
    writeFileSync(file, `Include ${top}/${pattern}\nMatch all\nServerAliveInterval 20\n`, { mode: 0o600 });
    expect(ours(file)).toEqual(theirs(file));
    expect(ours(file)["identityfile"]).toBe(files.map((name) => `/${name}\n`).join(""));
  });

  it("decide alike about options and destinations", () => {
    const different = COMMAND_LINES.flatMap((line) => {
      const [ssh, own] = [theirDecision(line), ourDecision(line)];
      return ssh === own ? [] : [{ line, ssh, own }];
    });
    expect(different).toEqual([]);
  }, 120_000);

  /** Pieces of what -L and -R say. */
  const specification = fc
    .array(
      fc.constantFrom(
        ...[
          ":",
          ":",
          ":",
          "[",
          "]",
          "\\",
          "/",
          "80",
          "0",
          "a",
          "*",
          " ",
          "[::1]",
          "é",
          "http",
          "65536",
          "%%",
          "%h",
        ],
        ...[`$\{FOLDER}`, `$\{UNSET}`, `$\{`, "$", "%z", "x".repeat(100)],
      ),
      { minLength: 1, maxLength: 9 },
    )
    .map((pieces) => pieces.join(""));

  it.each([
    ["localforward", "-L"],
    ["remoteforward", "-R"],
  ])(
    "read the same out of a random %s",
    (keyword, place) => {
      const both = (text: string): readonly [string | null, string | null] => [
        theirForward(keyword, [place, text]),
        ourForward({ keyword, args: [text], place }),
      ];
      fc.assert(
        fc.property(specification, (text) => {
          const [ssh, own] = both(text);
          expect(own).toBe(ssh);
        }),
        {
          numRuns: SPECIFICATIONS,
          examples: ["80:a:80:", "/%h:a:80", "80:/a%%b", `$\{FOLDER}:a:80`].map((text) => [text]),
        },
      );
    },
    120_000,
  );
});

/** Of whom ssh reads it, and whom it would connect to: options, and the destination at the end. */
type CommandLine = readonly string[];

const OF_PORT = [
  ...["Port=1", "Port 1", "Port\t1", " Port = 1 ", "PORT=1", "Port=1=", "Port==1", "Port = = 1", 'Port="1"'],
  ...[
    '"Port"=1',
    '"Port" 1',
    "Port=1 2",
    "Port=1 # c",
    "Port=1#c",
    "Port=",
    "Port",
    "",
    " ",
    "#x",
    "=",
    "=Port=1",
  ],
  ...[
    "Port=1\n",
    "Port=1\nUser=x",
    "Port=1\r",
    "Port=\u00a01",
    "Port\v1",
    "Port\f1",
    "Port=1\f",
    "Port=0",
    "Port=-1",
  ],
  ...[
    "Port=01",
    "Port=65535",
    "Port=65536",
    "Port=0x1",
    "Port=+1",
    "Port=http",
    "Port=nosuch",
    "Port=1e1",
    "Port='1'",
  ],
  ...["Port=1\\", 'Port="1', "Port='1", 'Port=""', '"" Port=1', "Port=22222222222222", "port 1 ;", "Pört=1"],
];
const OF_USER = [
  ...[
    "User=bob",
    "User=",
    'User=""',
    "User=a b",
    'User="a b"',
    "User='a b'",
    'User="a b',
    "User=a\\ b",
    "User=-x",
  ],
  ...[
    "User=a'b",
    "User=a\u0001b",
    "User=a$b",
    "User=a;b",
    'User="a -b"',
    'User="a\\"',
    "User=é",
    "User=a@b",
    "User=DOM\\u",
  ],
];
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  AddressFamily: ["any", "INET", "inet6", "x", "", "4"],
  BatchMode: ["yes", "true", "YES", "ask", "1", "", "yes no"],
  BindAddress: ["127.0.0.1", "", "a b"],
  ConnectTimeout: ["0", "1", "none", "NONE", "1m", "1x", "-1", "99999999999", "", "1 2"],
  DynamicForward: ["1080", "x", "1080 2", ""],
  ExitOnForwardFailure: ["yes", "x"],
  GatewayPorts: ["yes", "no", "clientspecified"],
  GlobalKnownHostsFile: ["a", "none", "a b", "none b", "a none", '""', "a NONE"],
  HostKeyAlias: ["a", "", "a b"],
  HostName: ["127.0.0.1", "%h", "%%", "%z", "a%", "", "127.0.0.1 x", "-x", "a;b", "UPPER", "%H"],
  IdentitiesOnly: ["yes", "x"],
  IdentityAgent: ["none", "/x", "$X", "$", "", "a b", "SSH_AUTH_SOCK"],
  IdentityFile: ["none", "/x", "", "a b"],
  KbdInteractiveAuthentication: ["yes", "x"],
  ChallengeResponseAuthentication: ["no", "x"],
  LocalForward: ["18080 a:1", "18080:a:1", "18080", "18080 a:1 x", "18080 x", "/tmp/x a:1", '18080 "a:1"'],
  NumberOfPasswordPrompts: ["0", "1", "none", "-1", "x", "1.5", "99999999999", "0x3", " 3", ""],
  PasswordAuthentication: ["yes", "false", "x"],
  PreferredAuthentications: ["publickey", "x", "publickey,password", "", "a b"],
  ProxyJump: ["none", "NONE", "none #c", ""],
  PubkeyAuthentication: ["yes", "unbound", "host-bound", "x"],
  RemoteForward: ["0 a:1", "1080", "1080 a:1", "x", "x:1080", "/tmp/x /tmp/y", "1 a:2 3"],
  RevokedHostKeys: ["none", "NONE", "", "none x"],
  ServerAliveCountMax: ["0", "1", "-1", "x", "1m", "none"],
  ServerAliveInterval: ["0", "1", "1m", "none", "x", "-1"],
  StreamLocalBindMask: ["0177", "0", "0777", "01000", "8", "x", "-1", "", "0177x"],
  StreamLocalBindUnlink: ["yes", "x"],
  StrictHostKeyChecking: ["yes", "accept-new", "off", "YES", "x", ""],
  UserKnownHostsFile: ["a", "none", "a b", "none b", "a none", '""', "a".repeat(5000)],
  Include: ["/x"],
  Host: ["x"],
  Match: ["all"],
  Nonsense: ["x"],
};
const DESTINATIONS = [
  ...[
    "h",
    "me@h",
    "a@b@h",
    "@h",
    "-a@h",
    "a b@h",
    "a'b@h",
    "a$b@h",
    "a\\b@h",
    "a;b@h",
    "a\nb@h",
    "a\u0007b@h",
  ],
  ...[
    "é@h",
    "a%@h",
    "a%u@h",
    "a -b@h",
    "a\\@h",
    " ",
    "h ",
    " h",
    "me@ h",
    "h\n",
    "[h]",
    "::1",
    "me@::1",
    "[::1]",
    "h:1",
  ],
  ...[
    "-h",
    "h;x",
    "h$x",
    "h`x`",
    "h{x",
    "h(x",
    "h\u007f",
    "UPPER",
    "h".repeat(300),
    `\${HOME}`,
    "h#x",
    "h%x",
    "h/x",
    "h=x",
  ],
  ...[
    "ssh://h:1",
    "ssh://me@h:1",
    "ssh://me@h:1/",
    "ssh://me@h:1/x",
    "ssh://h",
    "ssh://h:",
    "ssh://h:0",
    "ssh://h:x",
  ],
  ...[
    "ssh://h:65536",
    "ssh://me;x@h:1",
    "ssh://;x@h",
    "ssh://me:pw@h:1",
    "ssh://m%65@h:1",
    "ssh://m%zz@h",
    "ssh://m%@h",
  ],
  ...[
    "ssh://m%00@h",
    "ssh://@h",
    "ssh://",
    "ssh:///",

    "ssh:h",
    "ssh://h:1?x",
    "ssh://h%2e:1",
    "ssh://a@b@h",
  ],
  ...[
    "ssh://h:http",
    "ssh://m%c3%a9@h",
    "ssh://m+e@h",
    "sftp://h",
    "ssh://h_x",
    "ssh://h;x",
    "ssh://a b@h",
    "ssh://a'@h",
  ],
];

const COMMAND_LINES: readonly CommandLine[] = [
  ...[...OF_PORT, ...OF_USER].map((option) => ["-o", option, "h"]),
  ...Object.entries(OTHERS).flatMap(([keyword, values]) =>
    values.map((value) => ["-o", `${keyword}=${value}`, "h"]),
  ),
  ...DESTINATIONS.map((destination) => [destination]),
];

/** "user@host port", or "refused". */
function theirDecision(line: CommandLine): string {
  const { stdout, status } = spawnSync(
    "ssh",
    ["-G", "-F", "none", ...line.slice(0, -1), "--", ...line.slice(-1)],
    {
      encoding: "utf8",
      env: { ...process.env, ...VARIABLES },
    },
  );
  if (status !== 0) return "refused";
  const [host, port, user] = ["hostname", "port", "user"].map(
    (keyword) => new RegExp(`^${keyword} (.*)$`, "m").exec(stdout)?.[1],
  );
  return `${user}@${host} ${port}`;
}

function ourDecision(line: CommandLine): string {
  const destination = parseDestination(line.at(-1) ?? "", "host");
  if (destination === null) return "refused";
  try {
    const given = line.slice(1, -1).flatMap((text) => parseOption(text) ?? []);
    const { user, host, port } = settingsOf(destination, given, environment);
    return `${user}@${host} ${port}`;
  } catch {
    return "refused";
  }
}

/** What only ssh takes, and what it does with it makes no sense: SOCKS on a socket, a destination without a name. */
const SENSELESS = /\/.*\[socks\]:0$| \[\]:/;

/** As ssh -G prints it; null: refused, or one that makes no sense. */
function theirForward(keyword: string, args: readonly string[]): string | null {
  const { stdout, status } = spawnSync("ssh", ["-G", "-F", "none", ...args, "h"], {
    encoding: "utf8",
    env: { ...process.env, ...VARIABLES },
  });
  const line = stdout.split("\n").find((one) => one.startsWith(`${keyword} `));
  if (status !== 0 || line === undefined) return null;
  const text = line.slice(keyword.length + 1);
  return SENSELESS.test(text) ? null : text.replace(/ \[socks\]:0$/, "").replace(/^\[\]:/, "[*]:");
}

/** For a local listener port 0 is ours alone. */
function ourForward(given: Directive): string | null {
  try {
    const { forwards } = settingsOf({ user: null, host: "h", port: null }, [given], environment);
    const [forward] = forwards;
    const isOurs = forward?.side === "local" && forward.listen.kind === "tcp" && forward.listen.port === 0;
    return forward === undefined || isOurs ? null : forwardText(forward);
  } catch {
    return null;
  }
}
