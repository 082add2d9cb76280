/** Which of several options counts: whom `forward` reaches out for, beside what `ssh -G` says. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { describeUnless, whyNoFile } from "./needs.ts";
import { runCli } from "./run-cli.ts";

const missing = whyNoFile("/usr/bin/ssh");

/** Nobody listens on these ports of loopback (tcpmux and others of RFC 6335's assigned ones). */
const CASES: readonly string[] = [
  "-p 1 -p 2 me@127.0.0.1",
  "-o Port=1 -p 2 me@127.0.0.1",
  "-p 1 -o Port=2 me@127.0.0.1",
  "-p 1 ssh://me@127.0.0.1:2",
  "ssh://me@127.0.0.1:1 -p 2 -l two",
  "-l one ssh://me@127.0.0.1:1 -p 2",
  "-l host host@127.0.0.1 -Np1",
  "me@127.0.0.1 -nNTaxkp 1",
  "-Ni /dev/null me@127.0.0.1 -p 1",
  "-p1 -- me@127.0.0.1",
  "-p 1 -l one -l two me@127.0.0.1",
  "-p 1 -o User=one -l two me@127.0.0.1",
  "-p 1 -l one -o User=two 127.0.0.1",
];

describeUnless(missing, "options given twice", () => {
  it.each(CASES)(
    "count as in ssh: %s",
    (line) => {
      const words = line.split(" ");
      const { stdout } = spawnSync("ssh", ["-F", "none", "-G", ...words], { encoding: "latin1" });
      const theirs = ["user", "port"].map((name) => new RegExp(`^${name} (.*)$`, "m").exec(stdout)?.[1]);
      const ours = runCli(["forward", "-F", "none", "-L", "0:a:1", ...words]).stderr;
      const [, user, port] = /^sshd-policy: (\S+)@127\.0\.0\.1 port (\d+): /.exec(ours) ?? [ours];
      expect([user, port]).toEqual(theirs);
    },
    60_000,
  );

  it.each([
    ["-4 -6"],
    ["-6 -4"],
    ["-o AddressFamily=inet6 -4"],
    ["-4 -o AddressFamily=inet6"],
    ["-o AddressFamily=inet6 -o AddressFamily=inet"],
  ])(
    "choose the family as in ssh: %s",
    (line) => {
      const words = [...line.split(" "), "me@127.0.0.1"];
      const { stdout } = spawnSync("ssh", ["-F", "none", "-G", ...words], { encoding: "latin1" });
      const theirs = /^addressfamily (.*)$/m.exec(stdout)?.[1];
      const ours = runCli(["forward", "-F", "none", "-p", "1", "-L", "0:a:1", ...words]).stderr;
      expect(ours.includes("AddressFamily leaves out that address") ? "inet6" : "inet", ours).toBe(theirs);
    },
    60_000,
  );

  it("is said to be taken away by ClearAllForwardings", () => {
    const args = ["-o", "ClearAllForwardings=yes", "-L", "0:a:1", "127.0.0.1"];
    expect(runCli(["forward", "-F", "none", ...args]).stderr).toContain("ClearAllForwardings takes away");
  });

  it.each([["-J"], ["-W"]])("is refused where one of two would be lost: %s", (option) => {
    const { code, stderr } = runCli(["forward", "-F", "none", option, "a:1", option, "b:1", "127.0.0.1"]);
    expect(code).toBe(2);
    expect(stderr).toContain("it can be given once only");
  });
});
