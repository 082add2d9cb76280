/**
 * How existing repairs fail, each as a test of `audit --fix` on a booted host: the file that is changed, what stays as it
 * was, and a server that runs in the end.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LabHost, layerHost, type Ran } from "../lab/hosts.ts";
import { installBundle, LINK_COMMAND } from "../lab/installed.ts";
import { whenBootable } from "../lab/sharing.ts";

const MAIN = "/etc/ssh/sshd_config";
const DROP_IN = "/etc/ssh/sshd_config.d/50-cloud-init.conf";
const INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf\n";
const ONLY = "audit --rule tcp-forwarding --rule reopened-by-match";
const FIX = `sshd-policy ${ONLY} --fix --confirm 0`;
const HASHES =
  "cd /etc/ssh && find . -name 'sshd_config*' -type f -o -name '*.conf' -type f | sort | xargs md5sum";

whenBootable("bookworm")("audit --fix", () => {
  const host: LabHost = layerHost("bookworm");

  beforeAll(async () => {
    installBundle(host);
    await host.boot();
    await host.must(LINK_COMMAND);
  });
  afterAll(() => host.remove());

  beforeEach(async () => {
    await host.must(
      `[ ! -e /srv/sshd ] || mv /srv/sshd /usr/sbin; rm -rf /etc/ssh/sshd_config* /srv/* /var/lib/sshd-policy; mkdir /etc/ssh/sshd_config.d; printf '' >${MAIN}; systemctl reset-failed ssh; systemctl restart ssh`,
    );
  });

  const put = async (path: string, text: string): Promise<void> => {
    await host.must(`mkdir -p "$(dirname ${path})"; printf '%s' '${text.replaceAll("'", "'\\''")}' >${path}`);
    await host.must("systemctl restart ssh");
  };
  const textOf = async (path: string): Promise<string> => (await host.run(`cat ${path}`)).stdout;
  const saysOf = async (user: string): Promise<string> =>
    host.must(
      `/usr/sbin/sshd -T -C user=${user},host=192.0.2.9,addr=192.0.2.9,laddr=192.0.2.1,lport=22 | sed -n 's/^allowtcpforwarding //p'`,
    );
  const pidOf = (): Promise<string> => host.must("systemctl show -P MainPID ssh");
  /** Runs a fix that must not come about: nothing is other than before, and sshd answers. */
  const expectUntouched = async (command: string, code: number, because: RegExp): Promise<Ran> => {
    const before = await host.must(HASHES);
    const ran = await host.run(command);
    expect(ran.stderr).toMatch(because);
    expect(ran.code).toBe(code);
    expect(await host.must(HASHES)).toBe(before);
    expect(await host.must("find /etc/ssh -name '.*' | wc -l")).toBe("0");
    expect(await host.must("exec 3<>/dev/tcp/127.0.0.1/22; head -c 4 <&3")).toBe("SSH-");
    return ran;
  };

  test("1: behind a Match at the end, the line counts for everybody", async () => {
    await put(MAIN, "UsePAM yes\nMatch User bob\n  X11Forwarding no\n");
    const pid = await pidOf();
    const { code, stderr } = await host.run(FIX);
    expect(stderr).toMatch(/^restart +systemctl restart ssh.service: active, new pid/m);
    expect(code).toBe(0);
    expect(await textOf(MAIN)).toBe(
      "UsePAM yes\nAllowTcpForwarding no\nMatch User bob\n  X11Forwarding no\n",
    );
    expect([await saysOf("alice"), await saysOf("bob")]).toEqual(["no", "no"]);
    expect(await pidOf()).not.toBe(pid);
    // a second run changes nothing and restarts nothing
    const again = await pidOf();
    expect((await host.run(FIX)).code).toBe(0);
    expect(await pidOf()).toBe(again);
  });

  test("2: the drop-in that wins is changed, in its own file, and one that nothing includes is not", async () => {
    await put(MAIN, `${INCLUDE}AllowTcpForwarding no\n`);
    await put(DROP_IN, "AllowTcpForwarding yes\n");
    expect((await host.run(FIX)).code).toBe(0);
    expect(await textOf(DROP_IN)).toBe("AllowTcpForwarding no\n");
    expect(await saysOf("alice")).toBe("no");
    await put(MAIN, "AllowTcpForwarding yes\n");
    await put(DROP_IN, "AllowTcpForwarding yes\n");
    expect((await host.run(FIX)).code).toBe(0);
    expect(await textOf(DROP_IN)).toBe("AllowTcpForwarding yes\n");
    expect(await saysOf("alice")).toBe("no");
  });

  test.each([
    ["AllowTcpForwarding=yes\n", "AllowTcpForwarding=no\n"],
    ['allowtcpforwarding "yes"\n', 'allowtcpforwarding "no"\n'],
    ['"AllowTcpForwarding" YES\n', '"AllowTcpForwarding" no\n'],
  ])("3: %j is recognised, no second line is added", async (before, after) => {
    await put(MAIN, before);
    expect((await host.run(FIX)).code).toBe(0);
    expect(await textOf(MAIN)).toBe(after);
    expect(await saysOf("alice")).toBe("no");
  });

  test("4: an exception that somebody wrote stays, with the comment that explains it", async () => {
    const exception =
      "# deploy needs the database, ticket 4711\nMatch User deploy\n  AllowTcpForwarding local\n  PermitOpen db:5432\n";
    await put(MAIN, `AllowTcpForwarding yes\n${exception}`);
    const { code, stderr } = await host.run(FIX);
    expect(stderr).toContain("who loses: everybody, except user deploy, loses -L -D -W -J");
    expect(code).toBe(1);
    expect(await textOf(MAIN)).toBe(`AllowTcpForwarding no\n${exception}`);
    const closed = await host.run(`${FIX} --unsafe-fixes`);
    expect(closed.stderr).toContain("who loses: user deploy loses -L -D -W -J to db:5432");
    expect(closed.code).toBe(0);
    expect(await saysOf("deploy")).toBe("no");
  });

  test("a member of a group is asked for by an account that is one", async () => {
    await put(MAIN, "AllowTcpForwarding no\nMatch Group adm,!root\n  AllowTcpForwarding yes\n");
    await host.must("id reader >/dev/null 2>&1 || useradd -G adm reader");
    const { code, stderr } = await host.run("sshd-policy audit --fix --unsafe-fixes --confirm 0");
    expect(stderr).toMatch(/^ *(proof +)?sshd -T -C user=reader,.*: .*allowtcpforwarding no/m);
    expect(code).toBe(0);
    expect(await saysOf("reader")).toBe("no");
  });

  test("5: link, line ends, mode, owner, ACL and attributes are kept", async () => {
    const place = "/etc/ssh/managed.conf";
    await put(place, "UsePAM yes\r\nAllowTcpForwarding yes\r\n");
    await host.must(
      `chmod 640 ${place}; chown root:adm ${place}; setfacl -m u:daemon:r ${place}; setfattr -n trusted.origin -v puppet ${place}; ln -sf managed.conf ${MAIN}`,
    );
    const facts = `stat -c '%a %U %G' ${place}; getfacl -pn ${place}; getfattr -dm - ${place}; readlink ${MAIN}`;
    const before = await host.must(facts);
    expect(before).toMatch(/user:1:r--[\s\S]*trusted.origin="puppet"/);
    const { code, stderr } = await host.run(FIX);
    expect(stderr).toContain("new pid");
    expect(code).toBe(0);
    expect(await textOf(place)).toBe("UsePAM yes\r\nAllowTcpForwarding no\r\n");
    expect(await host.must(facts)).toBe(before);
  });

  test("6: what sshd would not start with is not written", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    await host.must(`echo 'Subsystem sftp' >>${MAIN}`);
    await expectUntouched(FIX, 1, /sshd refuses to start as everything is: .*Missing subsystem command/);
    await expectUntouched(
      `${FIX} --no-restart`,
      1,
      /test +failed: sshd refuses the result: .*Missing subsystem command/,
    );
  });

  describe("7: a restart that goes wrong is taken back", () => {
    test.each([
      ["the wrong unit", "systemctl restart sshd-server.service", /failed.*sshd-server.service not found/],
      ["sshd stays down", "systemctl stop ssh; exit 1", /failed \(1\)/],
      ["nothing happens", "true", /the old sshd is still the one that listens/],
      [
        "its port is taken",
        `systemctl stop ssh; node -e "require(\\"net\\").createServer().listen(22); setTimeout(process.exit, 60000)" </dev/null >/dev/null 2>&1 & echo $! >/srv/taker; sleep 1; systemctl start ssh`,
        /put back: .*(failed|answers)/,
      ],
    ])("%s", async (_, command, because) => {
      await put(MAIN, "AllowTcpForwarding yes\n");
      // the owner's command fails once, then it works
      await host.must(
        `printf '%s\\n' '#!/bin/sh' 'if mkdir /srv/once 2>/dev/null; then' '${command.replaceAll("'", "'\\''")}' 'else kill $(cat /srv/taker) 2>/dev/null; sleep 0.5; systemctl reset-failed ssh; systemctl restart ssh; fi' >/srv/restart; chmod +x /srv/restart`,
      );
      await expectUntouched(`${FIX} --restart-command /srv/restart`, 4, because);
      expect(await saysOf("alice")).toBe("yes");
    });
  });

  test("a --restart-command that never works costs nothing: sshd runs as before, and no later fix is in its way", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    const pid = await pidOf();
    const { stderr } = await expectUntouched(
      `${FIX} --restart-command false`,
      4,
      /put back: "\/bin\/sh -c false"/,
    );
    expect(stderr).toMatch(
      /^undo +everything is as it was; sshd was never restarted: pid \d+ runs as before$/m,
    );
    expect(stderr).not.toContain("NOT everything");
    expect(await pidOf()).toBe(pid);
    expect((await host.run(FIX)).code).toBe(0);
  });

  /** The last run, as one that was interrupted in its undo. */
  const reopen = (change: string): Promise<string> =>
    host.must(
      `cd "$(ls -d /var/lib/sshd-policy/2* | tail -n 1)"; node -e 'const fs = require("fs"); const journal = JSON.parse(fs.readFileSync("journal.json")); journal.state = "undoing"; ${change} fs.writeFileSync("journal.json", JSON.stringify(journal))'`,
    );

  test("a --restart-command that ends sshd and fails is rescued; a later recover ends no sshd that was started since", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    const { stderr } = await expectUntouched(
      `${FIX} --restart-command 'systemctl stop ssh; exit 1'`,
      4,
      /A RESCUE SSHD SERVES LOGINS IN ITS PLACE.*: systemctl stop sshd-policy-rescue\.service; systemctl reset-failed ssh\.service; systemctl start ssh\.service$/m,
    );
    expect(stderr).not.toContain("tries again");
    expect(await host.run("sshd-policy recover")).toMatchObject({ code: 0 });
    await expectUntouched(FIX, 1, /the rescue sshd of an earlier fix listens/);
    await host.must("systemctl stop sshd-policy-rescue.service; systemctl start ssh.service");
    // as an earlier build left it, which knew of no rescue
    await reopen("delete journal.service.old; delete journal.service.rescue;");
    const pid = await pidOf();
    const recovered = await host.run("sshd-policy recover");
    expect(recovered.stderr).toMatch(/^recover .*; sshd was started anew meanwhile: pid \d+$/m);
    expect(recovered.code).toBe(0);
    expect(await pidOf()).toBe(pid);
  });

  test("an sshd that its unit has started and will end again is no service that is up", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    const unit = "/etc/systemd/system/ssh.service.d";
    await host.must(
      `mkdir ${unit}; printf '[Service]\\nExecStartPost=/bin/sh -c "sleep 1.5; ! test -e /srv/broken"\\n' >${unit}/late.conf; systemctl daemon-reload; systemctl restart ssh; sleep 0.3; touch /srv/broken`,
    );
    await expectUntouched(FIX, 4, /A RESCUE SSHD SERVES LOGINS IN ITS PLACE/);
    await reopen("");
    await host.must(
      "systemctl stop sshd-policy-rescue.service; systemctl start --no-block ssh.service; sleep 0.7",
    );
    const recovered = await host.run("sshd-policy recover");
    await host.must(
      `rm -r ${unit} /srv/broken; systemctl daemon-reload; systemctl stop sshd-policy-rescue.service; systemctl restart ssh`,
    );
    expect(recovered.stderr).toMatch(/^recover .*not undone\n.*A RESCUE SSHD SERVES LOGINS IN ITS PLACE/m);
    expect(recovered.code).toBe(3);
  });

  test("an sshd that would not come back from a restart is not restarted, also where nothing is tested", async () => {
    await put(MAIN, `${INCLUDE}AllowTcpForwarding yes\n`);
    await host.must(`echo Nonsense yes >${DROP_IN}`);
    await expectUntouched(
      `${FIX} --no-validate`,
      1,
      /would not come back from a restart.*: Nonsense; mend that first; --no-restart/,
    );
    expect((await host.run(`${FIX} --no-validate --no-restart`)).stderr).toMatch(
      /^restart +left out|^write/m,
    );
    expect(await textOf(MAIN)).toContain("AllowTcpForwarding no");
  });

  test("a link out of the folder is not followed; the file itself can be named", async () => {
    await put("/srv/outside.conf", "AllowTcpForwarding yes\n");
    await host.must(`ln -sf /srv/outside.conf ${MAIN}; systemctl restart ssh`);
    await expectUntouched(FIX, 1, /\/srv\/outside.conf, outside \/etc\/ssh/);
    expect(await textOf("/srv/outside.conf")).toBe("AllowTcpForwarding yes\n");
    expect((await host.run(`${FIX} /srv/outside.conf`)).code).toBe(0);
    expect(await host.must(`cat ${MAIN}; readlink ${MAIN}`)).toBe("AllowTcpForwarding no\n/srv/outside.conf");
  });

  test("hard links are refused", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    await host.must(`ln ${MAIN} /srv/second`);
    await expectUntouched(FIX, 1, /has 2 hard links/);
  });

  test("an immutable file is refused", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    // a tmpfs before Linux 6.6 knows no immutable files
    if ((await host.run(`chattr +i ${MAIN}`)).code !== 0) return;
    await expectUntouched(FIX, 1, /it or its folder is immutable \(lsattr\)/);
    await host.must(`chattr -i ${MAIN}`);
  });

  test("a file that is mounted by itself, as into a container, is refused", async () => {
    await put("/srv/mounted", "AllowTcpForwarding yes\n");
    await host.must(`mount --bind /srv/mounted ${MAIN}`);
    await expectUntouched(FIX, 1, /is mounted there by itself \(a container's volume\)/);
    await host.must(`umount ${MAIN}`);
  });

  test("a dry run does every step but the swap", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    await expectUntouched(`${FIX} --dry-run`, 1, /^test +sshd -t on the staged files: ok/m);
    expect(await host.must("ls /var/lib/sshd-policy")).toBe("log");
  });

  test("events that cannot be written end it before anything is done", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    const where = "--events /nonexistent/events";
    await expectUntouched(
      `${FIX} ${where}`,
      2,
      /^sshd-policy: --events \/nonexistent\/events cannot be written: no such/,
    );
    await expectUntouched(`${FIX} --dry-run ${where}`, 2, /cannot be written/);
  });

  test("events are JSON lines, and the log is for people", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    expect((await host.run(`${FIX} --quiet --events /srv/events`)).stderr).toBe("");
    const steps = (await textOf("/srv/events"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const ended = steps.filter(({ state }) => state === "ok").map(({ step }) => step);
    expect(ended).toEqual(
      expect.arrayContaining(["plan", "use", "backup", "stage", "test", "write", "restart", "proof"]),
    );
    expect(await textOf("/var/lib/sshd-policy/log")).toMatch(
      / restart ok: systemctl restart ssh.service: active/,
    );
    expect(await host.must("stat -c %a /var/lib/sshd-policy /var/lib/sshd-policy/*/* | sort -u")).toBe(
      "600\n700",
    );
  });

  test("killed in the middle, the next call undoes it first; another run at the same time is refused", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    await host.must(
      `printf '#!/bin/sh\\nmkdir /srv/once 2>/dev/null && systemctl stop ssh && touch /srv/down && sleep 60; systemctl restart ssh' >/srv/restart; chmod +x /srv/restart; ${FIX} --restart-command /srv/restart >/dev/null 2>&1 & echo $! >/srv/pid; for i in $(seq 300); do [ -e /srv/down ] && break; sleep 0.1; done`,
    );
    expect(await textOf(MAIN)).toBe("AllowTcpForwarding no\n");
    const second = await host.run(FIX);
    expect(second.stderr).toMatch(/another run is at work on this host \(process \d+\)/);
    expect(second.code).toBe(1);
    await host.must("kill -9 $(cat /srv/pid)");
    const recovered = await host.run("sshd-policy recover");
    expect(recovered.stderr).toMatch(
      /^recover +the run of .*: undone, everything is as it was before it; .*new pid/m,
    );
    expect(recovered.code).toBe(0);
    expect(await textOf(MAIN)).toBe("AllowTcpForwarding yes\n");
    expect(await host.must("find /etc/ssh -name '.*' | wc -l")).toBe("0");
  });

  test.each([
    ["TERM", 4, "yes"],
    ["HUP", 0, "no"],
  ])(
    "SIG%s in the middle ends with exit code %i: a cut connection is no reason to stop",
    async (signal, code, says) => {
      await put(MAIN, "AllowTcpForwarding yes\n");
      const restart = "touch /srv/begun; sleep 1; systemctl restart ssh";
      const ran = await host.run(
        `${FIX} --restart-command '${restart}' & for i in $(seq 300); do [ -e /srv/begun ] && break; sleep 0.1; done; kill -${signal} $!; wait $!`,
      );
      expect(ran.stderr).toMatch(code === 4 ? /put back: stopped by SIGTERM/ : /^proof /m);
      expect(ran.code).toBe(code);
      expect(await saysOf("alice")).toBe(says);
    },
  );

  test("without mount namespaces, as in a container, a copy is tested", async () => {
    await put(MAIN, `${INCLUDE}UsePAM yes\n`);
    await put(DROP_IN, "AllowTcpForwarding yes\n");
    const without = "setpriv --bounding-set -sys_admin --inh-caps -sys_admin";
    const { code, stderr } = await host.run(`${without} ${FIX}`);
    expect(stderr).toMatch(/test +sshd -t on a copy with rewritten Includes: ok/);
    expect(code).toBe(0);
    expect(await textOf(DROP_IN)).toBe("AllowTcpForwarding no\n");
    expect(await host.must("find /var/lib/sshd-policy -name 'copy*' | wc -l")).toBe("0");
  });

  test("without /run/sshd, which sshd's service makes, the test makes it for itself", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    await host.must("rmdir /run/sshd");
    const { code, stderr } = await host.run(`${FIX} --no-restart`);
    expect(stderr).toMatch(/test +sshd -t on the staged files: ok/);
    expect(stderr).toMatch(/restart +left out/);
    expect(code).toBe(0);
    expect((await host.run("ls /run/sshd")).code).not.toBe(0);
  });

  test("without an sshd that can be run, --no-validate is asked for", async () => {
    await put(MAIN, "AllowTcpForwarding yes\n");
    await host.must("mv /usr/sbin/sshd /srv/sshd");
    await expectUntouched(FIX, 1, /\/usr\/sbin\/sshd, which runs, is not there any more: install it again/);
    await expectUntouched(`${FIX} --no-restart`, 1, /--no-validate goes on without/);
    expect((await host.run(`${FIX} --no-validate --no-restart`)).code).toBe(0);
    await host.must("mv /srv/sshd /usr/sbin/sshd");
    expect(await saysOf("alice")).toBe("no");
  });

  test("another user than root is told so, and can try what needs no root", async () => {
    await put(MAIN, `${INCLUDE}UsePAM yes\n`);
    await put(DROP_IN, "AllowTcpForwarding yes\n");
    const nobody = "setpriv --reuid nobody --regid nogroup --clear-groups";
    await expectUntouched(`${nobody} ${FIX}`, 1, /run it with sudo/);
    await expectUntouched(
      `${nobody} ${FIX} --dry-run`,
      1,
      /test +sshd -t on a copy with rewritten Includes and with a host key of the test's own: ok/,
    );
    expect(await host.must("ls /tmp | grep -c sshd-policy; true")).toBe("0");
    await host.must(`echo 'Subsystem sftp' >>${MAIN}`);
    await expectUntouched(`${nobody} ${FIX} --dry-run`, 1, /test +failed: .*Missing subsystem command/);
  });
});
