/** What a finding says of a line that sshd refuses: what would be right, in words for an administrator. */
import { expect, test } from "vitest";
import { explainProblem } from "../src/lint/advice.ts";
import { configOf } from "./configurations.ts";

function adviceFor(line: string, release: string): string | undefined {
  const config = configOf(`${line}\n`, release);
  const [problem] = config.problems;
  return problem && explainProblem(config, problem);
}

test.each([
  ["Ciphers arcfour", "9.2", "Ciphers names arcfour, which OpenSSH 9.2 does not have (any more)"],
  [
    "KexAlgorithms mlkem768x25519-sha256",
    "9.2",
    "KexAlgorithms names mlkem768x25519-sha256, which OpenSSH 9.2 does not have yet",
  ],
  [
    "KexAlgorithms curve25519-sha256,mlkem768x25519-sha256,gss",
    "9.2",
    "KexAlgorithms names mlkem768x25519-sha256, gss, which OpenSSH 9.2 does not have (any more, or yet)",
  ],
  [
    "AllowTcpForwrding no",
    "9.2",
    '"AllowTcpForwrding" is no keyword of OpenSSH 9.2; did you mean AllowTcpForwarding?',
  ],
  ["<<<<<<< HEAD", "9.2", '"<<<<<<<" is the mark of a merge conflict that nobody has solved'],
  [
    "Match User x\nPidFile none",
    "9.2",
    "PidFile holds for the whole server and may not stand in a Match block: move it above the first Match",
  ],
  ['Banner "x', "9.2", "a quote is opened and never closed"],
  ["X11Forwarding", "9.2", "X11Forwarding needs a value"],
])("%s, %s", (line, release, advice) => {
  expect(adviceFor(line, release)).toBe(advice);
});
