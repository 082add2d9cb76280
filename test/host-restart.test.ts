/** When a restart or a reload counts, what an undo starts, and what keeps a fix from one, on a machine that only answers. */
import { describe, expect, test } from "vitest";
import { whyNotBack } from "../src/host/comeback.ts";
import { armUndo } from "../src/host/confirm.ts";
import type { Run } from "../src/host/journal.ts";
import type { Machine } from "../src/host/machine.ts";
import { restartService, silentListens } from "../src/host/restart.ts";
import { findService, type Service } from "../src/host/service.ts";
import { bringBack, recordService } from "../src/host/service-record.ts";
import { FILE, type Listener, NOTHING, running } from "./told-machine.ts";

const SSHD = "/usr/sbin/sshd";
const question = { configFile: "/etc/ssh/sshd_config", restartCommand: null };
const OLD: Listener = { pid: 5, words: [SSHD], port: 22, age: 60 };
const NEW: Listener = { pid: 6, words: [SSHD], port: 22, age: 1 };

interface Asked {
  readonly kind?: Service["kind"];
  readonly how?: "restart" | "reload";
  /** what runs after the command; the same without it */
  readonly after?: readonly Listener[];
  readonly silent?: boolean;
  readonly banner?: string | null;
  /** the manager's command fails, or its service is not active */
  readonly fails?: "command" | "status";
}

/** What becomes of OLD on a host with systemd whose manager is asked. */
async function restarted({ kind = "systemd", how = "restart", after, silent = false, banner, fails }: Asked) {
  const unit = { unit: "ssh.service" };
  const listeners: Listener[] = [{ ...OLD, ...unit }];
  const machine: Machine = {
    ...running(listeners),
    status: (path) => (path === "/run/systemd/system" ? FILE : null),
    ...(banner === undefined ? {} : { banner: async () => banner }),
    run: async ([, verb, ...rest]) => {
      if (verb === how) listeners.splice(0, 1, ...(after ?? [OLD]).map((one) => ({ ...one, ...unit })));
      const isFailing = (fails === "command" && verb === how) || (fails === "status" && verb === "is-active");
      // no socket is active
      const stdout = rest.includes("ssh.socket") ? "ActiveState=inactive\n" : "";
      return { ...NOTHING, stdout, status: isFailing ? 1 : 0, stderr: isFailing ? "no.\n" : "" };
    },
  };
  const service = { ...(await findService(machine, question)), kind };
  const silentOnes = silent ? service.listens : [];
  const result = await restartService(machine, { ...question, how, service, silent: silentOnes });
  return result.kind === "up" ? result.text : result.because;
}

describe("a restart counts", () => {
  const AGAIN = { ...OLD, inode: 77 };
  test.each<readonly [string, Asked, RegExp]>([
    ["when a new process listens", { after: [NEW] }, /: active, new pid 6, answers on 0\.0\.0\.0:22$/],
    ["never by the old one", {}, /the old sshd is still the one that listens$/],
    ["never by the old one with new sockets", { after: [AGAIN] }, /the old sshd is still/],
    ["as a reload by new sockets", { how: "reload", after: [AGAIN] }, /pid 5 has read its files again/],
    ["as a reload not by the same", { how: "reload" }, /the old sshd is still/],
    ["in a container by new sockets", { kind: "foreground", after: [AGAIN] }, /pid 5 has read/],
    [
      "behind a socket when it executed itself again",
      { kind: "systemd-socket", how: "reload", after: [{ ...OLD, image: 9 }] },
      /pid 5 has read/,
    ],
    [
      "behind a socket not before",
      { kind: "systemd-socket", how: "reload", after: [AGAIN] },
      /the old sshd is/,
    ],
    ["not when nobody listens", { after: [] }, /no sshd listens$/],
    ["not elsewhere", { after: [{ ...NEW, port: 2222 }] }, /nothing listens on 0\.0\.0\.0:22 any more$/],
    ["not without an answer", { after: [NEW], banner: null }, /nothing answers on 0\.0\.0\.0:22$/],
    [
      "where nobody answered before",
      { after: [NEW], banner: null, silent: true },
      /: active, new pid 6; listens/,
    ],
    ["not by another program", { after: [NEW], banner: "220 ftp" }, /something else answers on .*: 220 ftp$/],
    [
      "not of a service that is not active",
      { after: [NEW], fails: "status" },
      /ssh\.service .* is not active$/,
    ],
    [
      "not when the command failed",
      { after: [NEW], fails: "command" },
      /^"systemctl restart ssh\.service" failed \(1\): no$/,
    ],
  ])("%s", async (_, asked, words) => {
    expect(await restarted(asked)).toMatch(words);
  });
});

test.each([
  [[null, null, "SSH-2.0-x"], []],
  [[null, null, null], [{ address: "0.0.0.0", port: 22 }]],
])("an address at which sshd drops some logins is not silent: %j", async (said, silent) => {
  const answers: (string | null)[] = [...said];
  const machine: Machine = { ...running([OLD]), banner: async () => answers.shift() ?? null };
  expect(await silentListens(machine, await findService(machine, question))).toEqual(silent);
});

test("of two sshds with the same files the one of a manager is the service", async () => {
  const byHand = { pid: 4, words: [SSHD, "-p", "2222"], port: 2222, age: 90 };
  const service = await findService(running([byHand, { ...OLD, unit: "ssh.service" }]), question);
  expect(service.daemon?.process.pid).toBe(5);
  expect(service.others.map(({ process }) => process.pid)).toEqual([4]);
});

describe("an undo", () => {
  /** What is run, and what is said, where OLD ran before the change and these run now, files put back half a minute ago. */
  const broughtBack = async (
    now: readonly Listener[],
    {
      how = "restart",
      active = true,
    }: { readonly how?: "restart" | "reload"; readonly active?: boolean } = {},
  ) => {
    const unit = { unit: "ssh.service" };
    const listeners: Listener[] = [{ ...OLD, ...unit }];
    const done: string[] = [];
    const machine: Machine = {
      ...running(listeners),
      // it stands still: the age of each process is what it says
      now: () => new Date(3_600_000),
      status: (path) => (path === "/run/systemd/system" ? FILE : null),
      run: async ([, verb = "", ...rest]) => {
        if (verb === "restart" || verb === "reload") {
          done.push(verb);
          if (now.length === 0) listeners.push({ ...NEW, ...unit });
        }
        const stdout = rest.includes("ssh.socket") ? "ActiveState=inactive\n" : "";
        return { ...NOTHING, stdout, status: verb === "is-active" && !active && done.length === 0 ? 3 : 0 };
      },
      sleep: async () => {
        throw new Error("waits");
      },
    };
    const service = await findService(machine, question);
    const record = recordService(machine, service, { ...question, how, silent: [], next: null });
    listeners.splice(0, 1, ...now.map((one) => ({ ...unit, ...one })));
    const said = await bringBack(machine, record)
      .restart(3_600_000 - 30_000)
      .catch((error: Error) => ({ kind: "down", because: error.message }));
    return { done, said: said.kind === "up" && "text" in said ? said.text : said.kind };
  };

  test("leaves an sshd alone that was started since, and no other", async () => {
    expect(await broughtBack([NEW])).toEqual({ done: [], said: "sshd was started anew meanwhile: pid 6" });
    expect((await broughtBack([{ ...NEW, age: 45 }])).done).toEqual(["restart"]);
    expect((await broughtBack([{ ...NEW, port: 2222, unit: "other.service" }])).done).toEqual(["restart"]);
    expect((await broughtBack([NEW], { active: false })).done).toEqual(["restart"]);
    // one that listens elsewhere is not it, though it is the older
    const elsewhere = { ...NEW, pid: 8, port: 2222, age: 25 };
    expect(await broughtBack([elsewhere, NEW])).toMatchObject({
      done: [],
      said: expect.stringMatching(/pid 6$/),
    });
  });

  test.each([
    [[OLD], { kind: "up", text: "sshd was never restarted: pid 5 runs as before" }],
    [[], { kind: "down", because: 'after "/bin/sh -c true" no sshd listens' }],
  ])("takes an sshd that was never restarted for what it is, and none for down: %j", async (now, said) => {
    const listeners: Listener[] = [OLD];
    const machine = running(listeners);
    const given = { ...question, restartCommand: "true" };
    const service = await findService(machine, given);
    const record = recordService(machine, service, { ...given, how: "restart", silent: [], next: null });
    listeners.splice(0, 1, ...now);
    expect(await bringBack(machine, record).restart(3_600_000)).toEqual(said);
  });

  test("of a service with two addresses is not done by an sshd on one", async () => {
    const done: string[] = [];
    const machine: Machine = {
      ...running([{ ...NEW, age: 1 }]),
      now: () => new Date(3_600_000),
      run: async ([, , command = ""]) => {
        done.push(command);
        return { ...NOTHING, status: 1 };
      },
    };
    const given = { ...question, restartCommand: "up" };
    const service = await findService(machine, given);
    const both = [...service.listens, { address: "0.0.0.0", port: 2222 }];
    const record = recordService(
      machine,
      { ...service, listens: both, daemon: null },
      { ...given, how: "restart", silent: [], next: null },
    );
    expect(await bringBack(machine, record).restart(3_500_000)).toMatchObject({ kind: "down" });
    expect(done).toEqual(["up"]);
  });

  test("restarts what was reloaded and has ended", async () => {
    expect(await broughtBack([], { how: "reload" })).toMatchObject({ done: ["restart"] });
  });
});

describe("sshd would come back", () => {
  const answered = async (said: string, { changed = "" } = {}): Promise<readonly string[]> => {
    const machine: Machine = {
      ...running([OLD]),
      status: (path) => {
        if (path === changed) return { ...FILE, changedMs: 3_600_000 - 1000 };
        return path.startsWith("/etc/init.d/ssh") || path === "/usr/sbin/service" ? FILE : null;
      },
      run: async ([, flag]) => ({ ...NOTHING, stdout: flag === "-T" ? said : "" }),
    };
    const service = await findService(machine, question);
    expect(service.kind).toBe("sysv");
    return whyNotBack(machine, {
      service,
      how: "restart",
      start: { options: [], configFile: null, limit: null },
    });
  };

  test("on its addresses, or the fix stops", async () => {
    expect(await answered("listenaddress 0.0.0.0:22\nlistenaddress [::]:22\n")).toEqual([]);
    expect(await answered("listenaddress 0.0.0.0:2222\n")).toEqual([
      expect.stringMatching(/^it would not listen on 0\.0\.0\.0:22 any more: /),
    ]);
  });

  test("is not asked of the rescue of an earlier fix: mend the service first", async () => {
    const rescue = { pid: 9, words: [SSHD, "-o", "PidFile=/run/sshd-policy-rescue.pid"], port: 2222 };
    const machine = running([OLD, rescue]);
    const service = await findService(machine, question);
    const start = { options: [], configFile: null, limit: null };
    expect(await whyNotBack(machine, { service, how: "restart", start })).toEqual([
      expect.stringMatching(/^the rescue sshd of an earlier fix listens \(process 9\)/),
    ]);
  });

  test("as its unit starts it, not as it runs", async () => {
    const asked: string[] = [];
    const machine: Machine = {
      ...running([{ ...OLD, words: [SSHD, "-o", "Banner=none"], unit: "ssh.service" }]),
      status: (path) => (path === "/run/systemd/system" ? FILE : null),
      run: async (argv) => {
        if (argv[0] === SSHD) asked.push(argv.join(" "));
        return { ...NOTHING, stdout: "LoadState=loaded\n" };
      },
    };
    const service = await findService(machine, question);
    const start = { options: ["Port=2222"], configFile: null, limit: null };
    await whyNotBack(machine, { service, how: "restart", start });
    await whyNotBack(machine, { service, how: "reload", start });
    expect(asked.filter((line) => line.includes("-t"))).toEqual([
      `${SSHD} -t -o Port=2222`,
      `${SSHD} -t -o Banner=none`,
    ]);
  });

  test("by a script that somebody has tried, or the fix stops", async () => {
    expect(await answered("listenaddress 0.0.0.0:22\n", { changed: "/etc/init.d/ssh" })).toEqual([
      expect.stringMatching(/^\/etc\/init\.d\/ssh was changed since it started, .*service ssh restart does$/),
    ]);
  });
});

describe("who undoes a fix in time", () => {
  const run: Run = {
    folder: "/var/lib/sshd-policy/2026-01-01T00-00-00Z",
    journal: {
      version: 1,
      state: "prepared",
      started: "2026-01-01T00:00:00.000Z",
      caller: "",
      files: [],
      service: null,
      restarted: false,
      deadline: null,
    },
  };

  /** What is started, where this one comes to run. */
  const armed = async (runs: "unit" | "process" | null) => {
    const started: string[] = [];
    let isWatched = false;
    const machine: Machine = {
      ...running([]),
      self: { ...running([]).self, command: ["/usr/bin/node", "/root/cli.js"] },
      status: (path) =>
        path === "/run/systemd/system" || (isWatched && path === `${run.folder}/watched`) ? FILE : null,
      unlink: () => {},
      create: () => {},
      write: () => {},
      setOwnerAndMode: () => {},
      sync: () => {},
      run: async ([program = "", verb = ""]) => {
        if (program === "systemd-run" || verb === "stop" || verb === "enable") started.push(program);
        isWatched ||= program === "systemd-run" && runs === "unit";
        return NOTHING;
      },
      startDetached: () => {
        started.push("process");
        isWatched ||= runs === "process";
        return 9;
      },
    };
    const said = await armUndo(machine, run).catch((error: Error) => error.message);
    return { started, said: said.replace(/ unless .*/, "") };
  };

  test("is a unit of systemd, a process where that does not come to run, and without either nothing is changed", async () => {
    const unit = "sshd-policy-2026-01-01T00-00-00Z.service";
    // first of all the hook for a boot is enabled
    expect(await armed("unit")).toEqual({ started: ["systemctl", "systemd-run"], said: `undone by ${unit}` });
    const both = ["systemctl", "systemd-run", "systemctl", "process"];
    expect(await armed("process")).toEqual({ started: both, said: "undone by process 9" });
    expect(await armed(null)).toEqual({
      started: both,
      said: `"/usr/bin/node /root/cli.js confirm --watch ${run.folder}" does not start`,
    });
  });
});
