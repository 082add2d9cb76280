/** Which forwards that are held now a change would refuse: sshd's rule by rule, on both sides. */
import { describe, expect, test } from "vitest";
import type { Capability, Connection } from "../src/policy/connection.ts";
import { refusedUses } from "../src/policy/held-use.ts";
import { configOf } from "./configurations.ts";

function from(user: string): Connection {
  const addr = "198.51.100.7";
  const local = { laddr: "192.0.2.1", lport: 22, rdomain: "", invalidUser: false };
  return { user, groups: [user], host: addr, addr, ...local };
}

type Row = readonly [before: string, after: string, capability: Capability, where: string, refused: boolean];

describe("a held forward of alice", () => {
  test.each<Row>([
    ["", "AllowTcpForwarding no", "tcp-local", "10.0.0.5:5432", true],
    ["", "AllowTcpForwarding remote", "tcp-local", "10.0.0.5:5432", true],
    ["", "AllowTcpForwarding remote", "tcp-remote", "127.0.0.1:9000", false],
    ["", "DisableForwarding yes", "unix-remote", "/tmp/x", true],
    ["AllowTcpForwarding no", "AllowTcpForwarding no\nX11Forwarding no", "tcp-local", "10.0.0.5:5432", false],
    ["", "AllowTcpForwarding no\nMatch User alice\nAllowTcpForwarding yes", "tcp-local", "[::1]:22", false],
    ["", "AllowTcpForwarding no\nMatch User bob\nAllowTcpForwarding yes", "tcp-local", "[::1]:22", true],
    ["", "PermitOpen 10.0.0.5:*", "tcp-local", "10.0.0.5:5432", false],
    ["", "PermitOpen 10.0.0.6:5432", "tcp-local", "10.0.0.5:5432", true],
    ["", "PermitOpen [::1]:22", "tcp-local", "[::1]:22", false],
    ["", "PermitOpen db.internal:5432", "tcp-local", "10.0.0.5:5432", false],
    ["", "PermitOpen db.internal:5433", "tcp-local", "10.0.0.5:5432", true],
    ["", "PermitOpen 10.0.0.5:postgresql", "tcp-local", "10.0.0.5:5432", false],
    ["", "PermitOpen 10.0.0.5:http", "tcp-local", "10.0.0.5:5432", true],
    ["", "PermitOpen none", "unix-local", "/run/x", true],
    ["", "PermitListen 9001", "tcp-remote", "127.0.0.1:9000", true],
    ["", "PermitListen localhost:9000", "tcp-remote", "127.0.0.1:9000", false],
    ["X11Forwarding yes", "X11Forwarding no", "x11", "127.0.0.1:6010", true],
    ["", "AllowAgentForwarding no", "agent", "/tmp/ssh-x/agent.1", true],
    ["PermitTunnel yes", "PermitTunnel no", "tun", "", true],
  ])("%j to %j: %s to %s refused: %s", (before, after, capability, where, refused) => {
    const held = { connection: from("alice"), capability, where };
    expect(refusedUses(configOf(`${before}\n`), configOf(`${after}\n`), [held])).toEqual(
      refused ? [held] : [],
    );
  });
});
