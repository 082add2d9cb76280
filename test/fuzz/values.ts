/** Values for each form of keyword: mostly right, sometimes just wrong. */
import type { ValueForm } from "../../grammar/keywords.ts";
import type { Random } from "./random.ts";

type Make = (random: Random) => string;

const from =
  (...items: readonly string[]): Make =>
  (random) =>
    random.pick(items);

const listOf =
  (item: Make, most: number): Make =>
  (random) =>
    random.some(1, most, () => item(random)).join(" ");

const YES_NO = ["yes", "no", "yes", "no", "Yes", "NO", "true", "maybe", "1", "yes no"];
const NUMBERS = ["0", "1", "5", "10", "022", "+3", "-1", "5x", " 7", "2147483647", "2147483648", "x", "0x10"];
const TIMES = [
  "0",
  "30",
  "5m",
  "1m30s",
  "1h1s",
  "2W",
  "1d",
  "none",
  "30x",
  "m",
  "1m30",
  "-1",
  "5M",
  "1.5",
  ".5s",
];
const PORTS = [
  "22",
  "2222",
  "80",
  "8080",
  "022",
  "+22",
  "0",
  "65535",
  "65536",
  "-1",
  "0x16",
  "*",
  "nosuchport",
];
const HOSTS = [
  "db.internal",
  "10.0.0.9",
  "localhost",
  "*",
  "[*]",
  "[2001:db8::9]",
  "[::1]",
  "[/run/x.sock]",
  "[run/x]",
  "h",
  "l*",
  "H",
  "2001:db8::9",
  "",
];
const FILES = [
  "/etc/x",
  "none",
  "None",
  "x",
  "%h/.ssh/k",
  "/a b",
  "~/x",
  ".ssh/authorized_keys",
  "%%",
  "/%u/%x",
];
const USERS = [
  "alice",
  "bob",
  "b*",
  "*",
  "!root",
  "carol@10.0.0.0/8",
  "*@10.1.2.3/8",
  "a@b@c",
  "x@",
  "@h",
  "a,b",
];
const ALGORITHMS: Readonly<Partial<Record<ValueForm, readonly string[]>>> = {
  ciphers: [
    "aes128-ctr",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "3des-cbc",
    "blowfish-cbc",
  ],
  macs: ["hmac-sha2-256", "hmac-sha1", "umac-64@openssh.com", "hmac-md5", "hmac-ripemd160"],
  kex: [
    "curve25519-sha256",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group14-sha256",
    "mlkem768x25519-sha256",
    "kex*",
  ],
  "key-types": ["ssh-ed25519", "rsa-sha2-512", "ssh-rsa", "ssh-dss", "ecdsa-sha2-*", "ssh-*", "sk-*"],
  "ca-key-types": ["ssh-ed25519", "rsa-sha2-512", "ssh-rsa", "ssh-*"],
};

function algorithms(form: ValueForm): Make {
  const names = ALGORITHMS[form] ?? ["none"];
  return (random) => {
    const prefix = random.chance(40) ? random.pick(["+", "-", "^"]) : "";
    return prefix + random.some(1, 3, () => random.pick(names)).join(",");
  };
}

const permitOpen: Make = (random) => {
  if (random.chance(15)) return random.pick(["any", "none", "none x:1", "any none", "x:1 any"]);
  return listOf((inner) => `${inner.pick(HOSTS)}:${inner.pick(PORTS)}`, 2)(random);
};

const permitListen: Make = (random) =>
  random.chance(50) ? listOf((inner) => inner.pick(PORTS), 2)(random) : permitOpen(random);

const listenAddress: Make = (random) => {
  const host = random.pick([
    "127.0.0.1",
    "0.0.0.0",
    "::1",
    "[::1]",
    "[::]",
    "10.66051",
    "010.0.0.1",
    "0.0.0.0/8",
  ]);
  const port = random.chance(50) ? `:${random.pick(PORTS)}` : "";
  return host + port + (random.chance(5) ? " rdomain x" : "");
};

const rekeyLimit: Make = (random) => {
  const size = random.pick([
    "default",
    "1G",
    "500M",
    "16",
    "15",
    "1.5k",
    "0",
    "-1",
    "9E",
    "10x",
    "none",
    "1GG",
  ]);
  return random.chance(50) ? `${size} ${random.pick(TIMES)}` : size;
};

const penalties: Make = (random) => {
  const keys = [
    "crash",
    "authfail",
    "noauth",
    "grace-exceeded",
    "refuseconnection",
    "max",
    "min",
    "invaliduser",
  ];
  const sizes = ["max-sources4:100", "max-sources6:0", "overflow:permissive", "overflow6:deny-all", "x:1"];
  const item: Make = (inner) =>
    inner.chance(75) ? `${inner.pick(keys)}:${inner.pick(TIMES)}` : inner.pick(sizes);
  return random.chance(20) ? random.pick(["yes", "no", "YES", "no yes", ""]) : listOf(item, 3)(random);
};

/** Forms that only a real machine can judge get values that every machine takes. */
const VALUES: Readonly<Record<ValueForm, Make>> = {
  flag: from(...YES_NO),
  "keep-alive": from(...YES_NO, "True", "FALSE", "all", "remote", "local"),
  "weak-crypto": from(...YES_NO, "True", "no-pq-kex", "none"),
  "tcp-forwarding": from("yes", "no", "all", "local", "remote", "LOCAL", "All", "none", "localx"),
  "gateway-ports": from("yes", "no", "clientspecified", "ClientSpecified", "true"),
  "root-login": from(
    "yes",
    "no",
    "prohibit-password",
    "without-password",
    "forced-commands-only",
    "Yes",
    "x",
  ),
  "address-family": from("any", "ANY", "any", "ipv4"),
  compression: from("yes", "no", "delayed", "Delayed", "maybe"),
  "ignore-rhosts": from("yes", "no", "shosts-only", "YES", "both"),
  "privilege-separation": from("yes", "no", "sandbox", "nosandbox", "x"),
  tunnel: from("yes", "no", "point-to-point", "ethernet", "YES", "Ethernet", "x"),
  integer: from(...NUMBERS),
  "integer-or-none": from(...NUMBERS, "none", "NONE"),
  time: from(...TIMES),
  "time-or-none": from(...TIMES, "None"),
  "octal-mode": from("0177", "077", "0", "777", "0999", "1000", "x", "-1", "+7", "0777junk"),
  port: from(...PORTS),
  "listen-address": listenAddress,
  "permit-open": permitOpen,
  "permit-listen": permitListen,
  file: from(...FILES),
  "host-file": from("/run/key", "none", "None", "/nonexistent", "key"),
  "user-file": from(...FILES),
  "user-files": listOf(from(...FILES), 3),
  "agent-path": from("user:.ssh/agent", "user:", "shared:/tmp", "shared:tmp", "none", "/tmp/x"),
  "agent-socket": from("SSH_AUTH_SOCK", "none", "/x", "$X", "%d/x"),
  "security-key-provider": from("internal", "/usr/lib/x.so", "x", "none"),
  string: from("x", "none", "NONE", "alice", "/srv/%u", "a=b", "%%"),
  "local-user": from("nobody", "root", "none", "%u"),
  raw: from(
    "none",
    "NONE",
    "/bin/false",
    "internal-sftp -l INFO",
    '"a # b" # c',
    "echo 'x y'",
    "# c",
    "a\\ b \t",
  ),
  command: from("none", "/bin/true %u", "/bin/true %%", "true", "None", '"/bin/true" x', "/bin/true # c"),
  "version-addendum": from("none", "x y", "None", "a\rb", "x # c", "#"),
  "env-names": listOf(from("LANG", "LC_*", "A?B", "a=b", "X"), 3),
  "env-values": listOf(from("A=1", 'B="x y"', "A=2", "C", "=x", "D="), 3),
  users: listOf(from(...USERS), 3),
  groups: listOf(from("staff", "admins", "!sftponly", "*", "a b", "a,b", "for?arders"), 3),
  "auth-methods": listOf(
    from(
      "any",
      "publickey",
      "password",
      "publickey,password",
      "none",
      "keyboard-interactive:pam",
      "x",
      "a,,b",
    ),
    2,
  ),
  "pubkey-auth-options": listOf(from("none", "touch-required", "verify-required", "x", "max-pk-ok:3"), 2),
  "user-environment": from("yes", "no", "YES", "LANG,LC_*", "*", "a b"),
  subsystem: from(
    "sftp internal-sftp",
    "sftp /usr/lib/sftp-server -l INFO",
    "x /bin/x",
    "sftp",
    'x "/a b" c',
    "x",
  ),
  "routing-domain": from("none", "%D", "x"),
  "rekey-limit": rekeyLimit,
  "ip-qos": from(
    "af21",
    "af21 cs1",
    "none",
    "lowdelay throughput",
    "0x10",
    "8 16",
    "ef",
    "x",
    "64",
    "EF",
    "300",
  ),
  "max-startups": from("10:30:100", "3", "10:30", "5:0:9", "9:50:5", "0", "10:30:60:1", "x", "4:101:9"),
  "net-block-size": from("32:128", "24", "24:56", "33", "0:0", "x", "32:129", "24:"),
  penalties,
  "address-list": from("10.0.0.0/8", "10.0.0.0/8,::1", "10.1.2.3/8", "none", "x", "*", "10.0.0.1,x"),
  "channel-timeouts": listOf(
    from("session=5m", "*=0", "x11-connection=1h", "none", "direct-tcpip", "a=x", "b="),
    2,
  ),
  "log-level": from("INFO", "verbose", "DEBUG", "DEBUG3", "quiet", "x", "info"),
  "log-facility": from("AUTH", "authpriv", "LOCAL0", "local7", "x", "LOCAL8"),
  "log-verbose": listOf(from("none", "NONE", "kex.c:*:1000", "*:f():*,x", "auth.c"), 2),
  digest: from("md5", "sha256", "SHA256", "sha1", "sha512", "x"),
  ciphers: algorithms("ciphers"),
  macs: algorithms("macs"),
  kex: algorithms("kex"),
  "gss-kex": from("gss-group14-sha256-", "gss-curve25519-sha256-,gss-group16-sha512-", "x"),
  "key-types": algorithms("key-types"),
  "ca-key-types": algorithms("ca-key-types"),
  match: from("all"),
  include: from("none.conf"),
};

export function randomValue(form: ValueForm, random: Random): string {
  return VALUES[form](random);
}
