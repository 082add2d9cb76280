/** What stops or changes a fix on a living server: forwards in use, a terminal over SSH, a container, a reload. */
import { beforeAll, describe, expect, test } from "vitest";
import {
  CASES,
  installProgram,
  PROGRAM,
  prepareHost,
  setUp,
  tryLogins,
  WAYS,
  type Way,
} from "../lab/fixing.ts";
import type { LabHost, Ran } from "../lab/hosts.ts";
import { makeAccount, SSH } from "../lab/login.ts";
import { shareHost, whenBootable } from "../lab/sharing.ts";

const BOTH = ["alice", "deploy"];
const OPEN = { logins: BOTH, forwards: BOTH };
const CLOSED = { logins: BOTH, forwards: [] };

whenBootable("bookworm")("on a host with systemd", () => {
  const host = shareHost("bookworm", installProgram);
  const [way] = WAYS;
  const [stock] = CASES;
  const fresh = async (): Promise<void> => {
    if (way !== undefined && stock !== undefined) await setUp(host, way, stock);
  };
  beforeAll(async () => {
    if (way !== undefined) await prepareHost(host, way);
  });

  test("a forward that somebody holds stops the fix, unless it is forced", async () => {
    await fresh();
    await host.must(
      `setsid ${SSH} -f -N -L 9001:127.0.0.1:22 -R 9002:127.0.0.1:22 alice@127.0.0.1 </dev/null >/dev/null 2>&1
       setsid bash -c 'exec 5<>/dev/tcp/127.0.0.1/9001; sleep 1000' </dev/null >/dev/null 2>&1 & sleep 1`,
    );
    const stopped = await host.run(`${PROGRAM} audit --fix`);
    expect(stopped.code).toBe(1);
    expect(stopped.stderr).toMatch(
      /alice holds a connection to 127\.0\.0\.1:22 \(-L -D -J\) \(process \d+\)/,
    );
    expect(stopped.stderr).toMatch(/alice holds a listener on 127\.0\.0\.1:9002 \(-R\)/);
    expect(stopped.stderr).toMatch(/nothing was changed: 2 forwards in use now would be refused; --force/);
    expect(await tryLogins(host)).toEqual(OPEN);
    const forced = await host.run(`${PROGRAM} audit --fix --force`);
    expect(forced.code).toBe(0);
    expect(forced.stderr).toMatch(
      /^sessions 1 session still open, with the policy of before\n +alice \(no terminal from 127\.0\.0\.1, since \d{4}-.*\): kill \d+ ends it$/m,
    );
    expect(await tryLogins(host)).toEqual(CLOSED);
    // what the fix says ends the session does
    const pid = /kill (\d+) ends it/.exec(forced.stderr)?.[1] ?? "";
    await host.must(
      `kill ${pid}; for try in $(seq 50); do pgrep -f 'ssh .*-L 900[1]' || exit 0; sleep 0.1; done; exit 1`,
    );
  });

  test("an exception keeps its forwards: the fix that spares it goes on", async () => {
    await fresh();
    await host.must(
      `printf 'Match User deploy\\n  AllowTcpForwarding yes\\n' >>/etc/ssh/sshd_config; systemctl restart ssh
       setsid ${SSH} -f -N -R 9002:127.0.0.1:22 deploy@127.0.0.1 </dev/null >/dev/null 2>&1`,
    );
    const spared = await host.run(`${PROGRAM} audit --fix`);
    expect(spared.stderr).toMatch(/nobody holds a forward that would be refused \(checked 1 session\)/);
    const unsafe = await host.run(`${PROGRAM} audit --fix --unsafe-fixes`);
    expect(unsafe).toMatchObject({ code: 1, stderr: expect.stringMatching(/deploy holds a listener/) });
    await host.must("pkill -f 'ssh .*-R 900[2]'");
  });

  test("over SSH on a terminal, 120 seconds to confirm are the default; 0 turns them off", async () => {
    await fresh();
    await host.must(
      `setsid ${SSH} -tt root@127.0.0.1 '${PROGRAM} audit --fix' >/root/fix.out 2>&1 </dev/null &
       for try in $(seq 200); do grep -q ^waiting /root/fix.out && exit; sleep 0.1; done; cat /root/fix.out; exit 1`,
    );
    expect(await host.must("cat /root/fix.out")).toMatch(
      /run "\/usr\/local\/bin\/node \/opt\/sshd-policy\/cli\.js confirm" from a NEW login within 120 s/,
    );
    expect(await host.run(`${PROGRAM} recover`)).toMatchObject({ code: 0 });
    expect(await host.run("ls /etc/systemd/system/sshd-policy-undo.service")).toMatchObject({ code: 2 });
    expect(await tryLogins(host)).toEqual(OPEN);
    const off = await host.run(`${SSH} -tt root@127.0.0.1 '${PROGRAM} audit --fix --confirm 0' </dev/null`);
    expect(off.code).toBe(0);
    expect(off.stdout).not.toContain("waiting");
    expect(await tryLogins(host)).toEqual(CLOSED);
  });

  test("another sshd with the same files is no part of the service, and is named", async () => {
    await fresh();
    await host.must("/usr/sbin/sshd -p 2222; systemctl restart ssh");
    const fixed = await host.run(`${PROGRAM} audit --fix`);
    expect(fixed.code).toBe(0);
    expect(fixed.stderr).toMatch(/^restart {2}systemctl restart ssh\.service: active, new pid \d+, .*:22$/m);
    expect(fixed.stderr).toMatch(/keep the OLD policy .*: process \d+ on 0\.0\.0\.0:2222 and \[::\]:2222$/m);
    await host.must(`kill $(pgrep -f '^sshd: .* -p 222[2] ')`);
  });

  test.each([
    ["a file", "sed -i 's/^#Port 22$/Port 2222/' /etc/ssh/sshd_config"],
    ["an option of the service", "echo 'SSHD_OPTS=-p2222' >/etc/default/ssh"],
  ])(
    "a port that a restart alone would change, by %s, stops the fix: no undo brings it back",
    async (_, change) => {
      await fresh();
      await host.must(`cp /etc/default/ssh /root/default 2>/dev/null; ${change}`);
      const stopped = await host.run(`${PROGRAM} audit --fix`);
      expect(stopped.code).toBe(1);
      expect(stopped.stderr).toMatch(
        /nothing was changed: sshd would not come back .*it would not listen on 0\.0\.0\.0:22 and \[::\]:22 any more: /,
      );
      expect(await tryLogins(host)).toEqual(OPEN);
      await host.must("rm /etc/default/ssh; [ ! -e /root/default ] || mv /root/default /etc/default/ssh");
    },
  );

  test.each([
    ["AllowUsers deploy", "AllowUsers does not name root"],
    ["PubkeyAuthentication no", "PubkeyAuthentication is no"],
    [
      "AuthorizedKeysFile /etc/ssh/keys/%u\\nPasswordAuthentication no",
      "no key of that account is there, and nothing else is taken",
    ],
  ])(
    "a change that sshd has not read yet, and that would lock out who is logged in, stops the fix: %s",
    async (line, because) => {
      await fresh();
      await host.must(`sleep 1.2; sed -i '1i${line}' /etc/ssh/sshd_config`);
      const stopped = await host.run(`${SSH} root@127.0.0.1 '${PROGRAM} audit --fix --confirm 1'`);
      expect(stopped.stderr).toMatch(
        /nothing was changed: sshd has not read \/etc\/ssh\/sshd_config as it is now, .*under it root \(process \d+\) could not log in: .*\. Restart sshd first \(systemctl restart ssh\.service\) and log in anew; /,
      );
      expect(stopped.stderr).toContain(`) could not log in: ${because}. `);
      expect(stopped.code).toBe(1);
      expect(await tryLogins(host)).toEqual(OPEN);
    },
  );

  test("another change that sshd has not read yet is told, since no undo takes it back; a reload has read it", async () => {
    await fresh();
    await host.must("sleep 1.2; sed -i '1iClientAliveInterval 7' /etc/ssh/sshd_config");
    const told = /^ +\/etc\/ssh\/sshd_config {2}was changed since sshd read it: the restart takes/m;
    const inside = `${SSH} root@127.0.0.1 '${PROGRAM} audit --fix --dry-run'`;
    const unread = await host.run(inside);
    expect(unread.stderr).toMatch(told);
    expect(unread.stderr).toMatch(/^write +left out: a dry run/m);
    await host.must("systemctl reload ssh; sleep 1");
    expect((await host.run(inside)).stderr).not.toMatch(told);
  });

  test("where nobody answered before, nobody must answer afterwards: an sshd in a network namespace of its own", async () => {
    await fresh();
    await host.must(
      `ip netns add management; mkdir -p /etc/systemd/system/ssh.service.d
       printf '[Service]\nNetworkNamespacePath=/run/netns/management\n' >/etc/systemd/system/ssh.service.d/net.conf
       systemctl daemon-reload; systemctl restart ssh`,
    );
    const fixed = await host.run(`${PROGRAM} audit --fix`);
    expect(fixed.code).toBe(0);
    expect(fixed.stderr).toMatch(
      /active, new pid \d+; listens, as before, where nothing answers from here: 0\.0\.0\.0:22 and \[::\]:22$/m,
    );
    const undone = await host.run(
      `cp /root/stock/sshd_config /etc/ssh/; systemctl restart ssh; ${PROGRAM} audit --fix --confirm 1`,
    );
    expect(undone.stderr).toMatch(/^waiting {2}failed: not confirmed: everything was put back$/m);
    await host.must(
      "rm -r /etc/systemd/system/ssh.service.d; systemctl daemon-reload; systemctl restart ssh",
    );
  });

  test("--reload keeps the process", async () => {
    await fresh();
    const pid = await host.must("systemctl show --value -p MainPID ssh");
    const reloaded = await host.run(`${PROGRAM} audit --fix --reload`);
    expect(reloaded.stderr).toMatch(
      new RegExp(`^restart {2}systemctl reload ssh\\.service: active, pid ${pid} has`, "m"),
    );
    expect(await tryLogins(host)).toEqual(CLOSED);
  });

  test("an undo restarts sshd where /proc/uptime is a container's own, as lxcfs makes it", async () => {
    await fresh();
    await host.must("echo 5.00 5.00 >/run/uptime; mount --bind /run/uptime /proc/uptime");
    const undone = await host.run(`${PROGRAM} audit --fix --confirm 1`);
    await host.must("umount /proc/uptime");
    expect(undone.code).toBe(4);
    expect(await tryLogins(host)).toEqual(OPEN);
  });

  test("a watcher that systemd may not run, as SELinux keeps it from a home, is a process", async () => {
    await fresh();
    const unit = "/etc/systemd/system/sshd-policy-.service.d";
    await host.must(
      `mkdir ${unit}; printf '[Service]\nInaccessiblePaths=/opt/sshd-policy\n' >${unit}/x.conf; systemctl daemon-reload`,
    );
    const undone = await host.run(`${PROGRAM} audit --fix --confirm 1`);
    await host.must(`rm -r ${unit}; systemctl daemon-reload`);
    expect(undone.stderr).toMatch(/^arm +undone by process \d+ unless it is confirmed/m);
    expect(undone.code).toBe(4);
    expect(await tryLogins(host)).toEqual(OPEN);
  });

  test("a unit that would end the sessions with the service is not restarted, only reloaded", async () => {
    await fresh();
    await host.must(
      `mkdir -p /etc/systemd/system/ssh.service.d; printf '[Service]\\nKillMode=control-group\\n' >/etc/systemd/system/ssh.service.d/kill.conf
       sed -i 's/^UsePAM yes/UsePAM no/' /etc/ssh/sshd_config; systemctl daemon-reload; systemctl restart ssh`,
    );
    const inside = (words: string): Promise<Ran> =>
      host.run(`${SSH} root@127.0.0.1 '${PROGRAM} audit --fix ${words}'`);
    const stopped = await inside("");
    expect(stopped.stderr).toContain(
      "a restart would end 1 open session (KillMode of the unit): --reload keeps them",
    );
    expect(stopped.code).toBe(1);
    expect(await inside("--reload")).toMatchObject({ code: 0 });
    expect(await tryLogins(host)).toEqual(CLOSED);
    await host.must("rm -r /etc/systemd/system/ssh.service.d; systemctl daemon-reload");
  });

  test("an sshd for every connection (Accept=yes) is not restarted", async () => {
    await fresh();
    await host.must(
      `systemctl stop ssh.service
       sed s/Accept=no/Accept=yes/ /lib/systemd/system/ssh.socket >/etc/systemd/system/ssh.socket
       printf '[Service]\\nExecStart=-/usr/sbin/sshd -i\\nStandardInput=socket\\nRuntimeDirectory=sshd\\nRuntimeDirectoryPreserve=yes\\n' >/etc/systemd/system/ssh@.service
       systemctl daemon-reload; systemctl start ssh.socket`,
    );
    expect(await tryLogins(host)).toEqual(OPEN);
    const fixed = await host.run(`${PROGRAM} audit --fix`);
    expect(fixed).toMatchObject({ code: 0, stderr: expect.stringContaining("answers on [::]:22") });
    expect(await tryLogins(host)).toEqual(CLOSED);
    await host.must("systemctl stop ssh.socket; rm /etc/systemd/system/ssh.socket; systemctl daemon-reload");
  });

  test("an sshd that s6 supervises is recognised, and restarted as its owner says", async () => {
    await fresh();
    await host.must(
      `systemctl stop ssh.service; mkdir -p /run/sshd /run/service/sshd; cd /run/service/sshd
       printf '#!/bin/bash\\nwhile :; do /usr/sbin/sshd -D; done\\n' >/root/s6-supervise; chmod +x /root/s6-supervise
       mount -t tmpfs none /run/systemd/system; umount /run/systemd/system; mv /run/systemd/system /run/systemd/hidden
       setsid /root/s6-supervise </dev/null >/dev/null 2>&1 & sleep 1`,
    );
    const asked = await host.run(`${PROGRAM} audit --fix`);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain(
      "(s6): give its restart command with --restart-command 's6-svc -r /run/service/sshd'",
    );
    expect(await tryLogins(host)).toEqual(OPEN);
    const told = await host.run(`${PROGRAM} audit --fix --restart-command 'kill $(cat /run/sshd.pid)'`);
    expect(told.stderr).toMatch(/^restart {2}.*active, new pid/m);
    expect(told.code).toBe(0);
    expect(await tryLogins(host)).toEqual(CLOSED);
    await host.must(
      "mv /run/systemd/hidden /run/systemd/system; pkill s6-supervise; kill $(cat /run/sshd.pid)",
    );
  });
});

/** A container: its first process is sshd itself, or an entry point with sshd below it. */
const CONTAINERS: Readonly<Record<string, string>> = {
  "sshd as the first process": "exec /usr/sbin/sshd -D -e",
  "sshd below an entry point": "/usr/sbin/sshd -D & wait",
};

describe.each(Object.entries(CONTAINERS))("a container, %s", (_, start) => {
  whenBootable("bookworm")("audit --fix", () => {
    const install = (host: LabHost): void => {
      installProgram(host);
      // what the booter starts; an executable in the layer hides the init of the base
      host.write("/usr/sbin/entry", `mkdir -p /run/sshd\n${start}\n`);
      host.write("/usr/sbin/init", "#!/bin/sh\nexec /bin/bash /usr/sbin/entry\n", 0o755);
    };
    const host = shareHost("bookworm", install);
    const stay: Pick<Way, "restart"> = { restart: "kill -HUP $(cat /run/sshd.pid); sleep 0.5" };

    test("reloads it with SIGHUP and keeps the container", async () => {
      await host.must(
        `${makeAccount("alice")}; useradd -m deploy; usermod -p '*' deploy; cp -r /home/alice/.ssh /home/deploy/; chown -R deploy /home/deploy`,
      );
      await host.must(stay.restart);
      expect(await tryLogins(host)).toEqual(OPEN);
      const fixed = await host.run(`${PROGRAM} audit --fix`);
      expect(fixed.stderr).toMatch(/^restart {2}kill -HUP \d+: active, pid \d+ has read its files again, /m);
      expect(fixed.code).toBe(0);
      expect(await tryLogins(host)).toEqual(CLOSED);
    });

    test("says that a restart of the container does not undo a fix that waits", async () => {
      await host.must(
        "sed -i 's/^AllowTcpForwarding no/#AllowTcpForwarding yes/' /etc/ssh/sshd_config; kill -HUP $(cat /run/sshd.pid); sleep 1",
      );
      expect(await tryLogins(host)).toEqual(OPEN);
      const waited = await host.run(`${PROGRAM} audit --fix --confirm 2`);
      expect(waited.code).toBe(4);
      expect(waited.stderr).toMatch(/^arm .*a restart of this container does not undo it$/m);
      expect(await tryLogins(host)).toEqual(OPEN);
    });
  });
});
