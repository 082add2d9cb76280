/** What the forwarder reads: specifications, SOCKS, known_hosts, ssh_config. */
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync, verify } from "node:crypto";
import { lookup } from "node:dns/promises";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bindAddresses, remoteBindHost } from "../src/forward/bind.ts";
import {
  type Asked,
  type Caller,
  type ConfigFile,
  type Reading,
  readClientConfig,
} from "../src/forward/client-config.ts";
import { openClientFiles } from "../src/forward/client-files.ts";
import { parseOption } from "../src/forward/directives.ts";
import { readKeyFiles, unlock } from "../src/forward/key-files.ts";
import { checkKey, fingerprint, lookupName, parseKnownHosts } from "../src/forward/known-hosts.ts";
import { parseKey } from "../src/forward/session.ts";
import { settingsFor } from "../src/forward/settings.ts";
import { readSocks, socksReply } from "../src/forward/socks.ts";
import { parseDestination, parseDynamic, parseForward } from "../src/forward/specification.ts";
import { describeUnless, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

describe("-L, -R and -D", () => {
  const tcp = (host: string | null, port: number) => ({ kind: "tcp", host, port });
  const socket = (path: string) => ({ kind: "socket", path });
  it.each([
    ["8080:db:5432", tcp(null, 8080), tcp("db", 5432)],
    ["1100:mail.example.com:pop3", tcp(null, 1100), tcp("mail.example.com", 110)],
    ["127.0.0.1:8080:db:5432", tcp("127.0.0.1", 8080), tcp("db", 5432)],
    ["*:8080:db:5432", tcp("*", 8080), tcp("db", 5432)],
    [":8080:db:5432", tcp("", 8080), tcp("db", 5432)],
    ["[::1]:8080:[2001:db8::1]:5432", tcp("::1", 8080), tcp("2001:db8::1", 5432)],
    ["8080:/run/db.sock", tcp(null, 8080), socket("/run/db.sock")],
    ["localhost:8080:/run/db.sock", tcp("localhost", 8080), socket("/run/db.sock")],
    ["/tmp/here:db:5432", socket("/tmp/here"), tcp("db", 5432)],
    ["/tmp/here:/run/db.sock", socket("/tmp/here"), socket("/run/db.sock")],
    ["/tmp/a\\:b:/run/db.sock", socket("/tmp/a:b"), socket("/run/db.sock")],
    ["8080:db:5432:\\", tcp(null, 8080), tcp("db", 5432)],
  ])("%s", (text, listen, target) => {
    expect(parseForward(text, "local")).toEqual({ side: "local", listen, target });
  });

  it.each([
    "",
    "8080",
    "8080:db",
    "8080:db:0",
    "8080:db:x",
    "x:db:1",
    "70000:db:1",
    "1:2:3:4:5",
    "8080::1",
    "[::1:80:db:1",
    `8080:/${"x".repeat(200)}`,
    "8080:db:80\\",
    "\\",
  ])("%s is none", (text) => {
    expect(parseForward(text, "local")).toBe(null);
  });

  it("-R port and -D bind:port speak SOCKS", () => {
    expect(parseForward("1080", "remote")?.target).toEqual({ kind: "socks" });
    expect(parseForward("0", "remote")?.listen).toEqual(tcp(null, 0));
    expect(parseDynamic("[::1]:1080", "local")?.listen).toEqual(tcp("::1", 1080));
    expect(parseDynamic("/tmp/x", "local")?.listen).toEqual(socket("/tmp/x"));
    // ssh(1) listens there, and connects nobody
    expect(parseForward("/tmp/x", "remote")).toBe(null);
    for (const none of ["/tmp/x:/tmp/y", "1080:/tmp/y", "a:/tmp/y"])
      expect(parseDynamic(none, "local")).toBe(null);
  });

  it("bind as ssh(1): loopback unless told otherwise, and at all addresses of a name", async () => {
    const closed = { gatewayPorts: "no", family: null } as const;
    const open = { gatewayPorts: "yes", family: null } as const;
    expect(await bindAddresses(null, closed)).toEqual(["127.0.0.1", "::1"]);
    expect(await bindAddresses(null, open)).toEqual(["0.0.0.0", "::"]);
    expect(await bindAddresses("localhost", open)).toEqual(["127.0.0.1", "::1"]);
    expect(await bindAddresses("*", closed)).toEqual(["0.0.0.0", "::"]);
    expect(await bindAddresses("192.0.2.1", open)).toEqual(["192.0.2.1"]);
    expect(await bindAddresses(null, { ...closed, family: 4 })).toEqual(["127.0.0.1"]);
    expect(await bindAddresses("*", { ...closed, family: 6 })).toEqual(["::"]);
    expect(await bindAddresses("::1", { ...closed, family: 4 })).toEqual([]);
    const named = (await lookup("LOCALHOST", { all: true })).map(({ address }) => address);
    expect(await bindAddresses("LOCALHOST", open)).toEqual([...new Set(named)]);
    await expect(bindAddresses("no.such.host.invalid", open)).rejects.toThrow("no such host");
    expect([null, "", "*", "0.0.0.0"].map(remoteBindHost)).toEqual(["localhost", "", "", "0.0.0.0"]);
  });
});

describe("a destination", () => {
  it.each([
    ["host", "host", { user: null, host: "host", port: null }],
    ["a@b@host", "host", { user: "a@b", host: "host", port: null }],
    ["ssh://al%20ice@host:2222", "host", { user: "al ice", host: "host", port: 2222 }],
    ["::1", "host", { user: null, host: "::1", port: null }],
    ["alice@[::1]:2222", "host and port", { user: "alice", host: "::1", port: 2222 }],
    ["-oProxyCommand=x", "host", null],
    ["alice@-l", "host", null],
    ["host;ls", "host", null],
    ["host:0", "host and port", null],
    ["@host", "host", null],
    ["j:", "host and port", { user: null, host: "j", port: null }],
    ["ssh://j:", "host and port", { user: null, host: "j", port: null }],
    ["ssh://me@[::1]:22", "host", { user: "me", host: "::1", port: 22 }],
    ["ssh://u@j/x", "host and port", null],
    ["ssh://j.", "host", { user: null, host: "j", port: null }],
    ["ssh://a-_.b:22", "host", { user: null, host: "a-_.b", port: 22 }],
    ...["ssh://-j", "ssh://_j", "ssh://.j", "ssh://a..b", "ssh://[a:b]", "ssh://[j"].map(
      (text): [string, "host", null] => [text, "host", null],
    ),
    ["[j", "host and port", null],
    ["j;x", "host and port", null],
    ["-u@j", "host and port", null],
    ["@j", "host and port", null],
    ["u'@j", "host and port", null],
    ["u -x@j", "host and port", null],
    ["u x@j", "host and port", { user: "u x", host: "j", port: null }],
    ["ssh://m%ff@h", "host", null],
  ] as const)("%s", (text, form, expected) => {
    expect(parseDestination(text, form)).toEqual(expected);
  });
});

describe("SOCKS", () => {
  const bytes = (...parts: readonly (number | string)[]): Buffer =>
    Buffer.concat(
      parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part, "latin1"))),
    );
  const requests: readonly (readonly [string, Buffer, "start" | "greeted", string, number])[] = [
    ["4", bytes(4, 1, 0, 80, 192, 0, 2, 7, "me", 0), "start", "192.0.2.7", 80],
    ["4a", bytes(4, 1, 0, 80, 0, 0, 0, 1, 0, "db.example", 0), "start", "db.example", 80],
    ["5, IPv4", bytes(5, 1, 0, 1, 192, 0, 2, 7, 1, 187), "greeted", "192.0.2.7", 443],
    [
      "5, IPv6",
      bytes(5, 1, 0, 4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 80),
      "greeted",
      "2001:db8::1",
      80,
    ],
    ["5, a name", bytes(5, 1, 0, 3, 2, "db", 0, 80), "greeted", "db", 80],
    ["5, a name up to a NUL", bytes(5, 1, 0, 3, 4, "db", 0, "x", 0, 80), "greeted", "db", 80],
    ["5, a name outside ASCII", bytes(5, 1, 0, 3, 4, "d\xc3\xa9\n", 0, 80), "greeted", "dé\n", 80],
  ];
  it.each(requests)("%s is read whole, and needs every byte", (_, request, phase, host, port) => {
    const followed = Buffer.concat([request, Buffer.from("data")]);
    expect(readSocks(followed, phase)).toMatchObject({
      kind: "connect",
      to: { host, port },
      used: request.length,
    });
    for (let length = 0; length < request.length; length++)
      expect(readSocks(request.subarray(0, length), phase)).toEqual({ kind: "more" });
  });

  // getent(1) writes what inet_ntop(3) does
  it.each([
    "::1",
    "::",
    "1::",
    "1:0:0:2::3",
    "2001:db8::1:0:0:1",
    "1:2:3:4:5:6:7:0",
    "::ffff:192.0.2.7",
    "::192.0.2.7",
    "64:ff9b::c000:207",
  ])("5 spells %s as the C library does", (text) => {
    const { stdout } = spawnSync("getent", ["ahostsv6", text], { encoding: "latin1" });
    const words = new URL(`http://[${text}]`).hostname.slice(1, -1).split("::");
    const [left = [], right = []] = words.map((half) => (half === "" ? [] : half.split(":")));
    const groups = [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
    const wire = Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
    const read = readSocks(Buffer.concat([bytes(5, 1, 0, 4), wire, bytes(0, 80)]), "greeted");
    expect(read).toMatchObject({ to: { host: text } });
    if (stdout !== "") expect(stdout).toMatch(new RegExp(`^${text} `));
  });

  it.each([
    ["BIND of 4", bytes(4, 2, 0, 80, 192, 0, 2, 7, 0), "start"],
    ["BIND of 5", bytes(5, 2, 0, 1, 192, 0, 2, 7, 0, 80), "greeted"],
    ["an unknown address", bytes(5, 1, 0, 9, 1), "greeted"],
    ["a name that begins with a NUL", bytes(5, 1, 0, 3, 2, 0, "a", 0, 80), "greeted"],
    ["a name that is no UTF-8", bytes(5, 1, 0, 3, 1, 0xff, 0, 80), "greeted"],
    ["a reserved byte that is not 0", bytes(5, 1, 1, 3, 2, "db", 0, 80), "greeted"],
    ["an empty name", bytes(5, 1, 0, 3, 0, 0, 80), "greeted"],
    ["a login only", bytes(5, 1, 2), "start"],
    ["HTTP", bytes("GET / HTTP/1.1\r\n"), "start"],
  ] as const)("%s is refused", (_, request, phase) => {
    expect(readSocks(request, phase).kind).toBe("refuse");
  });

  it("greets and answers", () => {
    expect(readSocks(bytes(5, 2, 2, 0, 99), "start")).toEqual({
      kind: "answer",
      bytes: bytes(5, 0),
      used: 4,
    });
    expect([socksReply(4, "open")[1], socksReply(4, "refused")[1]]).toEqual([0x5a, 0x5b]);
    expect([socksReply(5, "open")[1], socksReply(5, "prohibited")[1], socksReply(5, "refused")[1]]).toEqual([
      0, 2, 5,
    ]);
  });
});

const KEYGEN = whyNoFile("/usr/bin/ssh-keygen");

describeUnless(KEYGEN, "known_hosts", () => {
  const folder = makeFolder();
  let keys: readonly { readonly line: string; readonly wire: Buffer; readonly fingerprint: string }[];
  beforeAll(() => {
    keys = ["one", "two"].map((name) => {
      const path = join(folder, name);
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
      const line = readFileSync(`${path}.pub`, "latin1").trim();
      const shown = execFileSync("ssh-keygen", ["-l", "-f", `${path}.pub`], { encoding: "latin1" });
      return {
        line,
        wire: Buffer.from(line.split(" ")[1] ?? "", "base64"),
        fingerprint: shown.split(" ")[1] ?? "",
      };
    });
  });

  /** The verdict on key `which` for host and port, by these lines. ONE and TWO stand for keys. */
  function verdict(text: string, which: 0 | 1, name: string): string {
    const filled = text
      .replaceAll("ONE", keys[0]?.line ?? "")
      .replaceAll("TWO", keys[1]?.line ?? "")
      .replaceAll("WIRE", keys[0]?.wire.toString("base64") ?? "");
    return checkKey(
      parseKnownHosts([{ path: "known", text: filled }]),
      name,
      keys[which]?.wire ?? Buffer.alloc(0),
    ).kind;
  }

  it.each([
    ["host ONE", 0, "host", "known"],
    ["host ONE", 1, "host", "changed"],
    ["host ONE\nhost TWO", 1, "host", "known"],
    ["host ONE", 0, "other", "new"],
    ["HOST,192.0.2.1 ONE", 0, "host", "known"],
    ["*.example.com,!bad.example.com ONE", 0, "a.example.com", "known"],
    ["*.example.com,!bad.example.com ONE", 0, "bad.example.com", "new"],
    ["[host]:2222 ONE", 0, "[host]:2222", "known"],
    ["[host]:2222 ONE", 0, "host", "new"],
    ["@revoked * ONE\nhost ONE", 0, "host", "revoked"],
    ["@revoked * ONE\nhost TWO", 1, "host", "known"],
    ["@cert-authority *.example.com ONE", 1, "a.example.com", "authority"],
    ["@cert-authority * ONE\nhost TWO", 1, "host", "known"],
    ["# host ONE\n\ngarbage\n  host ONE comment", 0, "host", "known"],
    ["|1|bad|worse ONE\n|2|x|y ONE", 0, "host", "new"],
    ["host ssh-rsa WIRE", 0, "host", "new"],
    ["host ssh-ed25519 WIRE=", 0, "host", "new"],
    ["host ssh-ed25519 AAAA\nhost ONE", 0, "host", "known"],
    ["@revoked host ssh-rsa WIRE\nhost ONE", 0, "host", "known"],
  ] as const)("%s: key %i of %s is %s", (text, which, name, expected) => {
    expect(verdict(text, which, name)).toBe(expected);
  });

  it("reads what ssh-keygen -H hashed, and shows fingerprints as it does", () => {
    const path = join(folder, "hashed");
    writeFileSync(path, `host ${keys[0]?.line}\n[host]:2222 ${keys[1]?.line}\n`);
    execFileSync("ssh-keygen", ["-q", "-H", "-f", path], { stdio: "ignore" });
    const text = readFileSync(path, "latin1");
    expect(text).not.toContain("host");
    expect(verdict(text, 0, lookupName("Host", 22))).toBe("known");
    expect(verdict(text, 1, lookupName("host", 2222))).toBe("known");
    expect(verdict(text, 1, lookupName("host", 22))).toBe("changed");
    expect(keys.map(({ wire }) => fingerprint(wire))).toEqual(keys.map((key) => key.fingerprint));
  });
});

describe("ssh_config", () => {
  const home = makeFolder();
  let caller: Caller;
  beforeAll(() => {
    mkdirSync(join(home, ".ssh"));
    caller = { home, name: "alice", uid: process.getuid?.() ?? 0 };
  });

  function write(name: string, text: string, mode = 0o600): string {
    const path = join(home, ".ssh", name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** each time as if for the first time */
  function readConfig(path: string, asked: Asked, chosen: ConfigFile["chosen"] = "by default"): Reading {
    return readClientConfig({ path, chosen }, asked, { caller, files: openClientFiles(() => {}) });
  }

  function read(text: string, host: string, given: readonly string[] = []) {
    const asked = { host, given: given.flatMap((text) => parseOption(text) ?? []) };
    const { directives, notes } = readConfig(write("config", text), asked);
    return { settings: settingsFor(asked, directives, { caller, variable: () => null }), notes };
  }

  it("is read once, until it is written to by ourselves", () => {
    const files = openClientFiles(() => {});
    const path = join(home, ".ssh/new/known_hosts");
    const read = (): string => String(files.read(path).bytes);
    expect(read).toThrow(/ENOENT/);
    files.append(path, "one\n");
    expect(read()).toBe("one\n");
    files.append(path, "two\n");
    expect(read()).toBe("one\ntwo\n");
    writeFileSync(path, "three\n");
    expect(read()).toBe("one\ntwo\n");
  });

  it("takes the first value, for the hosts that a block names", () => {
    const text = "Host db* !dbx\n  Port 2200\n  User bob\nHost *\n  Port 2300\n  HostName %h.example.com\n";
    expect(read(text, "db1").settings).toMatchObject({ host: "db1.example.com", port: 2200, user: "bob" });
    expect(read(text, "dbx").settings).toMatchObject({ host: "dbx.example.com", port: 2300, user: "alice" });
    expect(read(text, "db1", ["Port=9"]).settings.port).toBe(9);
  });

  it("takes a ConnectTimeout of 0 for none", () => {
    const { timeoutMs } = read("", "db").settings;
    expect(timeoutMs).toBeGreaterThan(0);
    for (const none of ["0", "none"])
      expect(read(`ConnectTimeout ${none}\n`, "db").settings.timeoutMs).toBe(timeoutMs);
  });

  it("never runs anything: not Match exec, not ProxyCommand", () => {
    const mark = join(home, "ran");
    const { settings, notes } = read(
      `Match exec "touch ${mark}"\n  Port 2\nMatch host db user alice\n  Port 3\n`,
      "db",
    );
    expect(settings.port).toBe(3);
    expect(notes).toEqual([expect.stringContaining("Match exec is left out")]);
    expect(() => read(`ProxyCommand touch ${mark}\n`, "db")).toThrow(/runs no commands/);
    expect(() => read(`KnownHostsCommand touch ${mark}\n`, "db")).toThrow(/runs no commands/);
    expect(existsSync(mark)).toBe(false);
  });

  it("reads forwards, jumps and Includes, and expands paths", () => {
    write("more.conf", "IdentityFile ~/.ssh/%h-key\n");
    const { settings } = read(
      "Include *.conf\nLocalForward 8080 db:5432\nRemoteForward 1080\nDynamicForward [::1]:1081\nProxyJump a,b@c:22\n",
      "host",
    );
    expect(settings.forwards.map(({ side, target }) => `${side} ${target.kind}`)).toEqual([
      "local tcp",
      "remote socks",
      "local socks",
    ]);
    for (const pattern of ["[a-z].conf", "~other/config", `$\{FOLDER}/config`])
      expect(() => read(`Include ${pattern}\n`, "host")).toThrow(/config:1: Include .*: only \* and \?/);
    expect(settings.proxyJump).toBe("a,b@c:22");
    expect(settings.identityFiles).toEqual([{ path: join(home, ".ssh/host-key"), chosen: "by the user" }]);
  });

  it("knows the target in the tokens of a ProxyJump, where its own user and port stand for others", () => {
    const text = "Host db\n  HostName %h.example\n  User al\n  Port 2022\n  ProxyJump %r@gw-%n:%p\n";
    expect(read(text, "db").settings.proxyJump).toBe("al@gw-db:2022");
    expect(() => read("ProxyJump %z\n", "db")).toThrow("%z is not known here");
  });

  it("goes on without a file of the user's that cannot be read, but not without an included one", () => {
    const asked = { host: "db", given: [] };
    const below = join(write("file", ""), "config");
    expect(readConfig(below, asked)).toMatchObject({
      directives: [],
      notes: [`${below} is left out: not a directory`],
    });
    expect(readConfig(write("config", `Include ${below}*\nPort 1\n`), asked)).toMatchObject({
      directives: [{ keyword: "port" }],
      notes: [],
    });
    expect(() => readConfig(write("config", `Include ${below}\n`), asked)).toThrow(
      `${below} cannot be read: not a directory`,
    );
  });

  it("is as he wants it where the user names it, but not what it includes", () => {
    const asked = { host: "db", given: [] };
    const open = write("open", "Port 1\n", 0o666);
    expect(readConfig(open, asked, "by the user").directives).toMatchObject([{ keyword: "port" }]);
    expect(() => readConfig(write("config", "Include open\n"), asked, "by the user")).toThrow(
      /nobody else may write/,
    );
  });

  it("is refused where others may have written it, and where it makes no sense", () => {
    const asked = { host: "db", given: [] };
    expect(() => readConfig(write("open", "Port 1\n", 0o666), asked)).toThrow(/nobody else may write/);
    expect(readConfig(join(home, "none"), asked).directives).toEqual([]);
    for (const text of [
      "Port x",
      "StrictHostKeyChecking perhaps",
      "LocalForward 8080 db",
      'Host "',
      "IdentityFile %Z",
    ])
      expect(() => read(`${text}\n`, "db"), text).toThrow();
    expect(() => read("Include config\n", "db")).toThrow(/levels of Include/);
    expect(() => parseOption("ForwardX11=yes")).toThrow(/not an option of this forwarder/);
  });
});

describe("a private key", () => {
  const nobody = { caller: { home: "/nonexistent", name: "x", uid: 0 }, variable: () => null };
  const folder = makeFolder();
  it.each([
    ["ed25519", "RFC4716", "aes256-ctr"],
    ["ecdsa", "RFC4716", "aes256-gcm@openssh.com"],
    ["rsa", "RFC4716", "aes256-cbc"],
    ["rsa", "PEM", ""],
    ["ecdsa", "PEM", ""],
    ["rsa", "PKCS8", ""],
    ["ecdsa", "PKCS8", ""],
  ])(
    "%s in %s %s is opened by its passphrase, the second time, and is known without it",
    async (type, format, cipher) => {
      const path = join(folder, `${type}-${format}`);
      const args = ["-q", "-t", type, "-m", format, "-N", "secret", ...(cipher === "" ? [] : ["-Z", cipher])];
      execFileSync("ssh-keygen", [...args, "-f", path]);
      const wire = readFileSync(`${path}.pub`, "latin1").split(" ")[1];
      if (format === "RFC4716") rmSync(`${path}.pub`);
      const answers = ["wrong", "secret"];
      const notes: string[] = [];
      const talk = {
        ask: async () => answers.shift() ?? null,
        note: (text: string) => void notes.push(text),
      };
      const settings = settingsFor(
        { host: "h", given: [] },
        [{ keyword: "identityfile", args: [path], place: "-i" }],
        nobody,
      );
      const [file] = readKeyFiles(settings, { files: openClientFiles(talk.note), talk });
      expect(file?.publicKey?.toString("base64")).toBe(wire);
      const key = file === undefined ? null : await unlock(file, settings, talk);
      const parsed = parseKey(key?.text ?? "", key?.passphrase);
      expect(parsed instanceof Error ? parsed : parsed.getPublicSSH().toString("base64"), notes.join()).toBe(
        wire,
      );
      expect(answers).toEqual([]);
    },
  );

  it("that no passphrase would open are named, and none is asked for", async () => {
    const path = join(folder, "chacha20");
    const cipher = "chacha20-poly1305@openssh.com";
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-Z", cipher, "-N", "secret", "-f", path]);
    // PROTOCOL.u2f: the key handle in place of the secret
    const string = (text: string): string => `${String.fromCharCode(0, 0, 0, text.length)}${text}`;
    const token = string(`${string("sk-ssh-ed25519@openssh.com")}${string("x".repeat(32))}${string("ssh:")}`);
    const header = `openssh-key-v1\0${string("none")}${string("none")}${string("")}\0\0\0\x01${token}${string("")}`;
    const body = Buffer.from(header, "latin1").toString("base64");
    const sk = join(folder, "id_ed25519_sk");
    writeFileSync(sk, `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`, {
      mode: 0o600,
    });
    const notes: string[] = [];
    const talk = { ask: () => expect.unreachable(), note: (text: string) => void notes.push(text) };
    const identityFiles = [path, sk].map((each) => ({ path: each, chosen: "by the user" }) as const);
    const files = readKeyFiles({ identityFiles }, { files: openClientFiles(talk.note), talk });
    expect(files.map(({ publicKey }) => publicKey !== null)).toEqual([true, true]);
    const login = { ...settingsFor({ host: "h", given: [] }, [], nobody), batch: false };
    for (const file of files) expect(await unlock(file, login, talk)).toBe(null);
    expect(notes).toEqual([
      expect.stringContaining(`this forwarder cannot read ${cipher}`),
      expect.stringContaining("its secret is on a security token"),
    ]);
  });

  // ssh-keygen 9.2 neither writes nor reads it; ssh(1) does from 9.6 on
  it.each([{ cipher: "none" }, { cipher: "aes-256-cbc" }])(
    "ed25519 in PKCS8 $cipher is opened, and signs",
    async ({ cipher }) => {
      const pair = generateKeyPairSync("ed25519");
      const path = join(folder, `ed25519-pkcs8-${cipher}`);
      const lock = cipher === "none" ? {} : { cipher, passphrase: "secret" };
      const pem = pair.privateKey.export({ type: "pkcs8", format: "pem", ...lock });
      writeFileSync(path, pem, { mode: 0o600 });
      const talk = { ask: async () => "secret", note: () => {} };
      const identityFiles = [{ path, chosen: "by the user" } as const];
      const [file] = readKeyFiles({ identityFiles }, { files: openClientFiles(talk.note), talk });
      const login = { ...settingsFor({ host: "h", given: [] }, [], nobody), batch: false };
      const key = file === undefined ? null : await unlock(file, login, talk);
      const parsed = parseKey(key?.text ?? "", key?.passphrase);
      if (parsed instanceof Error) throw parsed;
      const signed: unknown = parsed.sign("text");
      expect(signed instanceof Buffer && verify(null, Buffer.from("text"), pair.publicKey, signed)).toBe(
        true,
      );
      const raw = Buffer.from(pair.publicKey.export({ format: "jwk" }).x ?? "", "base64url");
      expect(parsed.getPublicSSH().subarray(-raw.length)).toEqual(raw);
      // ssh2 looks at less of what has been made of it
      writeFileSync(path, key?.text ?? "", { mode: 0o600 });
      const shown = execFileSync("ssh-keygen", ["-y", "-f", path], { encoding: "latin1" });
      expect(shown.split(/\s/)[1]).toBe(parsed.getPublicSSH().toString("base64"));
    },
  );

  it.each([0o640, 0o604, 0o620])("leaves out a private key of mode %o, but no public one", (mode) => {
    const path = join(folder, `open-${mode}`);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
    const notes: string[] = [];
    const talk = { ask: async () => null, note: (text: string) => void notes.push(text) };
    const read = (...paths: readonly string[]): readonly string[] => {
      const identityFiles = paths.map((one) => ({ path: one, chosen: "by the user" }) as const);
      const means = { files: openClientFiles(talk.note), talk };
      return readKeyFiles({ identityFiles }, means).map((file) => file.path);
    };
    for (const one of [path, `${path}.pub`]) chmodSync(one, mode);
    expect(read(path, `${path}.pub`)).toEqual([`${path}.pub`]);
    expect(notes).toEqual([`${path} is left out: others may read this private key (chmod 600 mends it)`]);
    chmodSync(path, 0o600);
    expect(read(path)).toEqual([path]);
  });

  it("that SSH has no name for is left out, and named", async () => {
    const path = join(folder, "x25519");
    const { privateKey } = generateKeyPairSync("x25519");
    writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    const notes: string[] = [];
    const talk = { ask: async () => null, note: (text: string) => void notes.push(text) };
    const identityFiles = [{ path, chosen: "by the user" } as const];
    const [file] = readKeyFiles({ identityFiles }, { files: openClientFiles(talk.note), talk });
    const login = settingsFor({ host: "h", given: [] }, [], nobody);
    expect(file === undefined ? null : await unlock(file, login, talk)).toBe(null);
    expect(notes).toEqual([`${path} is left out: SSH has no keys of type x25519`]);
  });
});
