/** The command line of a running sshd, from its title and its arguments. */
import { describe, expect, test } from "vitest";
import { readOptions, splitTitle, testArguments } from "../src/host/command-line.ts";

describe("a title", () => {
  test.each([
    ["/usr/sbin/sshd -D", ["/usr/sbin/sshd", "-D"]],
    [
      "/usr/sbin/sshd -D -f /etc/ssh/my config -e",
      ["/usr/sbin/sshd", "-D", "-f", "/etc/ssh/my config", "-e"],
    ],
    [
      "/usr/sbin/sshd -o AllowTcpForwarding no -p 22",
      ["/usr/sbin/sshd", "-o", "AllowTcpForwarding no", "-p", "22"],
    ],
    ["/usr/sbin/sshd -oPort 22 -Df /x", ["/usr/sbin/sshd", "-oPort 22", "-Df", "/x"]],
  ])("%s", (title, words) => {
    expect(splitTitle(title)).toEqual(words);
  });
});

describe("what a test run needs", () => {
  test.each([
    [
      ["-D", "-e", "-f", "/x", "-oPort=22", "-p", "2222", "-4"],
      ["-f", "/x", "-o", "Port=22", "-p", "2222"],
    ],
    [
      ["-Df/x", "-E", "/var/log/sshd", "-h", "/key"],
      ["-f", "/x", "-h", "/key"],
    ],
    [["-f"], ["-f", ""]],
  ])("%j", (words, expected) => {
    expect(testArguments(readOptions(words))).toEqual(expected);
  });
});
