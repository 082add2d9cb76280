/** What src/host does with files: replacing, the lock, the journal and the undo, on a folder of the test. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { beforeEach, describe, expect, test } from "vitest";
import { awaitConfirmation } from "../src/cli/wait.ts";
import { confirmRuns, watchRun } from "../src/host/confirm.ts";
import { whileHolding } from "../src/host/held-folders.ts";
import {
  advance,
  createRun,
  latestEnd,
  openRuns,
  prepareStateFolder,
  type Run,
  setAside,
  unreadableRuns,
} from "../src/host/journal.ts";
import { takeLock } from "../src/host/lock.ts";
import type { Machine } from "../src/host/machine.ts";
import { makeTwin, type Replacement, replaceFiles } from "../src/host/replace.ts";
import { thisMachine } from "../src/host/this-machine.ts";
import { applyFix, type LiveFix } from "../src/host/transaction.ts";
import { keepRun, type Restarted, type Restarter, recoverRun, undoRun } from "../src/host/undo.ts";
import { NOT_LINUX, NOT_ROOT, testUnless } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const machine = thisMachine({
  pid: process.pid,
  uid: process.getuid?.() ?? -1,
  platform: process.platform,
  command: [],
  caller: "a test",
});

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();

let folder = "";
let state = "";
beforeEach(() => {
  folder = makeFolder();
  state = `${folder}/state`;
  writeFileSync(`${folder}/a`, "old a");
  writeFileSync(`${folder}/b`, "old b");
  prepareStateFolder(machine, state);
});

function replacement(name: string, before = `old ${name}`): Replacement {
  return { path: `${folder}/${name}`, before: Buffer.from(before), after: Buffer.from(`new ${name}`) };
}

const textsOf = (): string[] => ["a", "b"].map((name) => readFileSync(`${folder}/${name}`, "utf8"));
const namesOf = (): string[] => readdirSync(folder).sort();

/** By whatever name its folder is held. */
const isFile = (path: string, name: string): boolean => path.endsWith(`/${name}`);
const twinOf = ({ path, after }: Replacement, twin: string): Promise<void> =>
  whileHolding(machine, [{ path }], (held) => makeTwin(held, { path, after }, twin));

/** A machine on which something happens right before the rename that makes the file new. */
function beforeSwapOf(name: string, happens: () => void): Machine {
  return {
    ...machine,
    rename: (from, to) => {
      if (isFile(to, name) && from.endsWith("-new")) happens();
      machine.rename(from, to);
    },
  };
}

describe("replacing files", () => {
  test("all of them", async () => {
    expect(await replaceFiles(machine, [replacement("a"), replacement("b")])).toEqual({ kind: "replaced" });
    expect(textsOf()).toEqual(["new a", "new b"]);
    expect(namesOf()).toEqual(["a", "b", "state"]);
  });

  test("or none of them: the inode of the first is back when the second fails", async () => {
    const { ino } = statSync(`${folder}/a`);
    const failing = beforeSwapOf("b", () => {
      throw Object.assign(new Error("EIO"), { code: "EIO" });
    });
    const result = await replaceFiles(failing, [replacement("a"), replacement("b")]);
    expect(result).toMatchObject({ kind: "refused", because: expect.stringContaining(`${folder}/b`) });
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(statSync(`${folder}/a`).ino).toBe(ino);
    expect(namesOf()).toEqual(["a", "b", "state"]);
  });

  test("and no old text is lost where not even that can be put back", async () => {
    const failing: Machine = {
      ...machine,
      rename: (from, to) => {
        if (!isFile(to, "a") || !from.endsWith("-new"))
          throw Object.assign(new Error("EIO"), { code: "EIO" });
        machine.rename(from, to);
      },
    };
    const result = await replaceFiles(failing, [replacement("a"), replacement("b")]);
    const because = result.kind === "refused" ? result.because : "";
    const kept = /NOT put back is .*\/a: its old text is (.*)$/.exec(because)?.[1] ?? "";
    expect(readFileSync(kept, "utf8")).toBe("old a");
    expect(because).toContain(`${folder}/b cannot be replaced: EIO`);
  });

  test("also in a folder that cannot be synced, because it may not be read", async () => {
    const unreadable: Machine = {
      ...machine,
      sync: (path) => {
        if (path.endsWith("/.")) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        machine.sync(path);
      },
    };
    expect(await replaceFiles(unreadable, [replacement("a")])).toEqual({ kind: "replaced" });
    expect(textsOf()).toEqual(["new a", "old b"]);
  });

  test("what somebody else wrote meanwhile is not lost", async () => {
    const changed = { ...replacement("a"), before: Buffer.from("as it was read") };
    expect(await replaceFiles(machine, [changed])).toMatchObject({
      because: expect.stringContaining("was changed by somebody else"),
    });
    expect(textsOf()).toEqual(["old a", "old b"]);
  });

  test("neither links, nor hard links, nor a folder that became a link", async () => {
    const outside = makeFolder();
    writeFileSync(`${outside}/a`, "old a");
    symlinkSync(`${outside}/a`, `${folder}/link`);
    linkSync(`${folder}/b`, `${outside}/second`);
    mkdirSync(`${folder}/sub`);
    renameSync(`${folder}/sub`, `${outside}/sub`);
    writeFileSync(`${outside}/sub/a`, "old a");
    symlinkSync(`${outside}/sub`, `${folder}/sub`);
    for (const [path, name] of [
      ["link", "a"],
      ["b", "b"],
      ["sub/a", "a"],
    ] as const) {
      const { kind } = await replaceFiles(machine, [{ ...replacement(name), path: `${folder}/${path}` }]);
      expect(kind, path).toBe("refused");
    }
    expect([readFileSync(`${outside}/a`, "utf8"), readFileSync(`${outside}/sub/a`, "utf8")]).toEqual([
      "old a",
      "old a",
    ]);
    expect(readdirSync(outside).sort()).toEqual(["a", "second", "sub"]);
  });

  test("where no folder can be held, by root only in folders that nobody else can put a link in place of", async () => {
    const elsewhere = (owner: number): Machine => ({
      ...machine,
      self: { ...machine.self, uid: 0 },
      holdFolder: () => null,
      status: (path) => {
        const now = machine.status(path);
        return now === null || !folder.startsWith(`${path}/`) ? now : { ...now, uid: owner };
      },
    });
    expect(await replaceFiles(elsewhere(501), [replacement("a")])).toMatchObject({
      because: expect.stringContaining("somebody else than root may write in "),
    });
    expect(await replaceFiles(elsewhere(0), [replacement("a")])).toEqual({ kind: "replaced" });
    expect(textsOf()).toEqual(["new a", "old b"]);
  });

  test("a twin is never written through a link that waits at its name", async () => {
    symlinkSync(`${folder}/b`, `${folder}/trap`);
    await expect(twinOf(replacement("a"), `${folder}/trap`)).rejects.toThrow("is there already");
    expect(textsOf()).toEqual(["old a", "old b"]);
  });

  test("bytes are never easier to read than in the file itself", async () => {
    chmodSync(`${folder}/a`, 0o600);
    const modes: number[] = [];
    const watching: Machine = {
      ...machine,
      write: (path, bytes) => {
        modes.push(statSync(path).mode & 0o777);
        machine.write(path, bytes);
        modes.push(statSync(path).mode & 0o777);
      },
    };
    await replaceFiles(watching, [replacement("a")]);
    expect(new Set(modes)).toEqual(new Set([0o600]));
  });
});

test("a link that appears where the new file is to be made is not followed", async () => {
  const other = `${folder}/other`;
  writeFileSync(other, "of root");
  chmodSync(other, 0o600);
  chmodSync(`${folder}/a`, 0o644);
  const raced: Machine = {
    ...machine,
    run: (argv, options) => {
      if (argv[0] === "cp") symlinkSync(other, `${folder}/${argv.at(-1)?.split("/").at(-1)}`);
      return machine.run(argv, options);
    },
  };
  await replaceFiles(raced, [replacement("a")]);
  expect(readFileSync(other, "utf8")).toBe("of root");
  expect(statSync(other).mode & 0o777).toBe(0o600);
});

/** A program of its own, with this as `machine`; what it prints. */
function printedBy(script: string, [program, ...before]: readonly [string, ...string[]]): string {
  const loader = `${import.meta.dirname}/../node_modules/tsx/dist/loader.mjs`;
  const preamble = `
    const { thisMachine } = await import("${import.meta.dirname}/../src/host/this-machine.ts");
    const { replaceFiles } = await import("${import.meta.dirname}/../src/host/replace.ts");
    const machine = thisMachine({ pid: process.pid, uid: 1, platform: "linux", command: [], caller: "" });`;
  const node = [process.execPath, "--import", loader, "--input-type=module", "--eval", preamble + script];
  return execFileSync(program, [...before, ...node], { encoding: "utf8" });
}

test("a program that cannot be started because no more files can be opened has failed, and ends nothing", () => {
  const script = `
    const { openSync } = await import("node:fs");
    try { for (;;) openSync("/dev/null"); } catch {}
    const { failed } = await machine.run(["true"]);
    await machine.sleep(10);
    process._rawDebug(failed);`;
  const limited = ["sh", "-c", 'ulimit -n 200; exec "$@" 2>&1', "sh"] as const;
  expect(printedBy(script, limited)).toBe("EMFILE\n");
});

// the kernel takes the names below /proc/PID/fd away from other programs of the same user
testUnless(NOT_ROOT, "a process that may not be looked into can replace files", () => {
  chmodSync(folder, 0o777);
  chownSync(`${folder}/a`, 65_534, 65_534);
  const script = `
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    const file = { path: "${folder}/a", before: Buffer.from("old a"), after: Buffer.from("new a") };
    console.log(JSON.stringify(await replaceFiles(machine, [file])));`;
  expect(JSON.parse(printedBy(script, ["env"]))).toEqual({ kind: "replaced" });
  expect(textsOf()).toEqual(["new a", "old b"]);
});

testUnless(
  NOT_LINUX,
  "files below the root of a process, whose names are not ours, but in no folder that was moved",
  async () => {
    const files = [{ ...replacement("a"), path: `/proc/self/root${folder}/sub/a` }];
    mkdirSync(`${folder}/sub`);
    writeFileSync(`${folder}/sub/a`, "old a");
    const write: Machine["write"] = (path, bytes) => {
      machine.write(path, bytes);
      renameSync(`${folder}/sub`, `${folder}/moved`);
      mkdirSync(`${folder}/sub`);
    };
    expect(await replaceFiles(machine, files)).toEqual({ kind: "replaced" });
    expect(readFileSync(`${folder}/sub/a`, "utf8")).toBe("new a");
    const again = files.map((file) => ({ ...file, before: file.after, after: file.before }));
    expect(await replaceFiles({ ...machine, write }, again)).toEqual({
      kind: "refused",
      because: `/proc/self/root${folder}/sub is no longer the folder it was: run again`,
    });
    expect(readFileSync(`${folder}/moved/a`, "utf8")).toBe("new a");
  },
);

describe("the state folder", () => {
  test("is on the disk before anything in it is", () => {
    const synced: string[] = [];
    const seen: Machine = { ...machine, sync: (path) => void synced.push(path) };
    prepareStateFolder(seen, state);
    expect(synced).toEqual([]);
    prepareStateFolder(seen, `${folder}/new`);
    expect(synced).toEqual([folder]);
  });

  test("must be private", () => {
    chmodSync(state, 0o755);
    expect(() => prepareStateFolder(machine, state)).toThrow("must belong to you alone");
    rmSync(state, { recursive: true });
    symlinkSync(folder, state);
    expect(() => prepareStateFolder(machine, state)).toThrow("is not a folder");
  });

  test.each(["{", "", "\0\0\0", '{"version":2}'])(
    "a journal that cannot be read (%j) hides no other run, and is set aside with its backups",
    async (text) => {
      const damaged = newRun();
      writeFileSync(`${damaged.folder}/journal.json`, text);
      const other = newRun();
      expect(openRuns(machine, state).map((run) => run.folder)).toEqual([other.folder]);
      expect(unreadableRuns(machine, state)).toEqual([damaged.folder]);
      expect(await confirmRuns(machine, state)).toMatchObject({
        kind: "refused",
        because: expect.stringMatching(/journal in .* cannot be read: "sshd-policy recover" sets it aside/),
      });
      const place = setAside(machine, damaged.folder);
      expect(unreadableRuns(machine, state)).toEqual([]);
      expect(readFileSync(`${place}/1-a`, "utf8")).toBe("old a");
      expect(await confirmRuns(machine, state)).toEqual({ kind: "nothing" });
    },
  );

  test("a journal in which one value is another's is no journal, or the same to an undo; nothing else is touched", async () => {
    const service = {
      how: "restart",
      silent: [{ address: "::1", port: 22 }],
      configFile: "/etc/ssh/of-a-test",
      restartCommand: null,
      manager: { kind: "stopped", name: "", listens: [], restart: ["true"], reload: null, status: null },
      old: { process: { pid: 7, started: 1 }, sockets: ["1"] },
      rescue: { command: ["sshd"], units: ["ssh.service"] },
    } as const;
    const { folder: runFolder, journal } = await halfDone();
    const whole = advance(machine, { folder: runFolder, journal: { ...journal, service } }, {});
    const file = `${whole.folder}/journal.json`;
    const text = readFileSync(file, "utf8");
    const bystander = `${folder}/bystander`;
    writeFileSync(bystander, "mine");
    const tried = places(JSON.parse(text)).flatMap((path) =>
      [undefined, null, 0, "", "2", bystander, "../../bystander", [], {}, [bystander], true].map((value) => ({
        path,
        value,
      })),
    );
    const passed: string[] = [];
    for (const { path, value } of tried) {
      writeFileSync(file, JSON.stringify(withValue(JSON.parse(text), path, value) ?? null));
      const [run] = openRuns(machine, state);
      if (run === undefined) continue;
      passed.push(path.join("."));
      await recoverRun({ ...machine, sync: () => {} }, run, restarter({ kind: "up", text: "" }));
      expect(readFileSync(bystander, "utf8"), `${path.join(".")} ${value}`).toBe("mine");
    }
    // what is words for people, a choice of its own, or another list of the same kind
    expect(new Set(passed)).toEqual(new Set(FREE));
  });

  test("a journal of a build that wrote less is read: what it does not say is not known", async () => {
    const service = {
      how: "restart",
      silent: [],
      configFile: "/etc/ssh/of-a-test",
      restartCommand: "true",
      manager: { kind: "given", name: "", listens: [], restart: ["true"], reload: null, status: null },
    };
    const { folder: runFolder, journal } = await halfDone();
    writeFileSync(`${runFolder}/journal.json`, JSON.stringify({ ...journal, service }));
    expect(unreadableRuns(machine, state)).toEqual([]);
    expect(openRuns(machine, state)[0]?.journal.service).toEqual({ ...service, old: null, rescue: null });
  });

  test("what a run of which no journal tells left beside a file is named as that", async () => {
    const run = await halfDone();
    rmSync(run.folder, { recursive: true });
    const [, b] = run.journal.files;
    expect(await replaceFiles(machine, [replacement("b")])).toEqual({
      kind: "refused",
      because: `${folder}/b has a second name, ${b?.oldTwin}, which an interrupted run left: remove that name`,
    });
  });

  test("a run that was stopped before its journal was there has touched nothing", () => {
    mkdirSync(`${state}/2026-01-01T00-00-00Z`);
    expect(openRuns(machine, state)).toEqual([]);
  });
});

describe("a state folder on a full disk", () => {
  test("stops the fix, is named, and keeps nothing of the run", async () => {
    const full: Machine = {
      ...machine,
      write: (path, bytes) => {
        if (path.startsWith(`${state}/2`)) throw new Error("ENOSPC: no space left on device, write");
        machine.write(path, bytes);
      },
    };
    expect(await applyFix(full, plainFix(), () => {})).toEqual({
      kind: "refused",
      because: `the journal in ${state} cannot be written: ENOSPC: no space left on device, write`,
    });
    expect(readdirSync(state)).toEqual([]);
    expect(textsOf()).toEqual(["old a", "old b"]);
  });
});

describe("a folder that nobody may write", () => {
  test("is named, not the tool that could not copy", async () => {
    const denied: Machine = {
      ...machine,
      run: async () => ({
        status: 1,
        stdout: "",
        stderr: "cp: cannot create: Permission denied\n",
        failed: null,
      }),
      create: () => {
        throw Object.assign(new Error("EACCES"), { code: "EACCES" });
      },
    };
    expect(await replaceFiles(denied, [replacement("a")])).toEqual({
      kind: "refused",
      because: `${folder}/a cannot be replaced: no permission to write in ${folder}`,
    });
    expect(textsOf()).toEqual(["old a", "old b"]);
  });
});

describe("confirming", () => {
  test("where no fix was ever made finds nothing, and makes no folder", async () => {
    expect(await confirmRuns(machine, `${folder}/none`)).toEqual({ kind: "nothing" });
    expect(existsSync(`${folder}/none`)).toBe(false);
  });
});

describe("a confirmation that comes late", () => {
  test("undoes the fix itself: whoever should have done it may have been ended", async () => {
    const run = await halfDone();
    advance(machine, run, { state: "unconfirmed", deadline: "2026-01-01T00:00:00.000Z" });
    expect(await confirmRuns(machine, state)).toEqual({
      kind: "late",
      undone: { problems: [], service: null, isOver: true },
    });
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(openRuns(machine, state)).toEqual([]);
    expect(await confirmRuns(machine, state)).toEqual({ kind: "nothing" });
    expect(latestEnd(machine, state)).toEqual({ started: run.journal.started, isKept: false });
  });
});

describe("a confirmation on a full disk", () => {
  test("is refused with the reason, and the fix waits on", async () => {
    const run = advance(machine, await halfDone(), { state: "unconfirmed", deadline: IN_AN_HOUR });
    const full: Machine = {
      ...machine,
      write: () => {
        throw new Error("ENOSPC: no space left on device, write");
      },
    };
    expect(await confirmRuns(full, state)).toEqual({
      kind: "refused",
      because: "the confirmation cannot be written: ENOSPC: no space left on device, write",
    });
    expect(openRuns(machine, state)).toMatchObject([
      { folder: run.folder, journal: { state: "unconfirmed" } },
    ]);
  });
});

describe("a fix that waits", () => {
  /** Waits for a confirmation whose time is over. */
  async function waiting(): Promise<Run> {
    const run = await halfDone();
    return advance(machine, run, { state: "unconfirmed", deadline: "2026-01-01T00:00:00.000Z" });
  }
  const QUIET = { stopped: () => null, hungUp: () => false };
  const patient = {
    get stateFolder() {
      return state;
    },
    stopped: () => null,
  };
  const live = (told: string[]): Parameters<typeof awaitConfirmation>[0] => ({
    machine,
    tell: ({ text }) => told.push(text),
    release: () => {},
    runs: [],
  });

  test("is undone by its watcher also when the lock cannot be written at first", async () => {
    const run = await waiting();
    let refusals = 2;
    const pauses: number[] = [];
    const stubborn: Machine = {
      ...machine,
      create: (path) => {
        if (/\/lock\./.test(path) && refusals-- > 0)
          throw Object.assign(new Error("EROFS"), { code: "EROFS" });
        machine.create(path);
      },
      sleep: async (ms) => void pauses.push(ms),
    };
    await watchRun(stubborn, { ...patient, folder: run.folder });
    expect(pauses).toEqual([30_000, 30_000]);
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(readFileSync(`${state}/log`, "utf8")).toContain("it cannot be undone yet: EROFS");
  });

  test.each([
    ["back by an hour before the watcher looks", -3_600_000, 0],
    ["back by an hour while it waits", -3_600_000, 3],
    ["on by an hour while it waits", 3_600_000, 3],
  ])("is undone in its time where the clock is set %s", async (_, step, after) => {
    const { folder: runFolder, journal } = await halfDone();
    const begun = Date.parse(journal.started);
    advance(
      machine,
      { folder: runFolder, journal },
      { state: "unconfirmed", deadline: new Date(begun + 20_000).toISOString() },
    );
    let passed = 1000;
    let looks = 0;
    const set: Machine = {
      ...machine,
      now: () => new Date(begun + passed + (looks >= after ? step : 0)),
      sleep: async (ms) => {
        passed += ms;
        looks++;
      },
    };
    await watchRun(set, { ...patient, folder: runFolder });
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(passed).toBeLessThan(23_000);
  });

  test("does not restart sshd again and again while the journal cannot say that everything is back", async () => {
    const service = {
      how: "restart",
      silent: [],
      configFile: "/etc/ssh/of-a-test",
      restartCommand: null,
      manager: { kind: "stopped", name: "", listens: [], restart: null, reload: null, status: null },
      old: null,
      rescue: null,
    } as const;
    const { folder: runFolder, journal } = await waiting();
    const run = advance(
      machine,
      { folder: runFolder, journal: { ...journal, service } },
      { restarted: true },
    );
    let searches = 0;
    let pauses = 0;
    const full: Machine = {
      ...machine,
      list: (path) => {
        if (path === "/proc") searches += 1;
        return machine.list(path);
      },
      write: (path, bytes) => {
        if (path.endsWith("/journal.new") && pauses < 3)
          throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
        machine.write(path, bytes);
      },
      sleep: async () => void pauses++,
    };
    await watchRun(full, { ...patient, folder: run.folder });
    // the service is looked for when it is restarted
    expect([pauses, searches]).toEqual([3, 1]);
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(openRuns(machine, state)).toEqual([]);
  });

  test("is undone by the run that waits where the watcher was ended, and the answer names what stays", async () => {
    const told: string[] = [];
    const run = await waiting();
    writeFileSync(`${folder}/a`, "mine");
    expect(await awaitConfirmation(live(told), run, QUIET)).toBe("nobody confirmed it in time");
    expect(textsOf()).toEqual(["mine", "old b"]);
    expect(told.at(-1)).toBe(
      `not confirmed: put back, but for what somebody else changed since: ${folder}/a (its old text is ${run.folder}/1-a)`,
    );
  });

  test("is confirmed once that is decided: a full disk that keeps leftovers is not waited for", async () => {
    const told: string[] = [];
    const run = advance(machine, await waiting(), { state: "finishing" });
    expect(await awaitConfirmation(live(told), run, QUIET)).toBeNull();
    expect(told.at(-1)).toBe("confirmed: it stays");
  });

  test("is undone at once when the wait is stopped, as by Ctrl-C, and the answer says why", async () => {
    const told: string[] = [];
    const run = advance(machine, await halfDone(), { state: "unconfirmed", deadline: IN_AN_HOUR });
    const stopped = { stopped: () => "stopped by SIGINT", hungUp: () => false };
    expect(await awaitConfirmation(live(told), run, stopped)).toBe("stopped by SIGINT");
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(told.at(-1)).toBe("not confirmed: everything was put back");
    expect(readFileSync(`${state}/log`, "utf8")).toContain("stopped by SIGINT: undone");
  });

  test("waits on when its connection is cut, also where the end of the session brings SIGTERM", async () => {
    const run = advance(machine, await halfDone(), { state: "unconfirmed", deadline: IN_AN_HOUR });
    const confirming = {
      ...live([]),
      machine: { ...machine, sleep: async () => void keepRun(machine, run) },
    };
    const cut = { stopped: () => "stopped by SIGTERM", hungUp: () => true };
    expect(await awaitConfirmation(confirming, run, cut)).toBeNull();
    expect(readFileSync(`${folder}/a`, "utf8")).toBe("new a");
  });

  test("is undone in time also where its journal cannot be read any more", async () => {
    const run = advance(machine, await halfDone(), { state: "unconfirmed", deadline: IN_AN_HOUR });
    let now = new Date();
    const damaging: Machine = {
      ...machine,
      now: () => now,
      sleep: async () => {
        writeFileSync(`${run.folder}/journal.json`, "\0\0");
        now = new Date(now.getTime() + 3_600_000);
      },
    };
    await watchRun(damaging, { ...patient, folder: run.folder });
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(namesOf()).toEqual(["a", "b", "state"]);
  });
});

test("a banner must come in time as a whole: one byte now and then is none", async () => {
  const server = createServer((socket) => {
    const drip = setInterval(() => socket.write("x"), 20);
    socket.on("error", () => {}).on("close", () => clearInterval(drip));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await machine.banner("127.0.0.1", port, 200)).toBeNull();
  server.close();
}, 30_000);

describe("the lock", () => {
  test("is for one at a time, and a dead process does not hold it", () => {
    writeFileSync(`${state}/lock.999999999.1`, "");
    const lock = takeLock(machine, state);
    expect(lock.kind).toBe("held");
    expect(readdirSync(state)).toHaveLength(1);
    const other = { ...machine, self: { ...machine.self, pid: process.ppid } };
    expect(takeLock(other, state)).toMatchObject({ because: expect.stringContaining(String(process.pid)) });
    if (lock.kind === "held") lock.release();
    expect(readdirSync(state)).toEqual([]);
    expect(takeLock(other, state).kind).toBe("held");
  });

  test("a process that ends while it is looked at does not hold it", () => {
    writeFileSync(`${state}/lock.999999999.1`, "");
    const ending: Machine = {
      ...machine,
      readFile: (path) => {
        if (path.startsWith("/proc/999999999/")) throw Object.assign(new Error("ESRCH"), { code: "ESRCH" });
        return machine.readFile(path);
      },
    };
    expect(takeLock(ending, state).kind).toBe(process.platform === "linux" ? "held" : "busy");
  });

  test("a process that has ended and is never fetched does not hold it", () => {
    writeFileSync(`${state}/lock.999999999.1`, "");
    const zombie = Buffer.from(`999999999 (node) Z 1${" 1".repeat(50)}`);
    const container: Machine = {
      ...machine,
      readFile: (path) => (path === "/proc/999999999/stat" ? zombie : machine.readFile(path)),
    };
    expect(takeLock(container, state).kind).toBe(process.platform === "linux" ? "held" : "busy");
  });

  test("a later process with the number of the holder is not the holder", () => {
    writeFileSync(`${state}/lock.${process.ppid}.1`, "");
    expect(takeLock(machine, state).kind).toBe(process.platform === "linux" ? "held" : "busy");
  });
});

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The ways to all values in it. */
function places(value: Json): string[][] {
  if (typeof value !== "object" || value === null) return [[]];
  return [
    [],
    ...Object.entries(value).flatMap(([name, inner]) => places(inner).map((path) => [name, ...path])),
  ];
}

function withValue(
  value: Json,
  [name, ...rest]: readonly string[],
  other: Json | undefined,
): Json | undefined {
  if (name === undefined) return other;
  if (typeof value !== "object" || value === null) return value;
  const inner = withValue((value as Record<string, Json>)[name] ?? null, rest, other);
  if (Array.isArray(value))
    return value.flatMap((item, at) => (String(at) !== name ? [item] : inner === undefined ? [] : [inner]));
  const others = Object.entries(value).filter(([key]) => key !== name);
  return Object.fromEntries(inner === undefined ? others : [...others, [name, inner]]);
}

const FREE: readonly string[] = [
  ...["caller", "deadline", "files.0", "files.1", "restarted", "service"],
  ...["configFile", "restartCommand", "silent", "silent.0", "silent.0.address", "silent.0.port"].map(
    ofService,
  ),
  ...["listens", "name", "reload", "restart", "restart.0", "status"].map((name) =>
    ofService(`manager.${name}`),
  ),
  ...["old", "old.process.pid", "old.process.started", "old.sockets", "old.sockets.0"].map(ofService),
  ...["rescue", "rescue.command", "rescue.command.0", "rescue.units", "rescue.units.0"].map(ofService),
];

function ofService(name: string): string {
  return `service.${name}`;
}

function restarter(answer: Restarted): Restarter {
  return { restart: async () => answer, rescue: async (because) => ({ kind: "down", because }) };
}

/** Nothing is tested, restarted or asked. */
function plainFix(): LiveFix {
  return {
    stateFolder: state,
    files: [replacement("a")],
    sshd: null,
    copy: () => [],
    service: null,
    prove: async () => ({ kind: "holds", text: "" }),
    confirm: null,
    mode: "apply",
    stopped: () => null,
  };
}

function newRun(): Run {
  return createRun(machine, state, {
    files: [replacement("a"), replacement("b")],
    service: null,
    deadline: null,
  });
}

/** The run with its first file new. */
async function halfDone(): Promise<Run> {
  const run = newRun();
  for (const [index, { newTwin, oldTwin, path }] of run.journal.files.entries()) {
    await twinOf(replacement(index === 0 ? "a" : "b"), newTwin);
    machine.link(path, oldTwin);
  }
  const [first] = run.journal.files;
  if (first !== undefined) machine.rename(first.newTwin, first.path);
  return advance(machine, run, { state: "swapping" });
}

describe("a fix", () => {
  const waits = (seconds: number, calls: string[] = []): NonNullable<LiveFix["confirm"]> => ({
    seconds,
    arm: async () => {
      calls.push("arm");
      return "";
    },
    disarm: async () => {
      calls.push("disarm");
    },
  });

  test("looks once more before the swap: what somebody wrote meanwhile stays", async () => {
    const arm = async (): Promise<string> => {
      writeFileSync(`${folder}/a`, "mine");
      return "";
    };
    const fix = { ...plainFix(), confirm: { ...waits(60), arm } };
    expect(await applyFix(machine, fix, () => {})).toMatchObject({
      kind: "refused",
      because: expect.stringMatching(/changed by somebody else meanwhile/),
    });
    expect(textsOf()).toEqual(["mine", "old b"]);
  });

  test("that is stopped at its very end is put back", async () => {
    let isProved = false;
    const fix: LiveFix = {
      ...plainFix(),
      prove: async () => {
        isProved = true;
        return { kind: "holds", text: "" };
      },
      stopped: () => (isProved ? "stopped by SIGTERM" : null),
    };
    expect(await applyFix(machine, fix, () => {})).toMatchObject({ kind: "rolled-back" });
    expect(textsOf()).toEqual(["old a", "old b"]);
  });

  test("waits as long as it says from when it is in force, however long it took", async () => {
    let clock = Date.parse("2026-01-01T00:00:00Z");
    const slow: Machine = { ...machine, now: () => new Date(clock) };
    const prove: LiveFix["prove"] = async () => {
      clock += 45_000;
      return { kind: "holds", text: "" };
    };
    const outcome = await applyFix(slow, { ...plainFix(), prove, confirm: waits(60) }, () => {});
    expect(outcome.kind === "unconfirmed" && outcome.run.journal.deadline).toBe("2026-01-01T00:01:45.000Z");
  });

  test.each([
    ["is put back", { prove: async () => ({ kind: "fails", because: "no" }) as const }],
    ["changes nothing", { files: [] }],
  ])("that %s leaves nothing armed", async (_, facts) => {
    const calls: string[] = [];
    const arm = async (): Promise<string> => {
      calls.push("arm");
      if ("files" in facts) writeFileSync(`${folder}/a`, "mine");
      return "";
    };
    const files = [replacement("a")];
    await applyFix(
      machine,
      { ...plainFix(), ...facts, files, confirm: { ...waits(60, calls), arm } },
      () => {},
    );
    expect(calls).toEqual(["arm", "disarm"]);
  });
});

describe("an undo", () => {
  test("gives every file its own inode back, and can be done again", async () => {
    const { ino } = statSync(`${folder}/a`);
    const run = await halfDone();
    expect(textsOf()).toEqual(["new a", "old b"]);
    for (let time = 0; time < 2; time++) {
      expect(await undoRun(machine, run, null)).toEqual({ problems: [], service: null, isOver: true });
      expect(textsOf()).toEqual(["old a", "old b"]);
      expect(statSync(`${folder}/a`).ino).toBe(ino);
      expect(namesOf()).toEqual(["a", "b", "state"]);
      expect(openRuns(machine, state)).toEqual([]);
    }
  });

  const GONE = "is not there any more: nothing is put back; the old text is";
  const LINK =
    "is no folder now, or a link leads to it: .*/a is left as it is; if it is still in use, put its old text back by hand:";
  test.each<readonly [string, string, (etc: string) => void]>([
    ["is gone", GONE, (etc) => rmSync(etc, { recursive: true })],
    [
      "is a file now",
      LINK,
      (etc) => {
        rmSync(etc, { recursive: true });
        writeFileSync(etc, "");
      },
    ],
    [
      "is a link now",
      LINK,
      (etc) => {
        renameSync(etc, `${etc}2`);
        symlinkSync(`${etc}2`, etc);
      },
    ],
  ])("ends also where the folder %s, and names the backup", async (_, words, happens) => {
    const etc = `${folder}/etc`;
    mkdirSync(etc);
    writeFileSync(`${etc}/a`, "old a");
    const waits = { seconds: 3600, arm: async () => "", disarm: async () => {} };
    const outcome = await applyFix(
      machine,
      { ...plainFix(), files: [{ ...replacement("a"), path: `${etc}/a` }], confirm: waits },
      () => {},
    );
    const [run] = openRuns(machine, state);
    expect([outcome.kind, run?.journal.state]).toEqual(["unconfirmed", "unconfirmed"]);
    happens(etc);
    const undone = run === undefined ? null : await undoRun(machine, run, null);
    expect(undone?.problems).toEqual([expect.stringMatching(`${etc} ${words} .*/1-a$`)]);
    expect(openRuns(machine, state)).toEqual([]);
    expect(readFileSync(run?.journal.files[0]?.backup ?? "", "utf8")).toBe("old a");
  });

  test("of a fix that fails finds its files also in a folder that was moved meanwhile", async () => {
    const etc = `${folder}/etc`;
    mkdirSync(etc);
    writeFileSync(`${etc}/a`, "old a");
    const prove: LiveFix["prove"] = async () => {
      renameSync(etc, `${etc}2`);
      symlinkSync(folder, etc);
      return { kind: "fails", because: "no" };
    };
    const files = [{ ...replacement("a"), path: `${etc}/a` }];
    expect(await applyFix(machine, { ...plainFix(), files, prove }, () => {})).toMatchObject({
      kind: "rolled-back",
      undone: { problems: [] },
    });
    expect(readFileSync(`${etc}2/a`, "utf8")).toBe("old a");
    expect(readdirSync(`${etc}2`)).toEqual(["a"]);
  });

  test("is on the disk before its journal says that it is done", async () => {
    const run = await halfDone();
    const done: string[] = [];
    const named = (path: string): string =>
      path.replace(/^\/proc\/self\/fd\/\d+/, folder).replace(/\/\.$/, "");
    const noting: Machine = {
      ...machine,
      rename: (from, to) => {
        done.push(`rename to ${named(to)}`);
        machine.rename(from, to);
      },
      sync: (path) => {
        done.push(`sync ${named(path)}`);
        machine.sync(path);
      },
    };
    await undoRun(noting, run, null);
    const put = done.indexOf(`rename to ${folder}/a`);
    const synced = done.indexOf(`sync ${folder}`);
    const told = done.lastIndexOf(`rename to ${run.folder}/journal.json`);
    expect(put).toBeGreaterThan(-1);
    expect(synced).toBeGreaterThan(put);
    expect(told).toBeGreaterThan(synced);
  });

  test("takes the backup where the old inode is gone", async () => {
    const run = await halfDone();
    chmodSync(`${folder}/a`, 0o640);
    unlinkSync(run.journal.files[0]?.oldTwin ?? "");
    expect((await undoRun(machine, run, null)).problems).toEqual([]);
    expect(textsOf()).toEqual(["old a", "old b"]);
    expect(statSync(`${folder}/a`).mode & 0o777).toBe(0o640);
    expect(namesOf()).toEqual(["a", "b", "state"]);
  });

  test("leaves alone what somebody changed since, and names the backup", async () => {
    const run = await halfDone();
    writeFileSync(`${folder}/a`, "mine");
    const { problems } = await undoRun(machine, run, null);
    expect(problems).toEqual([expect.stringMatching(/\/a was changed since by somebody else .*\/1-a$/)]);
    expect(textsOf()).toEqual(["mine", "old b"]);
    expect(readFileSync(run.journal.files[0]?.backup ?? "", "utf8")).toBe("old a");
    expect(openRuns(machine, state)).toEqual([]);
    // a second name of the file that stayed would stop every later fix
    expect(namesOf()).toEqual(["a", "b", "state"]);
  });

  test.each(["new a", "mine"])(
    "of a run that was stopped before it changed anything is no business of who wrote since: %s",
    async (text) => {
      const run = newRun();
      const [first] = run.journal.files;
      machine.link(`${folder}/a`, first?.oldTwin ?? "");
      rmSync(`${folder}/a`);
      writeFileSync(`${folder}/a`, text);
      expect(await undoRun(machine, run, null)).toMatchObject({ problems: [], isOver: true });
      expect(textsOf()).toEqual([text, "old b"]);
      expect(namesOf()).toEqual(["a", "b", "state"]);
    },
  );

  test("of what could not be staged on a read-only disk is over at once: no later run finds any of it", async () => {
    const onDisk = (path: string): boolean => !path.startsWith(state);
    const readOnly =
      <Args extends readonly [string, ...unknown[]]>(act: (...args: Args) => void) =>
      (...args: Args): void => {
        // as the kernel answers, also for what is not there
        if (onDisk(args[0])) throw Object.assign(new Error("EROFS"), { code: "EROFS" });
        act(...args);
      };
    const mounted: Machine = {
      ...machine,
      run: async () => ({ status: 1, stdout: "", stderr: "cp: Read-only file system\n", failed: null }),
      create: readOnly(machine.create),
      unlink: readOnly(machine.unlink),
    };
    expect(await applyFix(mounted, plainFix(), () => {})).toEqual({
      kind: "refused",
      because: `${folder}/a cannot be replaced: the file system is read-only`,
    });
    expect(readdirSync(state)).toEqual([]);
  });

  test("restarts the service only if it may have read the new files, and says when it stays down", async () => {
    let starts = 0;
    const counting: Restarter = {
      ...restarter({ kind: "down", because: "no" }),
      restart: async () => {
        starts += 1;
        return { kind: "down", because: "no" };
      },
    };
    expect((await undoRun(machine, await halfDone(), counting)).problems).toEqual([]);
    expect(starts).toBe(0);
    const restarted = advance(machine, await halfDone(), { restarted: true });
    expect((await undoRun(machine, restarted, counting)).problems).toEqual(["the service is not up: no"]);
    // once is not enough where an error passes by itself
    expect(starts).toBe(2);
    // the next run tries again
    expect(openRuns(machine, state)).toHaveLength(1);
  });

  test("is over where a rescue sshd serves logins, and says that the service is down", async () => {
    const run = advance(machine, await halfDone(), { restarted: true });
    const rescued: Restarter = {
      ...restarter({ kind: "down", because: "no" }),
      rescue: async (because) => ({ kind: "rescued", text: `${because}; a rescue` }),
    };
    expect((await undoRun(machine, run, rescued)).problems).toEqual(["the service is not up: no; a rescue"]);
    expect(openRuns(machine, state)).toEqual([]);
  });

  test("takes a restart that cannot even be tried for a service that stays down", async () => {
    const run = advance(machine, await halfDone(), { restarted: true });
    const noMemory = (): Promise<never> => Promise.reject(new Error("spawn ENOMEM"));
    const undone = await undoRun(machine, run, { restart: noMemory, rescue: noMemory });
    expect(undone.problems).toEqual(["the service is not up: spawn ENOMEM"]);
    expect(textsOf()).toEqual(["old a", "old b"]);
  });
});

test("what was decided needs no space to be finished", async () => {
  const run = advance(machine, await halfDone(), { state: "finishing" });
  const full: Machine = {
    ...machine,
    write: () => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    },
  };
  expect(await recoverRun(full, run, null)).toMatchObject({ kept: true, problems: [] });
  expect(namesOf()).toEqual(["a", "b", "state"]);
});

test("what is kept leaves the backups and nothing else", async () => {
  const run = await halfDone();
  expect(keepRun(machine, run).journal.state).toBe("done");
  expect(namesOf()).toEqual(["a", "b", "state"]);
  expect(existsSync(run.journal.files[0]?.backup ?? "")).toBe(true);
});
