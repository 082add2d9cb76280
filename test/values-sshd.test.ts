/**
 * Values against a real sshd of Debian's: for every keyword, what it accepts, prints and says. SSHD_ROOT names the root
 * of another installation (test/lab/host makes them), SSHD_VALUES=all runs every pair of keyword and argument. Skipped,
 * and saying so, without root or without such an sshd.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Keyword, knownKeywords } from "../grammar/keywords.ts";
import { parseText } from "../grammar/parser.ts";
import { parseRelease, type Release } from "../grammar/release.ts";
import type { DirectiveLine } from "../grammar/tree.ts";
import { readValue } from "../grammar/values.ts";
import { POSITIONS } from "../src/config/load-problems.ts";
import { asPrinted } from "../src/config/printed.ts";
import { describeUnless, NOT_ROOT } from "./needs.ts";

const { SSHD_ROOT = "/", SSHD_VALUES } = process.env;
const SSHD = "/usr/sbin/sshd";
const RELEASE = installedRelease();
const missing = NOT_ROOT ?? (RELEASE === null ? `no openssh-server of Debian in ${SSHD_ROOT}` : null);

function installedRelease(): Release | null {
  const status = join(SSHD_ROOT, "var/lib/dpkg/status");
  if (!existsSync(join(SSHD_ROOT, SSHD)) || !existsSync(status)) return null;
  const stanza = /^Package: openssh-server\n(?:.+\n)*?Version: (.+)$/m.exec(readFileSync(status, "latin1"));
  return stanza?.[1] === undefined ? null : parseRelease(stanza[1]);
}

function runSshd(args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const options = { encoding: "latin1", cwd: "/" } as const;
  return SSHD_ROOT === "/"
    ? spawnSync(SSHD, args, options)
    : spawnSync("chroot", [SSHD_ROOT, SSHD, ...args], options);
}

/** Arguments that are odd for one form or another; every keyword gets all of them. */
const ARGUMENTS = [
  "yes",
  "no",
  "YES",
  "all",
  "local",
  "remote",
  "none",
  "NONE",
  "any",
  "clientspecified",
  "prohibit-password",
  "without-password",
  "inet6",
  "delayed",
  "shosts-only",
  "point-to-point",
  "Ethernet",
  "true",
  "0",
  "1",
  "-1",
  "5x",
  "+7",
  "007",
  "2147483648",
  "1m30s",
  "1h",
  "90m5",
  "1w2d",
  "5y",
  "1.5s",
  "0777",
  "0999",
  "1000",
  "-7",
  '" 12"',
  "22",
  "65536",
  "ssh",
  "0x16",
  "127.0.0.1",
  "127.0.0.1:2222",
  "[::1]:22",
  "::1",
  "[::1",
  "[::1]x",
  "h:80",
  "h:*",
  "*:80",
  "h:0",
  "h:http",
  "h/80",
  "*",
  ":80",
  "/etc/x",
  "x/y",
  "~/x",
  "~root/x",
  '""',
  '"" x',
  'x ""',
  "a b",
  "a b c",
  '"a b" c',
  "'a b'",
  "a\\ b",
  "a # c",
  "# c",
  "a#c",
  "a=b",
  "A=b A=c B=d",
  "=x",
  "a=",
  "alice bob@10.0.0.0/8",
  "bob@10.1.2.3/8",
  "bob@",
  "a@b@1.2.3.4/33",
  "!x *",
  "publickey,password",
  "publickey any",
  "any publickey",
  "publickey:x hostbased",
  "nonsense",
  "publickey,",
  "aes128-ctr",
  "+aes128-cbc",
  "-aes*",
  "^aes256-ctr",
  "aes128-ctr,,x",
  "aes128-ctr,nonsense",
  "hmac-sha1",
  "-hmac*,umac*",
  "^hmac-md5",
  "curve25519-sha256",
  "+diffie-hellman-group1-sha1",
  "-ecdh*",
  "sntrup761x25519-sha512",
  "ssh-rsa",
  "+ssh-*",
  "ssh-*,!ssh-rsa",
  "rsa-sha2-*",
  "RSA",
  "ssh-dss",
  "ssh-ed25519-cert-v01@openssh.com",
  "+",
  "-",
  "^",
  "10",
  "10:30:60",
  "10:30",
  "60:30:10",
  "10:101:100",
  "10:",
  "a:b:c",
  "32:128",
  "33",
  "24:129",
  "default",
  "default none",
  "1G 1h",
  "16 none",
  "15",
  "1K2",
  "1.5M",
  "default 1h 2",
  "9E",
  "99999999999999999999",
  "af21",
  "AF21 cs1",
  "0x10 8",
  "256",
  "lowdelay",
  "le reliability",
  "ef none",
  "INFO",
  "debug1",
  "DEBUG3",
  "auth",
  "LOCAL7",
  "LOCAL8",
  "md5",
  "SHA256",
  "sha1",
  "sftp internal-sftp",
  'sftp /x -l "a b"',
  "sftp",
  'sftp "a b" "c\\"d"',
  "touch-required verify-required",
  "none touch-required",
  "verify-required x",
  "user:.ssh/agent",
  "user:",
  "shared:/tmp",
  "shared:x",
  "no-pq-kex",
  "max-pk-ok:3 none",
  "max-pk-ok:x",
  "session=5m",
  "*=1h agent=0",
  "none x",
  "x=1q",
  "=5",
  "kex.c:*:1000",
  "%D",
  "internal",
  "SSH_AUTH_SOCK",
  '/bin/echo "x # y" # z',
  'unclosed "x',
];

let folder = "";

beforeAll(() => {
  if (missing !== null) return;
  folder = mkdtempSync(join(SSHD_ROOT, "tmp/sshd-values-"));
  mkdirSync(join(SSHD_ROOT, "run/sshd"), { recursive: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
});

afterAll(() => {
  if (folder !== "") rmSync(folder, { recursive: true });
});

interface Answer {
  readonly accepted: boolean;
  /** what -T prints for the keyword, joined by `|` */
  readonly printed: string;
  /** first message without the file's name */
  readonly message: string;
}

function inRoot(path: string): string {
  return SSHD_ROOT === "/" ? path : path.slice(SSHD_ROOT.length);
}

function ask(text: string, key: string): Answer {
  const file = join(folder, "config");
  writeFileSync(file, `${text}\n`, "latin1");
  const shown = inRoot(file);
  const run = runSshd(["-T", "-h", inRoot(join(folder, "key")), "-f", shown]);
  const lines = run.stdout.split("\n").filter((line) => (line.split(" ", 1)[0] ?? "").toLowerCase() === key);
  // sshd puts its working directory, here `/`, and a slash before relative paths; we keep them as written.
  const printed = lines.map((line) => line.slice(key.length + 1).replace(/^\/\//, "")).join("|");
  const message = (run.stderr.split(/\r?\n/)[0] ?? "").replace(shown, "F");
  const accepted = run.status === 0;
  return { accepted, printed: accepted ? printed : "", message: accepted ? "" : message };
}

function lowerKey(line: string): string {
  const end = `${line} `.indexOf(" ");
  return line.slice(0, end).toLowerCase() + line.slice(end);
}

function predict(text: string, keyword: Keyword, release: Release): Answer {
  const tree = parseText(`${text}\n`, release);
  const line = tree.lines.find((found): found is DirectiveLine => found.kind === "directive");
  const grammar = tree.problems.find(({ weight }) => weight !== "silent");
  if (grammar !== undefined)
    return { accepted: false, printed: "", message: asPrinted(`F line 1: ${grammar.message}`) };
  if (line === undefined) return { accepted: true, printed: show(keyword, null), message: "" };
  const { values, problems } = readValue(keyword, line, release);
  const first = problems.find(({ weight }) => weight !== "silent");
  if (first === undefined) return { accepted: true, printed: show(keyword, values), message: "" };
  return {
    accepted: false,
    printed: "",
    message: asPrinted(POSITIONS[first.prefix]("F", 1) + first.message),
  };
}

/** What -T prints when nothing else is set: a line that sets nothing leaves the default. */
function show(keyword: Keyword, values: readonly string[] | null): string {
  const none = values?.length === 1 && values[0]?.toLowerCase() === "none";
  const cleared = none && keyword.noneClears !== "never" ? keyword.defaults : values;
  const shown = cleared === null || cleared.length === 0 ? (keyword.defaults ?? []) : cleared;
  const gone = none && keyword.noneClears !== "never" && keyword.key === "authorizedkeysfile";
  if (keyword.print === "never" || gone) return "";
  return shown.join(keyword.print === "line" ? " " : "|");
}

/** What -T prints depends on the machine, on other keywords, or on a working directory. */
const UNPRINTED = ["hostkey", "hostcertificate", "listenaddress", "rekeylimit", "persourcepenalties"];

const SERVICES_KNOWN = existsSync(join(SSHD_ROOT, "etc/services"));

function knowsKeyword(key: string): boolean {
  return RELEASE !== null && knownKeywords(RELEASE).some((keyword) => keyword.key === key);
}

function comparable(keyword: Keyword, text: string, real: Answer): boolean {
  // A minimal root has no /etc/services; up to 8.6 ChallengeResponseAuthentication turns keyboard-interactive on.
  if (!SERVICES_KNOWN && /\b(ssh|http|auth)$/.test(text) && /port/i.test(real.message)) return false;
  if (keyword.key === "kbdinteractiveauthentication" && knowsKeyword("challengeresponseauthentication"))
    return false;
  const machine = /bad addr or host|Could not load|No such user|no hostkeys|set without/;
  if (!real.accepted && machine.test(real.message)) return false;
  return !(keyword.form === "listen-address" && !/^ListenAddress [[0-9:]/.test(text));
}

describeUnless(missing, "the machine's sshd agrees", () => {
  const release = RELEASE as Release;
  const keywords = knownKeywords(release).filter(({ form }) => form !== "match" && form !== "include");
  const all = SSHD_VALUES === "all";

  test.each(keywords.map((keyword, index) => [keyword.name, keyword, index] as const))(
    "%s",
    (_, keyword, index) => {
      const chosen = ARGUMENTS.filter((_argument, at) => all || (at * 7 + index) % 12 === 0);
      const differences: unknown[] = [];
      for (const argument of chosen) {
        const text = `${keyword.name} ${argument}`;
        const real = ask(text, keyword.key);
        const ours = predict(text, keyword, release);
        if (!comparable(keyword, text, real)) continue;
        const printed = UNPRINTED.includes(keyword.key) ? { printed: "" } : {};
        const [left, right] = [
          { ...ours, ...printed },
          { ...real, ...printed },
        ];
        if (JSON.stringify(left) !== JSON.stringify(right))
          differences.push({ text, ours: left, sshd: right });
      }
      expect(differences).toEqual([]);
    },
    120_000,
  );

  test("defaults", () => {
    const real = runSshd(["-T", "-h", inRoot(join(folder, "key")), "-f", "/dev/null"]);
    const printed = new Set(
      real.stdout
        .split("\n")
        .filter((line) => line !== "" && !/^(hostkey|listenaddress) /i.test(line))
        .map(lowerKey),
    );
    const ours = new Set(
      keywords
        .filter(({ print, defaults, key }) => print !== "never" && defaults !== null && key !== "hostkey")
        .map(({ key, defaults }) => `${key} ${defaults?.join(" ")}`),
    );
    expect([...printed].filter((line) => !ours.has(line))).toEqual([]);
    expect([...ours].filter((line) => !printed.has(line))).toEqual([]);
  });
});
