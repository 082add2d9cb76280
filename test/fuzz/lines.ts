/**
 * Lines that are put together from a few pieces of text: what real files hardly hold, and where two readers of one syntax
 * part. Each family is a keyword with the pieces that its value may be made of.
 */
import { MAIN_FILE } from "../sshd/reading.ts";
import { COMMAND_LINE, type ServerTree } from "../sshd/server-tree.ts";
import type { DrawnCase } from "./generate.ts";
import type { Random } from "./random.ts";

interface Family {
  /** in front of the pieces, on their line */
  readonly start: string;
  readonly pieces: readonly string[];
  readonly most: number;
  /** what stands behind it */
  readonly behind?: string;
  readonly files?: ServerTree;
  /** so many such lines */
  readonly lines?: number;
  /** where they stand; default: the main file */
  readonly path?: string;
}

const QUOTING = ['"', '"', "'", "\\", "#", " ", " ", "\t", "="];
const PLACES = [
  "a",
  "b",
  ":",
  ":",
  "1",
  "*",
  "[",
  "]",
  "/",
  "any",
  "none",
  " ",
  " ",
  '"',
  "0",
  "+",
  "-",
  ",",
];
const ADDRESSES = [
  ...["10.0.0.1", "10.0.0.0", "/8", "/33", "::1", "::", "/", "/128", "*", "?", "!", ",", ",", "0", "1", "f"],
  ...["%lo", ".", ":", "10", "/0", " ", "+", "x"],
];

/** Whole lines: who is meant, and what for. */
const BLOCKS = [
  ...[
    "all",
    "User a",
    "User a,b",
    "User *,!a",
    "User !a",
    "User a*",
    "User ?",
    "Group g",
    "Group *,!g",
    "Host a",
  ],
  ...[
    "Address 10.0.0.0/8",
    "Address 10.*",
    "Address !10.0.0.1,*",
    "Address 10.0.0.1",
    "Address ::/0",
    "Address *:*",
  ],
  ...[
    "User a Address 10.0.0.1",
    "User b Group g",
    "LocalPort 22",
    "LocalAddress *.1",
    "RDomain *",
    "Host 10.0.0.1",
  ],
].map((criteria) => `Match ${criteria}\n`);
const SETTINGS = [
  ...[
    "AllowTcpForwarding yes",
    "AllowTcpForwarding no",
    "AllowTcpForwarding local",
    "AllowTcpForwarding remote",
  ],
  ...["DisableForwarding yes", "DisableForwarding no", "PermitOpen a:1", "PermitOpen none", "PermitOpen any"],
  ...["PermitListen 80", "PermitListen none", "GatewayPorts yes", "GatewayPorts clientspecified"],
  ...["AllowStreamLocalForwarding no", "AllowStreamLocalForwarding remote", "X11Forwarding yes"],
  ...["AllowAgentForwarding no", "AllowAgentForwarding yes", "PermitTunnel yes", "PermitTunnel no"],
  ...["MaxSessions 0", "MaxSessions 5", "PermitOpen [/x]:*", "PermitOpen *:*", "X11Forwarding no"],
].map((setting) => `${setting}\n`);

/** Some of these sshd refuses only when it reads the file for a connection, by what stands before them. */
const LATE = [
  ...["AuthenticationMethods publickey", "AuthenticationMethods any", "AuthenticationMethods any any"],
  ...["AuthenticationMethods x", "AuthenticationMethods password any"],
  ...["AuthorizedPrincipalsCommand x", "AuthorizedPrincipalsCommand none", "AuthorizedKeysCommand x"],
  ...["CASignatureAlgorithms !ssh-rsa", "CASignatureAlgorithms ssh-ed25519", "PubkeyAcceptedKeyTypes ,"],
  ...["PubkeyAcceptedKeyTypes ssh-ed25519", "HostbasedAcceptedKeyTypes -*", "HostbasedAcceptedKeyTypes !x"],
  ...["Subsystem a", "Subsystem a /x", "Subsystem b /y", "AllowTcpForwarding no", "DisableForwarding yes"],
].map((setting) => `${setting}\n`);

export const FAMILIES: Readonly<Record<string, Family>> = {
  late: {
    start: "",
    pieces: [...BLOCKS, ...LATE, ...LATE, "Include d/x\n", "Include d/*\n"],
    most: 9,
    files: {
      "/etc/ssh/d/x": "AuthenticationMethods publickey\nMatch User a\nCASignatureAlgorithms !ssh-rsa\n",
      "/etc/ssh/d/y": "Match Address 10.*\nInclude d/*\nAuthenticationMethods any\n",
    },
  },
  match: {
    start: "Match ",
    pieces: [
      ...QUOTING,
      "User",
      "Host",
      "all",
      "Address",
      "a",
      "a",
      "b",
      ",",
      "!",
      "*",
      "?",
      "10.0.0.0/8",
      "\\\\",
    ],
    most: 9,
    behind: "X11Forwarding yes\n",
  },
  names: {
    start: "Match User ",
    pieces: ["a", "b", "*", "*", "?", "!", ",", "a", '"', "'", "\\", " "],
    most: 8,
    behind: "X11Forwarding yes\n",
  },
  "match-address": { start: "Match Address ", pieces: ADDRESSES, most: 6, behind: "X11Forwarding yes\n" },
  "match-localaddress": {
    start: "Match LocalAddress ",
    pieces: ADDRESSES,
    most: 6,
    behind: "X11Forwarding yes\n",
  },
  "match-localport": {
    start: "Match LocalPort ",
    pieces: ["2", "0", "22", "+", "-", " ", '" ', '"', ",", "x", "65536", "#", "="],
    most: 4,
    behind: "X11Forwarding yes\n",
  },
  open: { start: "PermitOpen ", pieces: PLACES, most: 9 },
  listen: { start: "PermitListen ", pieces: PLACES, most: 8 },
  users: {
    start: "AllowUsers ",
    pieces: [
      "a",
      "b",
      "@",
      "@",
      "*",
      "!",
      ",",
      "10.0.0.0",
      "/8",
      "/33",
      " ",
      '"',
      "\\",
      "#",
      "?",
      "'",
      "::1",
    ],
    most: 7,
  },
  gateway: { start: "GatewayPorts", pieces: [...QUOTING, "yes", "no", "clientspecified", "YES"], most: 6 },
  keys: {
    start: "AuthorizedKeysFile ",
    pieces: ["a", "none", "NONE", "%h", "%", "~", "/", ...QUOTING],
    most: 7,
  },
  quotes: {
    start: "",
    pieces: [...QUOTING, "X11Forwarding", "X11Forwarding", "yes", "yes", "\r", "\f", "\0", "#", "\v", "\xa0"],
    most: 9,
    behind: "PermitTTY no\n",
  },
  "listen-address": {
    start: "ListenAddress ",
    pieces: ["1.2.3.4", "::1", "[", "]", ":", ":", "22", "0", " ", "rdomain", "%lo", '"', "/", "1"],
    most: 6,
  },
  port: {
    start: "Port",
    pieces: [" ", " ", "2", "+", "-", "0", "x", "#", "65536", "=", '"'],
    most: 5,
    lines: 2,
  },
  mask: { start: "StreamLocalBindMask ", pieces: ["0", "7", "8", "1", " ", "x", "-", "+", '"'], most: 6 },
  methods: {
    start: "AuthenticationMethods ",
    pieces: ["publickey", ",", ",", ":", "bsdauth", "pam", "password", "any", "none", " ", "x", '"'],
    most: 7,
    lines: 2,
  },
  time: {
    start: "ClientAliveInterval ",
    pieces: ["1", "9", "s", "m", "h", "w", "W", "-", "+", "0", " ", '"'],
    most: 7,
  },
  number: {
    start: "MaxSessions ",
    pieces: ["1", "9", "-", "+", "0", " ", '"', "x", "2147483648", "\t"],
    most: 5,
  },
  rekey: {
    start: "RekeyLimit ",
    pieces: ["1", "16", "G", "K", "m", "default", "none", " ", " ", "h", "0", "-", '"', "99999999999"],
    most: 6,
  },
  startups: { start: "MaxStartups ", pieces: ["1", "10", "101", ":", ":", "-", "+", " ", "x", "0"], most: 7 },
  subsystem: {
    start: "Subsystem ",
    pieces: ["a", "b", " ", " ", '"', "'", "#", "\\", "none"],
    most: 7,
    lines: 2,
  },
  environment: {
    start: "SetEnv ",
    pieces: ["A", "B", "=", "=", "b", " ", '"', "*", "\\", "#", "_"],
    most: 8,
    lines: 2,
  },
  accept: {
    start: "AcceptEnv ",
    pieces: ["A", "=", "b", " ", '"', "*", "\\", "#", "!", ","],
    most: 6,
    lines: 2,
  },
  channels: {
    start: "ChannelTimeout ",
    pieces: ["session", "*", "=", "=", "5", "m", "none", " ", "global", '"', "x11-connection", ","],
    most: 7,
  },
  include: {
    start: "Include ",
    pieces: [
      "d/",
      "d/",
      "*",
      "?",
      "[",
      "]",
      "a",
      "b",
      "!",
      "^",
      "-",
      "\\",
      ".",
      '"',
      " ",
      "{",
      ",",
      "}",
      "[[:alpha:]]",
      "~",
    ],
    most: 8,
    files: {
      "/etc/ssh/d/a": "PermitTTY no\n",
      "/etc/ssh/d/b": "PermitTTY yes\nX11Forwarding yes\n",
      "/etc/ssh/d/.a": "GatewayPorts yes\n",
      "/etc/ssh/d/]": "AllowAgentForwarding no\n",
      "/etc/ssh/d/a b": "PermitUserRC no\n",
      "/etc/ssh/d/{a": "MaxSessions 3\n",
      "/etc/ssh/d/!": "Compression no\n",
    },
  },
  blocks: {
    start: "",
    pieces: [
      ...BLOCKS,
      ...BLOCKS,
      ...SETTINGS,
      ...SETTINGS,
      "Include d/x\n",
      "Include d/y\n",
      "Include d/*\n",
    ],
    most: 12,
    files: {
      "/etc/ssh/d/x": "AllowTcpForwarding no\nMatch User a\nAllowTcpForwarding yes\nX11Forwarding yes\n",
      "/etc/ssh/d/y":
        "Match Address 10.*\nAllowAgentForwarding no\nInclude e/z\nPermitOpen b:1\nMatch all\nGatewayPorts yes\n",
      "/etc/ssh/e/z": "Match User *,!b\nAllowTcpForwarding local\nPermitListen none\n",
    },
  },
  switches: {
    start: "",
    pieces: [
      ...["Pubkey", "Password", "KbdInteractive", "ChallengeResponse", "Hostbased", "GSSAPI", "Kerberos"],
      ...["Pubkey", "Password", "KbdInteractive", "GSSAPI", "Hostbased"],
    ]
      .flatMap((method) => [`${method}Authentication yes\n`, `${method}Authentication no\n`])
      .concat(
        ...[
          ...["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic", "none"],
          ...[
            "gssapi-keyex",
            "publickey,password",
            "password,gssapi-keyex",
            "gssapi",
            "keyboard-interactive:pam",
          ],
          ...["publickey password", "hostbased gssapi-with-mic", "any"],
        ].map((methods) => `AuthenticationMethods ${methods}\n`),
        ...["GSSAPIKeyExchange yes\n", "UsePAM yes\n", "Match User a\n", "AuthorizedKeysCommand /x\n"],
        ...["AuthorizedKeysCommandUser x\n", "AuthorizedPrincipalsCommand /x\n"],
        ...["AuthorizedPrincipalsCommandUser x\n", "AuthorizedPrincipalsCommand none\n"],
      ),
    most: 6,
  },
  command: { start: "ForceCommand", pieces: [...QUOTING, "a", "none", "NONE", "\r", "\f", "\v"], most: 7 },
  option: {
    start: "",
    pieces: [
      ...QUOTING,
      "X11Forwarding",
      "X11Forwarding",
      "yes",
      "yes",
      "no",
      "PermitTTY",
      "Match",
      "Include",
      "Port",
    ],
    most: 7,
    lines: 2,
    path: COMMAND_LINE,
    files: { [MAIN_FILE]: "X11Forwarding no\nMatch User a\nPermitTTY no\n" },
  },
  penalties: {
    start: "PerSourcePenalties ",
    pieces: [
      ...[
        "crash",
        "authfail",
        "noauth",
        "min",
        "max",
        "refuseconnection",
        ":",
        ":",
        "1",
        "0",
        "s",
        "m",
        " ",
        " ",
        "yes",
        "no",
      ],
      ...[
        "max-sources4",
        "overflow",
        "overflow6",
        "permissive",
        "deny-all",
        "-",
        "grace-exceeded",
        "99999999999",
      ],
    ],
    most: 8,
  },
  exempt: {
    start: "PerSourcePenaltyExemptList ",
    pieces: ADDRESSES.filter((piece) => piece !== "/"),
    most: 6,
  },
  blocksize: {
    start: "PerSourceNetBlockSize ",
    pieces: ["1", "32", "33", "128", "129", ":", ":", "0", "-", " ", "none"],
    most: 5,
  },
  version: {
    start: "Match Version ",
    pieces: ["OpenSSH", "_", "*", "10.0", "p1", "p2", "9.2", "!", ",", "?", " Debian", '"', "Debian-7"],
    most: 7,
    behind: "X11Forwarding yes\nPort 23\n",
  },
  qos: {
    start: "IPQoS ",
    pieces: ["ef", "af21", "none", "lowdelay", "0x10", "8", "-1", " ", " ", "64", "cs1", "LE"],
    most: 5,
  },
  user: { start: "AuthorizedKeysCommandUser ", pieces: [...QUOTING, "a", "none", "%", "%u"], most: 5 },
  tunnel: {
    start: "PermitTunnel ",
    pieces: [...QUOTING, "yes", "YES", "no", "ethernet", "point-to-point"],
    most: 5,
  },
  algorithms: {
    start: "MACs ",
    pieces: ["+", "-", "^", ",", "*", "!", "hmac-sha2-256", "hmac-sha2-512", "umac*", "x", " ", '"', "?"],
    most: 5,
    lines: 2,
  },
  keytypes: {
    start: "PubkeyAcceptedAlgorithms ",
    pieces: [
      "+",
      "-",
      "^",
      ",",
      "*",
      "!",
      "ssh-ed25519",
      "ssh-rsa",
      "ed25519",
      "x",
      " ",
      "*cert*",
      "rsa-sha2-*",
    ],
    most: 5,
  },
};

const CONNECTIONS = [
  "user=a,host=10.0.0.1,addr=10.0.0.1,laddr=10.0.0.1,lport=22,rdomain=",
  "user=ab,host=::1,addr=::1,laddr=::1,lport=2,rdomain=",
];

/** A line or two of the family, with all that it needs. */
export function drawLines(random: Random, name: string): DrawnCase {
  const family = FAMILIES[name];
  if (family === undefined) throw new Error(`no family ${name}: ${Object.keys(FAMILIES).join(" ")}`);
  const { start, pieces, most, behind = "", files = {}, lines = 1, path = MAIN_FILE } = family;
  const line = (): string => `${start}${random.some(1, most, () => random.pick(pieces)).join("")}\n`;
  const text = random.some(1, lines, line).join("") + behind;
  return { tree: { ...files, [path]: text }, connections: CONNECTIONS, draw: random.int(1 << 30) };
}
