/** What a finding says that its fix takes from clients: what is open there, and no more. */
import { expect, it } from "vitest";
import { audit } from "../src/index.ts";
import { configOf } from "./configurations.ts";

const CASES: readonly (readonly [does: string, file: string, release: string, breaks: readonly string[]])[] =
  [
    [
      "everything that the default opens",
      "AllowAgentForwarding no\n",
      "9.2",
      ["ssh -L, -D, -W and -R, jumps through this host (ssh -J), and forwards of unix sockets"],
    ],
    [
      "listeners alone where nothing goes outward",
      "AllowTcpForwarding remote\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\n",
      "9.2",
      ["ssh -R: ports that listen on this server"],
    ],
    [
      "ports and sockets, one way",
      "AllowTcpForwarding remote\nAllowAgentForwarding no\n",
      "9.2",
      ["ssh -R: ports and unix sockets that listen on this server"],
    ],
    [
      "no sockets where they are closed",
      "AllowTcpForwarding yes\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\n",
      "9.2",
      ["ssh -L, -D, -W and -R, and jumps through this host (ssh -J)"],
    ],
    [
      "what the block reopens, whatever else its value could open",
      "AllowTcpForwarding no\nAllowAgentForwarding no\nMatch User bob\n\tAllowTcpForwarding yes\n\tPermitListen none\n\tAllowStreamLocalForwarding no\n",
      "9.2",
      ["ssh -L, -D, -W and jumps through this host (ssh -J)"],
    ],
    [
      "a socket forward asks nothing but its own keyword up to 7.7",
      "AllowTcpForwarding no\nAllowAgentForwarding no\n",
      "7.4",
      ["ssh -R of unix sockets, as GnuPG agents use them"],
    ],
    [
      "the addresses of listeners",
      "AllowTcpForwarding remote\nAllowStreamLocalForwarding no\nAllowAgentForwarding no\nGatewayPorts yes\n",
      "9.2",
      [
        "ports that ssh -R opens: only this server itself reaches them then",
        "ssh -R: ports that listen on this server",
      ],
    ],
  ];

it.each(CASES)("%s", (_does, file, release, breaks) => {
  const said = audit(configOf(file, release)).flatMap((finding) => finding.breaks ?? []);
  expect([...new Set(said)].sort()).toEqual([...breaks].sort());
});
