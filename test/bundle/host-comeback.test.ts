/** A host that is reached only over SSH keeps its sshd, whatever was broken before the fix or breaks beside it. */
import { beforeAll, expect, test } from "vitest";
import { installProgram, PROGRAM, tryLogins, WAYS, type Way } from "../lab/fixing.ts";
import { makeAccount } from "../lab/login.ts";
import { shareHost, whenBootable } from "../lab/sharing.ts";

interface Breakage {
  readonly what: string;
  readonly script: string;
  readonly mend: string;
  readonly because: RegExp;
}

/** What is changed counts from a tenth of a second after the start. */
const LATER = "sleep 0.3";
const NOT_TO_BE_RUN = "/etc/ssh/sshd_not_to_be_run";
const UNIT = "/etc/systemd/system/ssh.service.d";
const RELOAD = "systemctl daemon-reload";

const EVERYWHERE: readonly Breakage[] = [
  {
    what: "a line that sshd refuses",
    script: "echo Nonsense yes >/etc/ssh/sshd_config.d/new.conf",
    mend: "rm /etc/ssh/sshd_config.d/new.conf",
    because:
      /refuses to start as everything is: .*new\.conf: line 1: Bad configuration option: Nonsense; mend/,
  },
  {
    what: "no host keys any more",
    script: "mkdir /root/keys; mv /etc/ssh/ssh_host_* /root/keys",
    mend: "mv /root/keys/* /etc/ssh; rmdir /root/keys",
    because: /refuses to start as everything is: sshd: no hostkeys available/,
  },
  {
    what: "the folder of privilege separation is gone",
    script: "rmdir /run/sshd",
    mend: "mkdir -m 0755 /run/sshd",
    because: /Missing privilege separation directory: \/run\/sshd; mend that first/,
  },
  {
    what: "the program is gone",
    script: "mv /usr/sbin/sshd /root",
    mend: "mv /root/sshd /usr/sbin",
    because: /\/usr\/sbin\/sshd, which runs, is not there any more: install it again/,
  },
  {
    what: "a program that was replaced by one that does not start",
    script:
      "mv /usr/sbin/sshd /root; printf '#!/bin/sh\\necho no such library >&2; exit 1\\n' >/usr/sbin/sshd; chmod +x /usr/sbin/sshd",
    mend: "mv /root/sshd /usr/sbin",
    because: /refuses to start as everything is: no such library/,
  },
];

const notToBeRun = (because: RegExp): Breakage => ({
  what: NOT_TO_BE_RUN,
  script: `touch ${NOT_TO_BE_RUN}`,
  mend: `rm ${NOT_TO_BE_RUN}`,
  because,
});

const OF_A_SCRIPT = notToBeRun(/sshd_not_to_be_run keeps its script from starting it: remove that file/);

const BREAKAGES: Readonly<Record<string, readonly Breakage[]>> = {
  "ssh.service": [
    ...EVERYWHERE,
    notToBeRun(/its ConditionPathExists=!\/etc\/ssh\/sshd_not_to_be_run does not hold/),
    {
      what: "a drop-in that systemd has read",
      script: `${LATER}; mkdir ${UNIT}; printf '[Service]\\nExecStartPre=/bin/false\\n' >${UNIT}/own.conf; ${RELOAD}`,
      mend: `rm -r ${UNIT}; ${RELOAD}`,
      because:
        /ssh\.service\.d\/own\.conf was changed since it started, .*: systemctl restart ssh\.service does/,
    },
    {
      what: "a drop-in that systemd has not read",
      script: `mkdir ${UNIT}; printf '[Service]\\nExecStartPre=/bin/false\\n' >${UNIT}/own.conf`,
      mend: `rm -r ${UNIT}; ${RELOAD}`,
      because: /systemd has not read yet what was changed of ssh\.service: systemctl daemon-reload &&/,
    },
    {
      what: "options in its environment that sshd refuses",
      script: `${LATER}; echo 'SSHD_OPTS="-o Nonsense=1"' >/etc/default/ssh`,
      mend: "echo >/etc/default/ssh",
      because: /Bad configuration option: Nonsense.*\/etc\/default\/ssh was changed since it started/,
    },
    {
      what: "a unit that is masked",
      script: "systemctl mask --runtime ssh.service",
      mend: "systemctl unmask --runtime ssh.service",
      because: /ssh\.service is masked: unmask it first/,
    },
  ],
  // what sshd itself is asked is the same everywhere
  sysv: [
    ...EVERYWHERE.slice(0, 1),
    OF_A_SCRIPT,
    {
      what: "a script that was edited, with the time of before",
      script: `${LATER}; sed -i '2i# edited' /etc/init.d/ssh; touch -d 2020-01-01 /etc/init.d/ssh`,
      mend: "sed -i 2d /etc/init.d/ssh",
      because: /\/etc\/init\.d\/ssh was changed since it started, .*service ssh restart does/,
    },
  ],
  runit: [
    ...EVERYWHERE.slice(0, 1),
    OF_A_SCRIPT,
    {
      what: "a run that cannot be executed any more",
      script: `${LATER}; chmod -x /etc/sv/ssh/run`,
      mend: "chmod +x /etc/sv/ssh/run",
      because: /\/etc\/sv\/ssh\/run was changed since it started/,
    },
  ],
};

/** Some managers are done before sshd listens. */
const LISTENS =
  "for try in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null && exit; sleep 0.1; done; exit 1";
/** sv takes an sshd that was started in this second for the one that it has restarted. */
const restarted = ({ restart }: Way): string =>
  `old=$(pgrep -o -x sshd || true); ${restart}
   for try in $(seq 100); do new=$(pgrep -o -x sshd || true); [ -n "$new" ] && [ "$new" != "$old" ] && exit; sleep 0.1; done; exit 1`;
const BOTH = ["alice", "deploy"];

for (const [how, breakages] of Object.entries(BREAKAGES)) {
  const way = WAYS.find((one) => one.how === how);
  if (way === undefined) throw new Error(`no way ${how}`);
  whenBootable(way.base)(`would sshd come back, on ${way.base}`, () => {
    const host = shareHost(way.base, installProgram);
    beforeAll(async () => {
      await host.must(`${makeAccount("alice")}; ${makeAccount("deploy")}; ${restarted(way)}`);
    });

    test.each(breakages.map((one) => [one.what, one] as const))("%s stops the fix", async (_, one) => {
      await host.must(LISTENS);
      await host.must(`set -e; ${one.script}`);
      const pid = await host.must("pgrep -o -x sshd");
      const stopped = await host.run(`${PROGRAM} audit --fix --confirm 0`);
      expect(await host.must("pgrep -o -x sshd")).toBe(pid);
      await host.must(`set -e; ${one.mend}; ${restarted(way)}`);
      expect(stopped.stderr).toMatch(/nothing was changed: sshd would not come back from a restart, nor/);
      expect(stopped.stderr).toMatch(one.because);
      expect(stopped.code).toBe(1);
    });

    test("with all of it mended nothing stands in the way", async () => {
      await host.must(LISTENS);
      const fixed = await host.run(`${PROGRAM} audit --fix --confirm 0`);
      expect(fixed).toMatchObject({ code: 0 });
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: [] });
    });
  });
}

/** A start that fails for a reason that nobody can see before: the definition is as it was tried. */
const BY_UNIT = `mkdir ${UNIT}; printf '[Service]\\nExecStartPre=/bin/sh -c "! test -e /srv/broken"\\n' >${UNIT}/own.conf; ${RELOAD}`;
const BY_SCRIPT =
  "sed -i 's|^\\s*if start-stop-daemon --start|if test -e /srv/broken; then exit 1; fi; &|' /etc/init.d/ssh";
const OUTSIDE: readonly (readonly [base: string, how: string, script: string])[] = [
  ["bookworm", "ssh.service", BY_UNIT],
  [
    "bookworm",
    "ssh.socket",
    `systemctl disable --now ssh.service; systemctl enable --now ssh.socket; ${BY_UNIT}`,
  ],
  ["trixie", "ssh.service", BY_UNIT],
  ["bookworm-sysv", "sysv", BY_SCRIPT],
  ["bookworm-openrc", "openrc", BY_SCRIPT],
  ["bookworm-runit", "runit", "sed -i '3itest -e /srv/broken && exit 162' /etc/sv/ssh/run"],
];

for (const [base, how, script] of OUTSIDE) {
  const way = WAYS.find((one) => one.how === how && one.base === base);
  if (way === undefined) throw new Error(`no way ${base}, ${how}`);
  whenBootable(base)(`a service that stays down, ${base}, ${how}`, () => {
    const host = shareHost(base, installProgram);
    beforeAll(async () => {
      await host.must(
        `${makeAccount("alice")}; ${makeAccount("deploy")}; set -e; ${script}; ${way.restart}; sleep 0.3`,
      );
      await host.must(LISTENS);
    });

    test("a rescue sshd lets in whom the old policy lets in, and what it says brings the service back", async () => {
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: BOTH });
      // an sshd elsewhere is no way in for whom the firewall keeps from there
      await host.must("/usr/sbin/sshd -p 2222 -o PidFile=none; touch /srv/broken");
      const rescued = await host.run(`${PROGRAM} audit --fix --confirm 0`);
      expect(rescued.stderr).toMatch(/A RESCUE SSHD SERVES LOGINS IN ITS PLACE/);
      expect(rescued.code).toBe(4);
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: BOTH });
      // the run is over: a later one has nothing to recover, and is not in its way
      expect(await host.run(`${PROGRAM} recover`)).toMatchObject({ code: 0 });
      const stopped = await host.run(`${PROGRAM} audit --fix --confirm 0`);
      expect(stopped.stderr).toMatch(
        /nothing was changed: .*: the rescue sshd of an earlier fix listens \(.*\): mend sshd's own service, then /,
      );
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: BOTH });
      // who tries the service in vain does not lose the rescue
      await host.run(way.restart);
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: BOTH });
      const back = /then run in one line: ([^"]*?)(?:; "sshd-policy recover" .*)?$/m.exec(
        rescued.stderr,
      )?.[1];
      await host.must(`rm /srv/broken; ${back}`);
      await host.must(LISTENS);
      const fixed = await host.run(`${PROGRAM} audit --fix --confirm 0`);
      expect(fixed.stderr).toMatch(/^restart +.*: active, /m);
      expect(fixed.code).toBe(0);
      expect(await tryLogins(host)).toEqual({ logins: BOTH, forwards: [] });
    });
  });
}
