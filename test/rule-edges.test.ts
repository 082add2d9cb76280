/** Each rule just fires, and does not where one character is another: what stands around it is the same. */
import { expect, test } from "vitest";
import { RULES } from "../rules/index.ts";
import { type AuditedRoot, auditRoot, MAIN, makeRoot } from "./auditing.ts";

interface Edge extends Omit<AuditedRoot, "root" | "rules"> {
  readonly text: string;
  /** beside the main file */
  readonly files?: Readonly<Record<string, string>>;
}

const GIT: Edge["files"] = {
  "/etc/passwd": "git:x:1001:1001::/home/git:/bin/sh\n",
  "/home/git/.ssh/authorized_keys": 'command="git-shell" ssh-ed25519 AAAA git\n',
};
const SOCKET: Edge["files"] = {
  "/etc/systemd/system/sockets.target.wants/ssh.socket": "[Socket]\n",
  "/lib/systemd/system/ssh.socket": "[Socket]\nListenStream=22\nAccept=no\n",
};
const DROP_IN: Edge["files"] = { "/etc/ssh/sshd_config.d/50-site.conf": "X11Forwarding no\n" };
const NOLOGIN: Edge["files"] = { "/etc/passwd": "mail:x:1001:1001::/srv:/usr/sbin/nologin\n" };
const STARTED = { "/run/sshd.pid": "2026-11-01T00:00:00Z" };
/** an sshd that runs since then */
const RUNNING: Edge["files"] = {
  "/run/sshd.pid": "713\n",
  "/proc/713/stat":
    "713 (sshd) S 1 713 713 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 6000 15820000 1800 18446744073709551615\n",
};
const DB = "version: 1\nkeep:\n  - { users: deploy, capability: tcp-local, to: db:5432 }\n";
const ALLOWED = "version: 1\nallow:\n  - { users: deploy, capability: tcp-local, to: db:5432, reason: r }\n";
const CLOSED =
  "DisableForwarding yes\nAllowAgentForwarding no\nMatch User deploy\nDisableForwarding no\nAllowStreamLocalForwarding no\n";
const OPEN_TO = "AllowTcpForwarding local\n";

/** What fires, and what does not. */
const TWO_COMMANDS =
  "AuthorizedPrincipalsCommand /a\nAuthorizedPrincipalsCommand /b\nAuthorizedPrincipalsCommandUser x\n";

const EDGES: readonly (readonly [rule: string, fires: string | Edge, silent: string | Edge])[] = [
  ["tcp-forwarding", "#AllowTcpForwarding no\n", "AllowTcpForwarding no\n"],
  ["agent-forwarding", "#AllowAgentForwarding no\n", "AllowAgentForwarding no\n"],
  ["x11-forwarding", "X11Forwarding yes\n", "#X11Forwarding yes\n"],
  ["tunnel-device", "PermitTunnel yes\n", "#PermitTunnel yes\n"],
  ["gateway-ports", "GatewayPorts yes\n", "#GatewayPorts yes\n"],
  [
    "gateway-ports",
    "GatewayPorts yes\nPermitOpen a:1\n#PermitListen none\n",
    "GatewayPorts yes\nPermitOpen a:1\nPermitListen none\n",
  ],
  [
    "reopened-by-match",
    "AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes\n",
    "AllowTcpForwarding no\nMatch User !bob\nAllowTcpForwarding yes\n",
  ],
  [
    "reopened-by-match",
    "AllowTcpForwarding no\nMatch Address 10.0.0.*\nAllowTcpForwarding yes\n",
    "AllowTcpForwarding no\nMatch Address 10.0.0._\nAllowTcpForwarding yes\n",
  ],
  [
    "disable-forwarding-reopened",
    "DisableForwarding yes\nMatch User bob\nDisableForwarding no\n",
    "DisableForwarding yes\nMatch User !bob\nDisableForwarding no\n",
  ],
  [
    "stream-local-forwarding",
    "PermitOpen none\nPermitListen none\n#AllowStreamLocalForwarding no\n",
    "PermitOpen none\nPermitListen none\nAllowStreamLocalForwarding no\n",
  ],
  ["open-permit-open", "PermitOpen *:1\n", "PermitOpen d:1\n"],
  ["open-permit-listen", "PermitListen localhost:*\n", "PermitListen localhost:9\n"],
  [
    "permit-listen-ignores-sockets",
    "PermitListen none\n#AllowStreamLocalForwarding local\n",
    "PermitListen none\nAllowStreamLocalForwarding local\n",
  ],
  [
    "disable-forwarding-incomplete",
    "DisableForwarding yes\nAllowAgentForwarding no\nX11Forwarding yes\n",
    "DisableForwarding yes\nAllowAgentForwarding no\n#X11Forwarding yes\n",
  ],
  [
    "forced-command-still-forwards",
    "Match Group sftponly\nForceCommand internal-sftp\n#AllowTcpForwarding no\n",
    "Match Group sftponly\nForceCommand internal-sftp\nAllowTcpForwarding no\n",
  ],
  [
    "nologin-still-forwards",
    { text: "#AllowTcpForwarding no\n", files: NOLOGIN },
    { text: "AllowTcpForwarding no\n", files: NOLOGIN },
  ],
  [
    "shell-makes-ban-moot",
    "AllowTcpForwarding no\n#ForceCommand internal-sftp\n",
    "AllowTcpForwarding no\nForceCommand internal-sftp\n",
  ],
  [
    "privileged-forward",
    "GatewayPorts yes\nPermitRootLogin yes\nPermitListen *:1023\n",
    "GatewayPorts yes\nPermitRootLogin yes\nPermitListen *:1024\n",
  ],
  ["privileged-permit-listen", "PermitListen localhost:1023\n", "PermitListen localhost:1024\n"],
  ["privileged-destination", "PermitOpen localhost:25\n", "PermitOpen xlocalhost:25\n"],
  ["privileged-port", "Port 443\n", "Port 4443\n"],
  ["unprivileged-listen-port", "Port 1024\n", "Port 1023\n"],
  ["shadowed-directive", "PermitTTY yes\nPermitTTY no\n", "#PermitTTY yes\nPermitTTY no\n"],
  // up to 9.3 the last one counts
  ["shadowed-directive", { text: TWO_COMMANDS, release: "9.4" }, { text: TWO_COMMANDS, release: "9.3" }],
  ["duplicate-permit-open", "PermitOpen a:1\nPermitOpen b:1\n", "PermitOpen a:1\n#PermitOpen b:1\n"],
  [
    "dead-permit-open",
    "AllowTcpForwarding no\nPermitOpen db:1\n",
    "#AllowTcpForwarding no\nPermitOpen db:1\n",
  ],
  [
    "unreachable-match",
    "Match User *\nX11Forwarding no\nMatch User bob\nX11Forwarding yes\n",
    "Match User a*\nX11Forwarding no\nMatch User bob\nX11Forwarding yes\n",
  ],
  ["never-matching-pattern", "Match User !root\nX11Forwarding no\n", "Match User root\nX11Forwarding no\n"],
  ["never-matching-login-item", "DenyUsers mallory,eve\n", "DenyUsers mallory eve\n"],
  ["missing-include", "Include /etc/ssh/x.conf\n", "Include /etc/ssh/x.con*\n"],
  [
    "drop-in-not-included",
    { text: "Include /etc/ssh/sshd_config.d/x*.conf\n", files: DROP_IN },
    { text: "Include /etc/ssh/sshd_config.d/*.conf\n", files: DROP_IN },
  ],
  [
    "option-overrides-file",
    { text: "AllowTcpForwarding no\n", commandLine: ["AllowTcpForwarding=yes"] },
    { text: "#AllowTcpForwarding no\n", commandLine: ["AllowTcpForwarding=yes"] },
  ],
  ["socket-unit-overrides-port", { text: "Port 222\n", files: SOCKET }, { text: "Port 22\n", files: SOCKET }],
  [
    "stale-daemon",
    {
      text: "AllowTcpForwarding no\n",
      modified: { [MAIN]: "2026-11-22T00:00:00Z", ...STARTED },
      files: RUNNING,
    },
    {
      text: "AllowTcpForwarding no\n",
      modified: { [MAIN]: "2025-11-22T00:00:00Z", ...STARTED },
      files: RUNNING,
    },
  ],
  [
    "authorized-keys-options",
    { text: "#AllowTcpForwarding no\n", files: GIT },
    { text: "AllowTcpForwarding no\n", files: GIT },
  ],
  [
    "loose-permissions",
    { text: "PermitTTY no\n", modes: { [MAIN]: "646" } },
    { text: "PermitTTY no\n", modes: { [MAIN]: "644" } },
  ],
  [
    "include-inside-match",
    "Match User bob\nX11Forwarding no\nInclude /etc/ssh/d/*.conf\n",
    "#Match User bob\nX11Forwarding no\nInclude /etc/ssh/d/*.conf\n",
  ],
  ["vanished-line", 'AllowTcp"Forwarding no\n', "AllowTcpForwarding no\n"],
  [
    "lockout",
    { text: "Match Address 10.0.0.1/8\n", release: "8.0" },
    { text: "Match Address 10.0.0.0/8\n", release: "8.0" },
  ],
  ["lockout", "PermitOpen db:ssh\n", "#PermitOpen db:ssh\n"],
  [
    "lockout",
    { text: "#Subsystem a b\nMatch User bob\nSubsystem c d\n", release: "9.8" },
    { text: "Subsystem a b\nMatch User bob\nSubsystem c d\n", release: "9.8" },
  ],
  [
    "lockout",
    { text: "Match User bob\nCASignatureAlgorithms !ssh-rsa\n", policy: ALLOWED },
    { text: "Match User bob\nCASignatureAlgorithms ssh-rsa\n", policy: ALLOWED },
  ],
  ["not-allowed-in-match", "Match User bob\nPort 22\n", "#Match User bob\nPort 22\n"],
  ["deprecated-keyword", "UseLogin no\n", "#UseLogin no\n"],
  ["keyword-newer-than-sshd", "RefuseConnection no\n", "#RefuseConnection no\n"],
  ["syntax", "AllowTcpForwarding n\n", "AllowTcpForwarding no\n"],
  [
    "beyond-policy",
    { text: `${CLOSED}${OPEN_TO}PermitOpen db:5432 db:5433\n`, policy: ALLOWED },
    { text: `${CLOSED}${OPEN_TO}PermitOpen db:5432 db:5432\n`, policy: ALLOWED },
  ],
  [
    "lost-forwarding",
    { text: "PermitOpen db:543\n", policy: DB },
    { text: "PermitOpen db:5432\n", policy: DB },
  ],
  [
    "policy-entry",
    { text: "AllowTcpForwarding no\n", policy: ALLOWED },
    { text: "#AllowTcpForwarding no\n", policy: ALLOWED },
  ],
  [
    "suppression",
    "# sshd-policy: allow tcp-forwarding until 2019-12-31 -- ticket 42\nAllowTcpForwarding yes\n",
    "# sshd-policy: allow tcp-forwarding until 2029-12-31 -- ticket 42\nAllowTcpForwarding yes\n",
  ],
];

test("every rule has an edge", () => {
  expect([...new Set(EDGES.map(([id]) => id))].sort()).toEqual(RULES.map(({ id }) => id).sort());
});

test.each(EDGES)("%s fires for %j, and not for %j", (id, fires, silent) => {
  expect(areOneApart(written(fires), written(silent))).toBe(true);
  expect([found(id, fires), found(id, silent)]).toEqual([true, false]);
});

function written(edge: string | Edge): string {
  return JSON.stringify(edge).replaceAll("\\", "");
}

function found(id: string, edge: string | Edge): boolean {
  const { text, files = {}, ...settings } = typeof edge === "string" ? { text: edge } : edge;
  const rules = RULES.filter((rule) => rule.id === id || id === "suppression");
  const { findings } = auditRoot({ ...settings, root: makeRoot({ [MAIN]: text, ...files }), rules });
  return findings.some(({ rule }) => rule === id);
}

/** One character more, less, or another. */
function areOneApart(a: string, b: string): boolean {
  const start = [...a].findIndex((character, at) => character !== b[at]);
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1);
}
