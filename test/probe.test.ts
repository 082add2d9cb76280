/**
 * Prediction and observation agree: real sshds with real forwards, on the live table, on every kind of forwarding under
 * every value that decides it, on lists, bind addresses and everything that people think stops forwarding.
 */
import { describe, expect, it } from "vitest";
import { differencesOf, probeTree, whyNoProbe } from "./sshd/probing.ts";
import { PROGRAMS } from "./sshd/programs.ts";
import { MAIN_FILE } from "./sshd/reading.ts";

/** shared truth: "Live effect", each row a user's block; columns -L port, -L socket, -R port, -R socket */
const LIVE: readonly (readonly [string, string])[] = [
  ["AllowTcpForwarding yes", "open open open open"],
  ["AllowTcpForwarding no", "refused refused refused refused"],
  ["AllowTcpForwarding local", "open open refused refused"],
  ["AllowTcpForwarding remote", "refused refused open open"],
  ["AllowStreamLocalForwarding no", "open refused open refused"],
  ["AllowStreamLocalForwarding local", "open open open refused"],
  ["PermitOpen none", "refused refused open open"],
  ["PermitOpen 127.0.0.1:9", "refused refused open open"],
  ["PermitListen none", "open open refused open"],
  ["PermitListen 9999", "open open refused open"],
  ["AllowTcpForwarding remote\nPermitListen none", "refused refused refused open"],
  ["DisableForwarding yes", "refused refused refused refused"],
  ["ForceCommand internal-sftp\nAllowTcpForwarding yes", "open open open open"],
];

/** One block a user: every block's witness is that user. */
function blocks(bodies: readonly string[], global = ""): string {
  return `${global}\n${bodies.map((body, index) => `Match User u${index}\n${body}\n`).join("")}`;
}

function product(...axes: readonly (readonly string[])[]): string[] {
  return axes.reduce<string[]>(
    (lines, axis) =>
      lines.flatMap((line) => axis.map((value) => `${line}${line === "" ? "" : "\n"}${value}`)),
    [""],
  );
}

const TCP = ["yes", "no", "local", "remote", "all"].map((value) => `AllowTcpForwarding ${value}`);
const SOCKETS = ["yes", "no", "local", "remote"].map((value) => `AllowStreamLocalForwarding ${value}`);
const DISABLED = ["no", "yes"].map((value) => `DisableForwarding ${value}`);
const OTHERS = product(
  ["no", "yes"].map((value) => `X11Forwarding ${value}`),
  ["no", "yes"].map((value) => `AllowAgentForwarding ${value}`),
  ["no", "yes", "point-to-point", "ethernet"].map((value) => `PermitTunnel ${value}`),
  DISABLED,
);
const LISTS = product(
  [
    "any",
    "none",
    "127.0.0.1:*",
    "*:8080",
    "db:5432 10.0.0.5:22 [::1]:9000",
    "localhost:*",
    "*:*",
    "[/tmp/a]:*",
    "127.0.0.1:1",
  ].map((list) => `PermitOpen ${list}`),
  ["yes", "local"].map((value) => `AllowTcpForwarding ${value}`),
);
const LISTENING = product(
  ["no", "yes", "clientspecified"].map((value) => `GatewayPorts ${value}`),
  [
    "any",
    "none",
    "20500",
    "localhost:20501",
    "127.0.0.1:20502 *:20503",
    "LOCALHOST:20504",
    "198.18.0.1:*",
    "l*t:20505",
    "localhost:88",
  ].map((list) => `PermitListen ${list}`),
);
const BELIEFS = [
  "ForceCommand /bin/false",
  "ForceCommand internal-sftp\nPermitTTY no",
  "ChrootDirectory /srv/sftp/%u\nForceCommand internal-sftp",
  "PermitTTY no\nPermitUserRC no",
  "MaxSessions 0",
].flatMap((body) => ["yes", "no"].map((value) => `${body}\nAllowTcpForwarding ${value}`));

for (const program of PROGRAMS) {
  const missing = whyNoProbe(program);
  const name = `${program.chroot ?? "this machine"}${missing === null ? "" : `: ${missing}`}`;

  describe.skipIf(missing !== null)(`a probe with the sshd of ${name}`, () => {
    const probeText = (text: string): ReturnType<typeof probeTree> =>
      probeTree({ [MAIN_FILE]: text }, { program });

    it.each([
      ["the live table", blocks(LIVE.map(([body]) => body))],
      ["TCP, sockets, DisableForwarding", blocks(product(TCP, SOCKETS, DISABLED))],
      ["X11, agent, tun, DisableForwarding", blocks(OTHERS)],
      ["PermitOpen", blocks(LISTS)],
      ["PermitListen and GatewayPorts", blocks(LISTENING)],
      ["what does not stop forwarding", blocks(BELIEFS)],
    ])(
      "sees what the policy says: %s",
      async (_, text) => {
        const result = await probeText(text);
        expect(result.failed).toBeNull();
        expect(differencesOf(result)).toEqual([]);
        expect(result.attempts.filter(({ observation }) => observation.why === "untried")).toEqual([]);
        const users = new Set(result.attempts.map(({ connection }) => connection.user));
        expect(users.size).toBeGreaterThanOrEqual(text.split("Match ").length);
      },
      600_000,
    );
  });
}
