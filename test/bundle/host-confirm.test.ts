/** `--confirm` on booted hosts: kept by a new login only, undone by time, and by a power cycle before sshd starts. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  CASES,
  fingerprint,
  installProgram,
  PROGRAM,
  prepareHost,
  setUp,
  tryLogins,
  WAYS,
  type Way,
} from "../lab/fixing.ts";
import type { LabHost } from "../lab/hosts.ts";
import { SSH } from "../lab/login.ts";
import { shareHost, whenBootable } from "../lab/sharing.ts";

const STOCK = CASES[0];
const BOTH = ["alice", "deploy"];
const OPEN = { logins: BOTH, forwards: BOTH };
const CLOSED = { logins: BOTH, forwards: [] };

function wayOf(base: string, how: string): Way {
  const way = WAYS.find((one) => one.base === base && one.how.startsWith(how));
  if (way === undefined) throw new Error(`no way ${base}, ${how}`);
  return way;
}

/** Starts a fix in a login of root, which stays open behind it, and waits until the fix waits. */
async function startFix(host: LabHost, { seconds }: { readonly seconds: number }): Promise<void> {
  await host.must(
    `rm -f /root/fix.*
     setsid ${SSH} -tt root@127.0.0.1 "${PROGRAM} audit --fix --confirm ${seconds} 2>/root/fix.err; echo \\$? >/root/fix.code; sleep 1000" >/root/fix.out 2>&1 </dev/null &
     for try in $(seq 300); do grep -q ^waiting /root/fix.err 2>/dev/null && exit; sleep 0.1; done; cat /root/fix.err; exit 1`,
  );
}

async function eventually(host: LabHost, condition: string): Promise<void> {
  await host.must(
    `for try in $(seq 300); do ${condition} && exit; sleep 0.1; done; echo never: ${condition}; exit 1`,
  );
}

/** What is there for a fix that waits, and must be gone afterwards. */
const LEFTOVERS = `find / -xdev \\( -name '*sshd-policy*' -o -name '*policy-undo*' \\) -not -path '/opt/*' -not -path '/var/lib/*' -not -path '/proc/*'
  pgrep -fa -- '--[w]atch' || true`;

const INITS = [
  wayOf("bookworm", "ssh.service"),
  wayOf("bookworm", "ssh.socket"),
  wayOf("trixie", "ssh.service"),
  wayOf("bookworm-sysv", "sysv"),
  wayOf("bookworm-openrc", "openrc"),
  wayOf("bookworm-runit", "runit"),
];

describe.each(INITS.map((way) => [`${way.base}, ${way.how}`, way] as const))("%s", (_, way) => {
  whenBootable(way.base)("a fix that waits", () => {
    const host = shareHost(way.base, installProgram);
    let before = "";
    beforeAll(async () => {
      await prepareHost(host, way);
      if (STOCK !== undefined) await setUp(host, way, STOCK);
      before = await fingerprint(host);
    });

    test("is undone when the host loses power and boots, before sshd starts", async () => {
      await startFix(host, { seconds: 3600 });
      expect(await tryLogins(host)).toEqual(CLOSED);
      await host.stop();
      await host.boot();
      await eventually(host, `${SSH} alice@127.0.0.1 true 2>/dev/null`);
      expect(await tryLogins(host)).toEqual(OPEN);
      expect(await fingerprint(host)).toBe(before);
      expect(await host.must(LEFTOVERS)).toBe("");
      expect(await host.must("tail -n 1 /var/lib/sshd-policy/log")).toMatch(
        /the host booted before it was confirmed: undone$/,
      );
    });

    test("is undone in time when its session ends and its process is killed", async () => {
      await startFix(host, { seconds: 4 });
      await host.must(
        "pkill -9 -f 'audit --[f]ix'; pkill -9 -f 'sshd.*root@[p]ts'; pkill -9 -f 'sleep 100[0]'; true",
      );
      await eventually(
        host,
        "tail -n 1 /var/lib/sshd-policy/log | grep -q 'nobody confirmed it in time: undone'",
      );
      expect(await tryLogins(host)).toEqual(OPEN);
      expect(await fingerprint(host)).toBe(before);
      await eventually(host, "! pgrep -f -- '--[w]atch'");
      expect(await host.must(LEFTOVERS)).toBe("");
    });

    // signals reach the same code everywhere; who else may undo it differs: a unit of systemd, or a process
    if (way === INITS[0] || way.base === "bookworm-sysv") {
      test("is undone at once by Ctrl-C", async () => {
        await startFix(host, { seconds: 3600 });
        await host.must(`kill -INT $(pgrep -xf '${PROGRAM} audit --fix --confirm 3600')`);
        await eventually(host, "[ -s /root/fix.code ]");
        expect(await host.must("cat /root/fix.code")).toBe("4");
        expect(await host.must("cat /root/fix.err")).toMatch(/put back: stopped by SIGINT$/m);
        expect(await tryLogins(host)).toEqual(OPEN);
        expect(await fingerprint(host)).toBe(before);
        await eventually(host, "! pgrep -f -- '--[w]atch'");
        expect(await host.must(LEFTOVERS)).toBe("");
      });

      test("waits on when its connection is cut, with all that the end of a session brings", async () => {
        await startFix(host, { seconds: 3600 });
        await host.must("pkill -9 -f '^ssh .* root@127'; pkill -f 'sshd.*root@[p]ts'; sleep 2");
        expect(await tryLogins(host)).toEqual(CLOSED);
        expect(await host.run(`${SSH} root@127.0.0.1 '${PROGRAM} confirm'`)).toMatchObject({ code: 0 });
        expect(await tryLogins(host)).toEqual(CLOSED);
        await host.must(way.restart.replace(/^/, "rm -rf /etc/ssh; cp -a /root/stock /etc/ssh; "));
        await eventually(host, `${SSH} alice@127.0.0.1 true 2>/dev/null`);
      });
    }

    test("is kept by a new login, and by nothing else", async () => {
      const confirm = `${PROGRAM} confirm`;
      // a connection that was open before, and is shared by what looks like a new login
      await host.must(`setsid ${SSH} -f -N -M -S /root/shared root@127.0.0.1 </dev/null >/dev/null 2>&1`);
      await startFix(host, { seconds: 3600 });
      const old = await host.run(`${SSH} -S /root/shared root@127.0.0.1 '${confirm}'`);
      expect(old).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/this session was open before the change/),
      });
      // what was open before is not known any more: then no session is new
      for (const spoil of ["rm $f", "echo '[null]' >$f"]) {
        const spoiled = `f=$(ls /var/lib/sshd-policy/2*/sessions.json | tail -n 1); cp $f /root/sessions; ${spoil}`;
        await host.must(spoiled);
        expect(await host.run(`${SSH} root@127.0.0.1 '${confirm}'`)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining("no longer tells which sessions are new: confirm at the console"),
        });
        await host.must("cp /root/sessions $(ls -d /var/lib/sshd-policy/2* | tail -n 1)/sessions.json");
      }
      const other = await host.run(`${PROGRAM} audit --fix`);
      expect(other).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('waits for "/usr/local/bin/node /opt/sshd-policy/cli.js confirm"'),
      });
      const fresh = await host.run(`${SSH} root@127.0.0.1 '${confirm}'`);
      expect(fresh).toMatchObject({ code: 0, stdout: expect.stringMatching(/^kept: the fix of .* stays/) });
      await eventually(host, "[ -e /root/fix.code ]");
      expect(await host.must("cat /root/fix.code")).toBe("0");
      expect(await tryLogins(host)).toEqual(CLOSED);
      await eventually(host, "! pgrep -f -- '--[w]atch'");
      expect(await host.must(LEFTOVERS)).toBe("");
      await host.stop();
      await host.boot();
      await eventually(host, `${SSH} alice@127.0.0.1 true 2>/dev/null`);
      expect(await tryLogins(host)).toEqual(CLOSED);
      expect(await host.run(`${SSH} root@127.0.0.1 '${confirm}'`)).toMatchObject({ code: 1 });
    });
  });
});
