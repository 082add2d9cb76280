/**
 * Traps that differ by release, with what real builds printed for AllowTcpForwarding, also of releases that no other
 * recording holds (7.7, 8.1, 8.2, 8.3, 9.9p1). An answer is a value or the first line of the refusal.
 */
import { describe, expect, it } from "vitest";
import { connectionOf, load, MAIN_FILE, release, settingsOf, verdictOf } from "./sshd/reading.ts";

interface Trap {
  readonly name: string;
  readonly text: string;
  /** below /etc/ssh */
  readonly files?: Readonly<Record<string, string>>;
  readonly answers: readonly (readonly [connection: string, releases: string, answer: string])[];
}

const OPEN_FOR_ALICE = "AllowTcpForwarding no\nMatch User alice\nAllowTcpForwarding yes\n";
const HOST_BITS = "AllowTcpForwarding no\nMatch Address 10.1.2.3/8\nAllowTcpForwarding yes\n";
const NOT_A_NETWORK = "Invalid Match address argument '10.1.2.3/8' at line 2";
const FROM_TEN = "user=alice,host=h,addr=10.1.2.3";

const TRAPS: readonly Trap[] = [
  {
    name: "single quotes in Match",
    text: "AllowTcpForwarding no\nMatch User 'alice'\nAllowTcpForwarding yes\n",
    answers: [
      ["user=alice", "9.2 9.8", "no"],
      ["user=alice", "9.9p1 9.9p2 10.5", "yes"],
    ],
  },
  {
    name: "Match User =alice",
    text: "AllowTcpForwarding no\nMatch User =alice\nAllowTcpForwarding yes\n",
    answers: [
      ["user=alice", "9.2 9.8", "yes"],
      ["user=alice", "9.9p2 10.5", "no"],
    ],
  },
  {
    name: "Match User=alice",
    text: "AllowTcpForwarding no\nMatch User=alice\nAllowTcpForwarding yes\n",
    answers: [
      ["user=alice", "9.2 9.8 9.9p2 10.5", "yes"],
      ["user=alice", "9.9p1", "Missing Match criteria for User=alice"],
    ],
  },
  {
    name: "Match invalid-user",
    text: "Match invalid-user\nAllowTcpForwarding no\n",
    answers: [
      ["", "9.9p1", "no"],
      ["", "9.9p2 10.5", "yes"],
      ["user=alice", "9.9p1", "no"],
      ["user=alice", "9.9p2 10.5", "yes"],
      ["user=alice,invalid-user", "9.9p1 9.9p2 10.5", "no"],
    ],
  },
  {
    name: "Match Version is active without a connection",
    text: "AllowTcpForwarding no\nMatch Version OpenSSH_*\nAllowTcpForwarding yes\n",
    answers: [
      ["", "9.9p2", "Unsupported Match attribute Version"],
      ["", "10.0 10.5", "yes"],
      ["user=alice", "10.0 10.5", "yes"],
    ],
  },
  {
    name: "a network with host bits",
    text: HOST_BITS,
    answers: [
      ["", "8.1", "no"],
      ["", "8.4 9.2 10.5", NOT_A_NETWORK],
      [FROM_TEN, "8.1", "reprocess config line 2: Bad Match condition"],
      [FROM_TEN, "8.4 9.2 10.5", NOT_A_NETWORK],
    ],
  },
  {
    name: "Match in a drop-in",
    text: "Include /etc/ssh/drop.conf\nAllowTcpForwarding yes\n",
    files: { "drop.conf": "Match User alice\nAllowTcpForwarding no\n" },
    answers: [
      ["user=alice", "8.2 8.3", "yes"],
      ["user=alice", "8.4 9.2", "no"],
      ["user=bob", "8.2 8.3 8.4 9.2", "yes"],
    ],
  },
  {
    name: "a relative Include",
    text: "Include rel.conf\n",
    files: { "rel.conf": "AllowTcpForwarding no\n" },
    answers: [
      ["", "8.2", "yes"],
      ["", "8.3 8.4", "no"],
    ],
  },
  {
    name: "a comment without a blank in front",
    text: "AllowTcpForwarding no#comment\n",
    answers: [
      ["", "8.4 8.6", "no"],
      ["", "8.7 9.2 10.5", `${MAIN_FILE} line 1: unsupported option "no#comment".`],
    ],
  },
  {
    name: "a NUL in a comment swallows the next line",
    text: "# x\0\nAllowTcpForwarding no\n",
    answers: [
      ["", "8.4 8.6", "no"],
      ["", "8.7 9.2 10.5", "yes"],
    ],
  },
  {
    name: "a form feed alone on a line",
    text: "\f\nAllowTcpForwarding no\n",
    answers: [
      ["", "7.4", `${MAIN_FILE}: line 1: Bad configuration option: \\014`],
      ["", "9.2 10.5", `${MAIN_FILE} line 1: no argument after keyword "\\014"`],
    ],
  },
  {
    name: "PermitOpen none and a host",
    text: "PermitOpen none 127.0.0.1:80\n",
    answers: [
      ["", "9.6", `${MAIN_FILE} line 1: keyword PermitOpen extra arguments at end of line`],
      ["", "9.8 10.5", "yes"],
    ],
  },
  {
    name: "a field that is missing in -C",
    text: OPEN_FOR_ALICE,
    answers: [
      ["", "7.4 8.1 9.2", "no"],
      ["", "7.7 8.0", "'Match User' in configuration but 'user' not in connection test specification."],
      ["user=alice", "7.7 8.0 8.1 9.2", "yes"],
    ],
  },
];

function answerOf({ text, files = {} }: Trap, connection: string, of: string): string {
  const others = Object.entries(files).map(([name, content]) => [`/etc/ssh/${name}`, content]);
  const config = load(Object.fromEntries([...others, [MAIN_FILE, text]]), release(of));
  const { error } = verdictOf(config);
  if (error !== null) return error;
  const settings = settingsOf(config, connectionOf(connection), { missing: "as-sshd" });
  return "error" in settings ? String(settings.error) : (settings.get("allowtcpforwarding") ?? []).join(" ");
}

describe("bugs that packages may have repaired", () => {
  const files = {
    "/etc/ssh/x.conf": "Match User alice\nAllowTcpForwarding yes\n",
    "/etc/ssh/y.conf": "AllowTcpForwarding yes\n",
  };
  const limitsOf = (text: string, of: string): number =>
    load({ ...files, [MAIN_FILE]: `${text}\nAllowTcpForwarding no\n` }, release(of)).limits.length;

  it.each([
    ["Include /etc/ssh/x.conf", "1:8.2p1-4ubuntu0.13", 1],
    ["Include /etc/ssh/x.conf", "8.3+alpine", 1],
    ["Include /etc/ssh/x.conf", "8.2 8.4+debian 9.2+ubuntu", 0],
    ["Include y.conf", "8.2+ubuntu", 1],
    ["Include y.conf", "8.2 8.3+ubuntu", 0],
    ["Include /etc/ssh/y.conf", "8.2+ubuntu", 0],
    ["Match invalid-user", "9.9p1-7.el10 9.9+rhel 1:9.9p1-3ubuntu3", 1],
    ["Match invalid-user", "9.9p1 9.9 9.9_p2-r0 10.0+debian", 0],
    ["Match Version *Debian*", "10.0+debian 10.2+ubuntu", 1],
    ["Match Version *Debian*", "10.0 10.0+fedora 1:10.0p1-7+deb13u4", 0],
  ])("leave it open whether %s counts, on %s", (text, releases, limits) => {
    for (const of of releases.split(" ")) expect([of, limitsOf(text, of)]).toEqual([of, limits]);
  });
});

describe("traps by release", () => {
  it.each(TRAPS.map((trap) => [trap.name, trap] as const))("%s", (_name, trap) => {
    for (const [connection, releases, answer] of trap.answers) {
      for (const of of releases.split(" "))
        expect([of, connection, answerOf(trap, connection, of)]).toEqual([of, connection, answer]);
    }
  });
});
