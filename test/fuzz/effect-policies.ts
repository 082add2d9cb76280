/** Small random policies about forwarding, for which real forwards are made: every keyword that decides, and what people think does. */
import type { Account } from "../../src/files/tree.ts";
import { MAIN_FILE } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import type { Random } from "./random.ts";

export interface EffectCase {
  readonly tree: ServerTree;
  /** options of the key that logs in; empty: none */
  readonly keyOptions: string;
  readonly accounts: readonly Account[];
}

/** Accounts whose shells and numbers are kept; svc may forward and do nothing else. */
const ACCOUNTS: readonly Account[] = [
  ...[
    { name: "svc", uid: 990, shell: "/usr/sbin/nologin", groups: ["svc"] },
    { name: "alice", uid: 1001, shell: "/bin/sh", groups: ["alice", "admins"] },
  ].map((account) => ({ ...account, gid: account.uid, home: `/home/${account.name}` })),
];

/** Items of AllowUsers and DenyUsers about hosts, negated ones among them. */
const HOSTED: readonly string[] = [
  ...[
    "*@!198.51.100.0/24,*",
    "a*@203.0.113.* svc",
    "alice@!203.0.113.9,203.0.113.0/24 root",
    "*@2001:db8::/32",
  ],
  ...["svc@*.example.com alice", "*@!*.example.com,*", "root@UNKNOWN al*@*", "svc@198.51.100.7,203.0.113.9"],
];

const VALUES: readonly (readonly [
  keyword: string,
  values: readonly string[],
  where: "anywhere" | "global",
])[] = [
  ["AllowTcpForwarding", ["yes", "no", "local", "remote", "all", "LOCAL", '"no"'], "anywhere"],
  ["AllowStreamLocalForwarding", ["yes", "no", "local", "remote"], "anywhere"],
  ["DisableForwarding", ["yes", "no"], "anywhere"],
  ["AllowAgentForwarding", ["yes", "no"], "anywhere"],
  ["X11Forwarding", ["yes", "no"], "anywhere"],
  ["X11UseLocalhost", ["yes", "no"], "anywhere"],
  ["X11DisplayOffset", ["10", "0", "999", "1000"], "anywhere"],
  ["PermitTunnel", ["yes", "no", "point-to-point", "ethernet"], "anywhere"],
  ["GatewayPorts", ["yes", "no", "clientspecified"], "anywhere"],
  [
    "PermitOpen",
    [
      "any",
      "none",
      "db:5432",
      "127.0.0.1:* *:8080",
      "[::1]:9000 [/tmp/a]:*",
      "localhost:*",
      "*:*",
      "DB:5432",
      "[db]:05432 [*]:+8080",
      '"db:5432" [*]:*',
      "d*:5432 *db:* ?b:5432",
      "[/tmp/a]:80 [/tmp/b]:*",
      "[::1]:9000 [::]:9000",
    ],
    "anywhere",
  ],
  [
    "PermitListen",
    [
      "any",
      "none",
      "20500",
      "localhost:20501 *:20502",
      "127.0.0.1:20503",
      "198.18.0.1:20504",
      "l*:*",
      "[::1]:20505",
      "[localhost]:020506 :20507",
      "0.0.0.0:20508 [::]:20509",
      "LOCALHOST:20510 Local*:*",
      "*host:+20511 127.0.0.?:*",
      "[::1]:020512",
      "1*:20513 ?*:20514",
    ],
    "anywhere",
  ],
  ["ForceCommand", ["none", "/bin/true", "internal-sftp"], "anywhere"],
  ["ChrootDirectory", ["none", "/srv/%u", "%h", "/home"], "anywhere"],
  ["PermitTTY", ["yes", "no"], "anywhere"],
  ["MaxSessions", ["0", "1", "10"], "anywhere"],
  ["PermitRootLogin", ["yes", "no", "prohibit-password", "forced-commands-only"], "anywhere"],
  ["PubkeyAuthentication", ["yes", "no"], "anywhere"],
  ["AuthenticationMethods", ["any", "publickey", "publickey,password"], "anywhere"],
  ["AllowUsers", ["alice svc root", "*", "alice@198.51.100.0/24 svc", "!bob *", ...HOSTED], "anywhere"],
  ["DenyUsers", ["mallory", "svc", "root@203.0.113.9", "al?ce", ...HOSTED], "anywhere"],
  ["AllowGroups", ["admins svc root", "*", "a*", "!svc admins", "none"], "anywhere"],
  ["DenyGroups", ["admins", "nobody", "s?c", "*,admins"], "anywhere"],
  ["StreamLocalBindUnlink", ["yes", "no"], "anywhere"],
  ["StreamLocalBindMask", ["0177", "0000"], "anywhere"],
  ["ClientAliveInterval", ["0", "1"], "anywhere"],
  ["AddressFamily", ["any", "inet", "inet6"], "global"],
  ["UseDNS", ["yes", "no"], "global"],
  ["StrictModes", ["yes", "no"], "global"],
  ["Compression", ["no"], "global"],
];
/** Those that decide on forwarding come more often. */
const DECIDING = VALUES.slice(0, 12);
/** Those that decide who may log in, beside a line that opens something. */
export const LOGINS: typeof VALUES = VALUES.filter(([keyword]) =>
  /^(?:Allow|Deny)(?:Users|Groups)$|^(?:PermitRootLogin|AllowTcpForwarding)$/.test(keyword),
);

const CRITERIA = [
  ...["User alice", "User svc,root", "User *,!alice", "User !alice", "User root", "User dev-*"],
  ...["Group admins", "Group *,!admins", "Group svc"],
  ...["Address 198.51.100.0/24", "Address 203.0.113.9", "Address 2001:db8::/32", "Address *,!198.51.100.7"],
  ...["LocalAddress 192.0.2.200", "LocalPort 2222", "Host *.example.com", "All"],
];

const KEY_OPTIONS = [
  ...["restrict", "restrict,port-forwarding", "no-port-forwarding", "no-agent-forwarding,no-X11-forwarding"],
  ...['permitopen="db:5432"', 'permitopen="*:8080",permitlisten="20500"', 'command="/bin/false"'],
  ...['restrict,permitopen="127.0.0.1:1"', "port-forwarding,restrict", 'permitlisten="localhost:*"'],
];

export function drawEffectCase(random: Random, often: typeof VALUES = DECIDING): EffectCase {
  const line = (where: "anywhere" | "global"): string => {
    const [keyword, values] = random.pick(
      (random.chance(70) ? often : VALUES).filter(([, , place]) => where === "global" || place === where),
    );
    return `${keyword}${random.pick([" ", " ", "=", "\t"])}${random.pick(values)}\n`;
  };
  const block = (): string => {
    const criteria = random.some(1, 2, () => random.pick(CRITERIA));
    const shown = criteria.includes("All") ? "All" : criteria.join(" ");
    return `Match ${shown}\n${random.some(1, 4, () => `  ${line("anywhere")}`).join("")}`;
  };
  const lines = random.some(0, 4, () => line("global")).join("");
  const blocks = random.some(0, 3, block).join("");
  const included = random.chance(20) ? random.some(1, 3, () => line("anywhere")).join("") : null;
  const text = `${included === null ? "" : "Include /etc/ssh/more/*\n"}${lines}${blocks}`;
  return {
    tree: { [MAIN_FILE]: text, ...(included === null ? {} : { "/etc/ssh/more/a.conf": included }) },
    keyOptions: random.chance(25) ? random.pick(KEY_OPTIONS) : "",
    accounts: ACCOUNTS,
  };
}
