/** Any account can name a program sshd and write sshd's titles over its arguments: root must not believe it. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findDaemons } from "../src/host/daemon.ts";
import { openSessions } from "../src/host/sessions.ts";
import { thisMachine } from "../src/host/this-machine.ts";
import { describeUnless, NOT_ROOT, whyNoFile } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const PERL = "/usr/bin/perl";
const NOBODY = 65_534;
const missing = NOT_ROOT ?? whyNoFile(PERL);

const machine = thisMachine({
  pid: process.pid,
  uid: 0,
  platform: process.platform,
  command: [],
  caller: "a test",
});

describeUnless(missing, "impostors", () => {
  const folder = makeFolder();
  const started: ChildProcess[] = [];

  /** A program of that name with this title, run by an account. Settles when the title stands, which the script says, too. */
  async function start(title: string, uid: number, program = "sshd"): Promise<number> {
    const script = `$0 = ${JSON.stringify(title).replaceAll("@", "\\@")}; sleep 60`;
    const child = spawn(`${folder}/${program}`, ["-e", script, "x".repeat(100)], { uid, stdio: "ignore" });
    started.push(child);
    const { pid = 0 } = child;
    await expect
      .poll(() => readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(title), { timeout: 20_000 })
      .toBe(true);
    return pid;
  }

  beforeAll(() => {
    chmodSync(folder, 0o755);
    for (const name of ["sshd", "other"]) copyFileSync(PERL, `${folder}/${name}`);
  });
  afterAll(() => {
    for (const child of started) child.kill("SIGKILL");
  });

  const daemons = (): number[] => findDaemons(machine, "/etc/ssh/of-a-test").map((it) => it.process.pid);

  test("a listener counts only when it is a program called sshd, and root runs it: what it names is run as root", async () => {
    const title = `sshd: ${folder}/evil -f /etc/ssh/of-a-test [listener] 0 of 10-100 startups`;
    const forged = await start(title, NOBODY);
    const other = await start(title, 0, "other");
    expect(daemons()).not.toContain(forged);
    expect(daemons()).not.toContain(other);
    const real = await start(title, 0);
    expect(daemons()).toEqual([real]);
  });

  test("a session counts only when root's monitor serves it", async () => {
    const forged = await start("sshd: root@pts/99", NOBODY);
    const real = await start("sshd: root@pts/98", 0);
    const open = (await openSessions(machine)).map(({ pid }) => pid);
    expect(open).toContain(real);
    expect(open).not.toContain(forged);
  });
});
