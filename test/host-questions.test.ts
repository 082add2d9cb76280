/** What src/host makes of the answers of service managers and of sshd, on a machine that only answers. */
import { describe, expect, test } from "vitest";
import { askSshd } from "../src/host/ask-sshd.ts";
import { bootHook, installHook } from "../src/host/boot-hook.ts";
import type { Daemon } from "../src/host/daemon.ts";
import type { Machine } from "../src/host/machine.ts";
import { rescue, whyRescueFirst } from "../src/host/rescue.ts";
import { findService, type Service } from "../src/host/service.ts";
import { bringBack } from "../src/host/service-record.ts";
import type { Session } from "../src/host/sessions.ts";
import { endangeredSessions, onSystemd, unitObstacles } from "../src/host/systemd.ts";
import { testLive, testStaged } from "../src/host/validate.ts";
import { answering, FILE, type Listener, NOTHING, running } from "./told-machine.ts";

const DAEMON: Daemon = {
  process: { pid: 7, parent: 1, name: "sshd", words: [], program: null, started: 1, image: "" },
  program: "/usr/sbin/sshd",
  options: [],
  configFile: "/etc/ssh/sshd_config",
  listens: new Map(),
};

describe("a unit of systemd", () => {
  const cgroup = { "/proc/7/cgroup": "0::/system.slice/ssh.service\n" };

  test("is changed since its start by what somebody wrote, not by what a generator writes at each reload", async () => {
    const newer = async (path: string, changedMs: number): Promise<readonly string[]> => {
      const stdout = `LoadState=loaded\nFragmentPath=\nDropInPaths=/old ${path}\n`;
      const machine: Machine = {
        ...answering({ stdout }),
        uptime: () => 3600,
        realPath: (one) => one,
        status: (one) => (one === path ? { ...FILE, changedMs } : one === "/old" ? FILE : null),
      };
      return unitObstacles(machine, DAEMON, "ssh.service");
    };
    const minuteAgo = Date.now() - 60_000;
    expect(await newer("/etc/own.conf", minuteAgo)).toEqual([
      "/etc/own.conf was changed since it started, and nobody has tried a start with that: systemctl restart ssh.service does",
    ]);
    expect(await newer("/run/systemd/generator/own.conf", minuteAgo)).toEqual([]);
    expect(await newer("/usr/lib/systemd/system/service.d/10-timeout-abort.conf", minuteAgo)).toEqual([]);
    expect(await newer("/etc/own.conf", Date.now() - 7_200_000)).toEqual([]);
    expect(await newer("/etc/own.conf", Date.now() + 60_000)).toEqual([]);
  });

  /** The reasons where one file was changed a minute ago and systemctl and systemd-analyze say this. */
  const obstacles = (
    stdout: string,
    { file = "#!/bin/sh\n", hardLinks = 1 }: { readonly file?: string; readonly hardLinks?: number } = {},
  ): Promise<readonly string[]> => {
    const changedMs = Date.now() - 60_000;
    const machine: Machine = {
      ...answering({ stdout: `LoadState=loaded\n${stdout}` }, { "/usr/lib/own": file }),
      uptime: () => 3600,
      realPath: (path) => path.replace(/^\/lib/, "/usr/lib"),
      status: (path) => (path === "/usr/lib/own" ? { ...FILE, changedMs, hardLinks } : null),
    };
    return unitObstacles(machine, DAEMON, "ssh.service");
  };

  test("is not changed by a further name of its file, as a backup or OSTree gives it, and is told by one name", async () => {
    const own = "DropInPaths=/lib/own /usr/lib/own";
    expect(await obstacles(own)).toEqual([expect.stringMatching(/^\/usr\/lib\/own was changed/)]);
    expect(await obstacles(own, { hardLinks: 2 })).toEqual([]);
  });

  test("is changed by a script that it runs before, not by the upgrade of a program such as mkdir", async () => {
    const before = "ExecStartPre={ path=/lib/own ; argv[]=/lib/own -p /run/sshd ; ignore_errors=no }";
    expect(await obstacles(before)).toEqual([expect.stringMatching(/^\/lib\/own was changed/)]);
    expect(await obstacles(before, { file: "\x7fELF" })).toEqual([]);
  });

  test("would start where one of several conditions with | holds", async () => {
    const analyzed = "ssh.service: ConditionPathExists=|/none failed.\n";
    expect(await obstacles(`${analyzed}Conditions succeeded.`)).toEqual([]);
    expect(await obstacles(`${analyzed}Conditions failed.`)).toEqual([
      "systemd would not start ssh.service: its ConditionPathExists=|/none does not hold; mend what it asks for",
    ]);
  });

  test("that systemd does not tell of is not to be restarted", async () => {
    expect(await unitObstacles(answering({ status: 1, stderr: "no bus" }), DAEMON, "ssh.service")).toEqual([
      "systemd does not answer (systemctl show ssh.service: no bus): mend that first",
    ]);
  });

  test("that is masked is not to be restarted", async () => {
    expect(await unitObstacles(answering({ stdout: "LoadState=masked\n" }), DAEMON, "ssh.service")).toEqual([
      expect.stringMatching(/^ssh\.service is masked: unmask it first/),
    ]);
  });

  test("ends the sessions of its own cgroup alone, and only where it ends any", () => {
    const session = (pid: number): Session => ({
      ...{ pid, started: 1, user: "root", terminals: [], since: new Date(0) },
      ...{ client: null, server: null, uses: [] },
    });
    const files = {
      ...cgroup,
      "/proc/8/cgroup": "0::/system.slice/ssh.service\n",
      "/proc/9/cgroup": "0::/user.slice/session-1.scope\n",
    };
    const endangered = (killsSessions: boolean): number[] =>
      endangeredSessions(answering({}, files), { killsSessions, daemon: DAEMON }, [
        session(8),
        session(9),
      ]).map(({ pid }) => pid);
    expect([endangered(true), endangered(false)]).toEqual([[8], []]);
  });

  test.each([
    ["process", "try-restart"],
    ["control-group", "try-reload-or-restart"],
  ])("behind a socket, of KillMode %s, is reloaded by %s", async (mode, verb) => {
    const stdout = `ActiveState=active\nAccept=no\nTriggers=ssh.service\nListen=[::]:22 (Stream)\nKillMode=${mode}\n`;
    expect(await onSystemd(answering({ stdout }, cgroup), DAEMON)).toMatchObject({
      kind: "systemd-socket",
      reload: ["systemctl", verb, "ssh.service"],
    });
  });

  test("that is loaded is restarted", async () => {
    const machine = answering({ stdout: "KillMode=process\nLoadState=loaded\n" }, cgroup);
    expect(await onSystemd(machine, DAEMON)).toMatchObject({ kind: "systemd", killsSessions: false });
  });
});

test("the process of a container that has ended gets no signal: its number may be another's", async () => {
  const told: (readonly string[])[] = [];
  const machine: Machine = {
    ...answering({}),
    run: async (argv) => {
      told.push(argv);
      return NOTHING;
    },
  };
  const hangUp = ["kill", "-HUP", "7"];
  const manager = {
    kind: "foreground",
    name: "process 7 in the foreground",
    listens: [],
    restart: hangUp,
    reload: hangUp,
    status: null,
  } as const;
  const question = { configFile: "/etc/ssh/sshd_config", restartCommand: null };
  expect(
    await bringBack(machine, {
      ...question,
      how: "restart",
      silent: [],
      manager,
      old: null,
      rescue: null,
    }).restart(0),
  ).toEqual({
    kind: "down",
    because: "process 7 in the foreground has ended: start sshd again as it was started",
  });
  expect(told).toEqual([]);
});

describe("a rescue sshd", () => {
  const SSHD = "/usr/sbin/sshd";
  interface Down {
    readonly kind?: Service["kind"];
    readonly restart?: Service["restart"];
    readonly listens?: Service["listens"];
    readonly units?: readonly string[];
    /** sshds that run before */
    readonly others?: readonly Listener[];
    /** whether what is started listens */
    readonly starts?: boolean;
  }

  /** What becomes of a service on port 22 that is down, and who runs then. */
  const rescued = async ({
    kind = "sysv",
    restart = null,
    listens = [{ address: "0.0.0.0", port: 22 }],
    units = [],
    others = [],
    starts = true,
  }: Down) => {
    const listeners = [...others];
    const machine: Machine = {
      ...running(listeners),
      startDetached: (words) => {
        if (starts) listeners.push({ pid: 9, words, port: 22 });
        return 9;
      },
    };
    const configFile = "/etc/ssh/sshd_config";
    const answer = await rescue(machine, {
      plan: { command: [SSHD, "-o", "PidFile=/run/sshd.pid"], units },
      configFile,
      manager: { kind, listens, restart },
      silent: [],
      because: "no",
    });
    const service = await findService(machine, { configFile, restartCommand: null });
    return { answer, listeners, first: whyRescueFirst(machine, service) };
  };

  test.each([
    ["sysv", ["service", "ssh", "restart"], "run in one line: kill 9; service ssh restart"],
    ["given", ["/bin/sh", "-c", "cd /srv; ./up"], "run in one line: kill 9; cd /srv; ./up"],
    ["foreground", ["kill", "-HUP", "7"], "end it (kill 9) and start sshd as it was started, in one line"],
  ] as const)("says how to come back: %s", async (kind, restart, words) => {
    const { answer } = await rescued({ kind, restart });
    expect(answer).toMatchObject({ kind: "rescued", text: expect.stringMatching(/^no; A RESCUE SSHD/) });
    expect(answer.kind === "rescued" && answer.text.endsWith(`, then ${words}`)).toBe(true);
  });

  test("does not let a start of the service fail for how often that was tried in vain", async () => {
    expect(await rescued({ kind: "systemd-socket", units: ["ssh.socket", "ssh.service"] })).toMatchObject({
      answer: {
        text: expect.stringMatching(
          /, then run in one line: kill 9; systemctl reset-failed ssh\.socket ssh\.service; systemctl start ssh\.socket$/,
        ),
      },
    });
  });

  test("writes no pid file of the service's: sshd takes the first", async () => {
    const options = ["-o", "PidFile=/run/sshd-policy-rescue.pid", "-o", "PidFile=/run/sshd.pid"];
    expect(await rescued({})).toMatchObject({ listeners: [{ words: [SSHD, ...options, "-D"] }] });
  });

  test("is started for a service of which nobody knows where it listened", async () => {
    expect(await rescued({ listens: [] })).toMatchObject({ answer: { kind: "rescued" } });
  });

  test("is known to a later fix on every init, also behind another sshd", async () => {
    const elsewhere = { pid: 5, words: [SSHD, "-p", "2222"], port: 2222 };
    for (const others of [[], [elsewhere]])
      expect(await rescued({ others })).toMatchObject({
        first:
          "the rescue sshd of an earlier fix listens (process 9): mend sshd's own service, then kill 9 and start that in one line",
      });
    expect(await rescued({ others: [elsewhere], starts: false })).toMatchObject({ first: null });
  });

  test("is not started where an sshd with these files serves the addresses", async () => {
    const others = [{ pid: 5, words: [SSHD], port: 22 }];
    expect(await rescued({ others })).toMatchObject({
      answer: { kind: "down", because: "no" },
      listeners: others,
    });
  });

  test("is none where something else answers in its place", async () => {
    expect(await rescued({ starts: false })).toMatchObject({
      answer: { kind: "down", because: "no; nor does a rescue sshd: it does not listen" },
    });
    const others = [{ pid: 5, words: [SSHD, "-f", "/etc/other"], port: 22 }];
    expect(await rescued({ others, starts: false })).toMatchObject({ answer: { kind: "down" } });
  });
});

describe("the hook for a boot", () => {
  test.each([
    ["systemd", "/run/systemd/system", "systemctl", "/etc/systemd/system/sysinit.target.wants"],
    ["OpenRC", "/run/openrc/softlevel", "rc-update", "/etc/runlevels/default"],
    ["SysV of Debian", "/usr/sbin/update-rc.d", "update-rc.d", "/etc/rcS.d"],
    ["SysV of others", "/", "chkconfig", "/etc/rc.d/rcS.d"],
  ])("is on the disk with what leads to it: %s", async (_, mark, program, links) => {
    const done: string[] = [];
    const note =
      (what: string) =>
      (path: string): void =>
        void done.push(`${what} ${path}`);
    const machine: Machine = {
      ...answering({}, { "/proc/1/comm": "init\n" }),
      status: (path) => (path === mark || path.startsWith("/etc") ? FILE : null),
      unlink: () => {},
      create: () => {},
      write: note("write"),
      setOwnerAndMode: () => {},
      sync: note("sync"),
      run: async ([name = ""]) => {
        done.push(name);
        return NOTHING;
      },
    };
    const hook = bootHook(machine, ["/usr/bin/node", "/opt/cli.js", "confirm", "--boot"]);
    if (hook === null) throw new Error("no hook");
    await installHook(machine, hook);
    const folder = hook.path.slice(0, hook.path.lastIndexOf("/"));
    expect(done).toEqual([
      `write ${hook.path}`,
      `sync ${hook.path}`,
      `sync ${folder}`,
      program,
      `sync ${links}`,
      `sync ${links.slice(0, links.lastIndexOf("/"))}`,
    ]);
  });
});

test("a hook that the init system refuses leaves nothing behind", async () => {
  const removed: string[] = [];
  const machine: Machine = {
    ...answering({ status: 1, stderr: "no\n" }),
    status: (path) =>
      path === "/run/systemd/system" || path.endsWith("/sshd-policy-undo.service") ? FILE : null,
    unlink: (path) => void removed.push(path),
    create: () => removed.splice(0),
    write: () => {},
    setOwnerAndMode: () => {},
    sync: () => {},
  };
  const hook = bootHook(machine, ["/usr/bin/node"]);
  if (hook === null) throw new Error("no hook");
  await expect(installHook(machine, hook)).rejects.toThrow(
    '"systemctl enable sshd-policy-undo.service" failed: no',
  );
  expect(removed).toEqual([hook.path]);
});

test("what sshd refuses is not accepted", async () => {
  const sshd = { program: "/usr/sbin/sshd", options: [] };
  expect(await testLive(answering({ status: 255, stderr: "line 1: no\n" }), sshd)).toEqual({
    kind: "refused",
    because: "line 1: no",
  });
});

describe("an sshd that gives no answer", () => {
  const silent = answering({ status: null });
  const sshd = { program: "/usr/sbin/sshd", options: [] };

  test("has refused nothing", async () => {
    expect(await testLive(silent, sshd)).toEqual({
      kind: "untested",
      because: "sshd gave no answer within 30 s, or was killed",
    });
  });

  test("is told from one that says nothing", async () => {
    expect(await askSshd(silent, sshd, "user=alice")).toEqual({
      kind: "nothing",
      because: "sshd gave no answer within 30 s, or was killed",
    });
  });
});

test("an sshd that hangs on the staged files is not asked about a copy without what holds it up", async () => {
  const sshd = { program: "/usr/sbin/sshd", options: [] };
  const asked: string[] = [];
  const copy = (): [] => {
    asked.push("copy");
    return [];
  };
  expect(await testStaged(answering({ status: null }), sshd, { staged: [], copy })).toMatchObject({
    kind: "untested",
    because: expect.stringMatching(/^sshd gave no answer within/),
  });
  expect(asked).toEqual([]);
  await testStaged(answering({ status: 1, stderr: "unshare: no" }), sshd, { staged: [], copy });
  expect(asked).toEqual(["copy"]);
});
