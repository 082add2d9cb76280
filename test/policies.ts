/** Random policies and every connection that matters to them, for the tests of the search. */
import fc from "fast-check";
import type { Capability, Connection } from "../src/policy/connection.ts";
import type { Effective } from "../src/policy/evaluate.ts";

const USERS = ["alice", "bob", "carol", "root", "dev-1", "x"];
const GROUP_SETS = [null, [], ["staff"], ["admins"], ["staff", "admins"], ["sftponly"], ["zz"]];
const ADDRESSES = [
  "10.0.0.1",
  "10.1.2.3",
  "192.168.1.7",
  "203.0.113.9",
  "2001:db8::1",
  "2001:db8:1::1",
  "fe80::1%eth0",
];
const PORTS = [22, 2222, 80];

/** Connections that between them meet and miss every criterion of CRITERIA. */
export const universe: readonly Connection[] = USERS.flatMap((user) =>
  GROUP_SETS.flatMap((groups) =>
    ADDRESSES.flatMap((addr) =>
      PORTS.map((lport) => ({
        user,
        groups,
        host: addr,
        addr,
        laddr: "192.0.2.1",
        lport,
        rdomain: "",
        invalidUser: groups === null,
      })),
    ),
  ),
);

const CRITERIA = fc.constantFrom(
  "User alice",
  "User bob,carol",
  "User *,!root",
  "User dev-*",
  "User !bob",
  "User al*,!alice",
  "Group staff",
  "Group *,!admins",
  "Group admins,sftponly",
  "Group !staff,*",
  "Address 10.0.0.0/8",
  "Address 10.1.0.0/16",
  "Address *,!10.0.0.0/8",
  "Address 192.168.*",
  "Address 2001:db8::/32",
  "Address fe80::*",
  "LocalPort 2222",
  "Host 10.*",
  "All",
  "Invalid-User",
);
const SETTINGS = fc.constantFrom(
  "AllowTcpForwarding yes",
  "AllowTcpForwarding no",
  "AllowTcpForwarding local",
  "DisableForwarding yes",
  "DisableForwarding no",
  "PermitOpen db:5432",
  "PermitOpen none",
  "PermitOpen *:*",
  "AllowStreamLocalForwarding no",
  "PermitTunnel yes",
  "X11Forwarding yes",
  "AllowAgentForwarding no",
  "GatewayPorts yes",
  "Subsystem sftp internal-sftp",
);
const BLOCK = fc
  .tuple(
    fc.array(CRITERIA, { minLength: 1, maxLength: 2 }),
    fc.array(SETTINGS, { minLength: 1, maxLength: 3 }),
  )
  .filter(([criteria]) => criteria.length === 1 || !criteria.includes("All"))
  .map(([criteria, settings]) => `Match ${criteria.join(" ")}\n${settings.join("\n")}\n`);
/** Small policies of all kinds of criteria; a release from 9.9p2 on takes them all. */
export const POLICY: fc.Arbitrary<string> = fc
  .tuple(fc.array(SETTINGS, { maxLength: 2 }), fc.array(BLOCK, { maxLength: 5 }))
  .map(([settings, blocks]) => [...settings, ...blocks].join("\n"));

/** The capabilities once more, from sshd's rules alone (semantics 7.2), for 10.0. */
export function isOpen(effective: Effective, capability: Capability): boolean {
  const of = (keyword: string): string => effective.get(keyword)?.values.join(" ") ?? "";
  const tcp = of("allowtcpforwarding");
  const sockets = of("allowstreamlocalforwarding");
  const on = of("disableforwarding") === "no";
  const out = on && (tcp === "yes" || tcp === "local");
  const into = on && (tcp === "yes" || tcp === "remote");
  switch (capability) {
    case "tcp-local":
      return out && of("permitopen") !== "none";
    case "tcp-remote":
      return into && of("permitlisten") !== "none";
    case "unix-local":
      return out && (sockets === "yes" || sockets === "local") && ["any", "*:*"].includes(of("permitopen"));
    case "unix-remote":
      return into && (sockets === "yes" || sockets === "remote");
    case "tun":
      return of("permittunnel") !== "no";
    case "x11":
      return on && of("x11forwarding") === "yes";
    case "agent":
      return on && of("allowagentforwarding") === "yes";
  }
}
