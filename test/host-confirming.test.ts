/** Who may confirm a fix that waits, and what a boot makes of it, on a machine whose processes a test names. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { armUndo, confirmRuns, undoAtBoot } from "../src/host/confirm.ts";
import { advance, createRun, openRuns, type Run } from "../src/host/journal.ts";
import type { Machine } from "../src/host/machine.ts";
import { thisMachine } from "../src/host/this-machine.ts";
import { makeFolder } from "./own-folder.ts";
import { FILE, type Listener, running } from "./told-machine.ts";

const SSHD = "/usr/sbin/sshd";
const US = 99;
const uid = process.getuid?.() ?? 0;
const own = thisMachine({ pid: US, uid, platform: "linux", command: [SSHD], caller: "a test" });

let folder = "";
let state = "";
beforeEach(() => {
  folder = makeFolder();
  state = `${folder}/state`;
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(`${folder}/a`, "old");
});

/** Its files below the folder are there, its processes are told. */
function machineWith(listeners: readonly Listener[], marks: readonly string[] = []): Machine {
  const told = running(listeners);
  const isOurs = (path: string): boolean => path.startsWith(folder) || path.startsWith("/proc/self/fd/");
  return {
    ...told,
    ...own,
    banner: told.banner,
    uptime: told.uptime,
    now: () => new Date(3_600_000),
    sleep: told.sleep,
    run: told.run,
    readFile: (path) => (isOurs(path) ? own : told).readFile(path),
    list: (path) => (isOurs(path) ? own : told).list(path),
    readLink: (path) => (isOurs(path) ? own : told).readLink(path),
    status: (path) => (isOurs(path) ? own.status(path) : marks.includes(path) ? FILE : null),
    startDetached: () => {
      writeFileSync(`${state}/${readdirSync(state)[0]}/watched`, "");
      return 1;
    },
  };
}

/** The sshd that was started by the fix a minute ago; a login, its shell, and this program in it. */
const DAEMON: Listener = { pid: 5, words: [SSHD, "-D"], port: 22, age: 60 };
const login = (age: number): Listener => ({ pid: 50, words: ["sshd: root@pts/0"], port: 0, parent: 5, age });
const program = (parent: number, environment = ""): Listener => ({
  pid: US,
  words: ["node"],
  port: 0,
  parent,
  environment,
});

function newRun(machine: Machine): Run {
  const file = { path: `${folder}/a`, before: Buffer.from("old"), after: Buffer.from("new") };
  return createRun(machine, state, {
    files: [file],
    deadline: null,
    service: {
      ...{ how: "restart", silent: [], configFile: "/etc/ssh/sshd_config", restartCommand: null },
      manager: { kind: "sysv", name: "", listens: [], restart: null, reload: null, status: null },
      ...{ old: null, rescue: null },
    },
  });
}

describe("a fix is confirmed", () => {
  /** What `confirm` says in such a process, where these ran before the fix. */
  async function confirmed(before: readonly Listener[], now: readonly Listener[]): Promise<string> {
    const machine = machineWith(before);
    const run = newRun(machine);
    await armUndo(machine, run);
    advance(machine, run, { state: "unconfirmed", deadline: new Date(3_700_000).toISOString() });
    const said = await confirmRuns(machineWith(now), state);
    return said.kind === "refused" ? said.because : said.kind;
  }

  test.each<readonly [string, readonly Listener[], readonly Listener[], RegExp]>([
    ["by a new login", [], [DAEMON, login(10), program(50)], /^kept$/],
    ["at the console", [], [DAEMON, program(1)], /^kept$/],
    ["by no login of before", [login(10)], [DAEMON, login(10), program(50)], /^this session was open before/],
    [
      "by none that the old sshd let in",
      [],
      [DAEMON, login(90), program(50)],
      /^this session was open before/,
    ],
    [
      "by no shell whose login has ended",
      [],
      [DAEMON, program(1, "SSH_CONNECTION=198.51.100.7 50022 192.0.2.1 22")],
      /^this shell came by a login that has ended/,
    ],
  ])("%s", async (_, before, now, words) => {
    expect(await confirmed(before, now)).toMatch(words);
  });
});

describe("at a boot", () => {
  const HOOK = "/etc/init.d/sshd-policy-undo";

  test("what waits is undone, what was kept is finished, and the hook goes when nothing is open", async () => {
    const removed: string[] = [];
    const machine: Machine = {
      ...machineWith([], ["/run/openrc/softlevel", HOOK]),
      unlink: (path) => (path === HOOK ? void removed.push(path) : own.unlink(path)),
      sync: (path) => (path.startsWith("/etc") ? undefined : own.sync(path)),
    };
    const kept = newRun(machine);
    advance(machine, kept, { state: "finishing" });
    const waits = newRun(machine);
    const [file] = waits.journal.files;
    own.link(`${folder}/a`, file?.oldTwin ?? "");
    writeFileSync(file?.newTwin ?? "", "new");
    own.rename(file?.newTwin ?? "", `${folder}/a`);
    advance(machine, waits, { state: "unconfirmed", deadline: new Date(3_700_000).toISOString() });

    // a disk that cannot be written yet: all of it must be tried again
    await undoAtBoot(
      {
        ...machine,
        rename: () => {
          throw new Error("no");
        },
      },
      state,
    );
    expect([readFileSync(`${folder}/a`, "utf8"), removed]).toEqual(["new", []]);
    await undoAtBoot(machine, state);
    expect([readFileSync(`${folder}/a`, "utf8"), removed]).toEqual(["old", [HOOK]]);
    expect(openRuns(machine, state)).toEqual([]);
    const states = [kept, waits].map(
      (run) => JSON.parse(readFileSync(`${run.folder}/journal.json`, "utf8")).state,
    );
    expect(states).toEqual(["done", "undone"]);
  });
});
