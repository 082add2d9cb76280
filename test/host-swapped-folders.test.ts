/**
 * Whoever owns the folder above a file can put a link in place of the file's own folder at any moment, and take it away
 * again. Whatever a fix does then, nothing happens where the link leads, although all looks the same there.
 */
import {
  chmodSync,
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
import { expect, test } from "vitest";
import { prepareStateFolder } from "../src/host/journal.ts";
import type { Machine } from "../src/host/machine.ts";
import { replaceFiles } from "../src/host/replace.ts";
import { thisMachine } from "../src/host/this-machine.ts";
import { applyFix, type LiveFix } from "../src/host/transaction.ts";
import { describeUnless, NOT_LINUX } from "./needs.ts";
import { makeFolder } from "./own-folder.ts";

const machine: Machine = {
  ...thisMachine({
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    platform: process.platform,
    command: [],
    caller: "a test",
  }),
  // it takes long, and does nothing that anybody sees
  sync: () => {},
};

const top = makeFolder();

const NAMES = ["a", "b"] as const;

interface Place {
  readonly shared: string;
  readonly victim: string;
  readonly state: string;
}

function freshPlace(): Place {
  rmSync(`${top}/place`, { recursive: true, force: true });
  const place = { shared: `${top}/place/shared`, victim: `${top}/place/victim`, state: `${top}/place/state` };
  for (const folder of [place.shared, place.victim]) {
    mkdirSync(folder, { recursive: true });
    for (const name of NAMES) writeFileSync(`${folder}/${name}`, `old ${name}`);
    for (const name of NAMES) chmodSync(`${folder}/${name}`, 0o644);
  }
  prepareStateFolder(machine, place.state);
  return place;
}

/** All that somebody sees of a folder: names, bytes, modes and inodes. */
function looks(folder: string): string {
  const facts = readdirSync(folder).map((name) => {
    const { mode, ino } = statSync(`${folder}/${name}`);
    return [name, mode.toString(8), ino, readFileSync(`${folder}/${name}`, "utf8")].join(" ");
  });
  return facts.sort().join("\n");
}

/** A machine with somebody who puts the link there before call `from` and takes it away before call `to`. */
function swapping(place: Place, { from, to }: { readonly from: number; readonly to: number }) {
  const own = `${place.shared}.own`;
  const wanted = looks(place.victim);
  const seen = { calls: 0, harm: "" };
  const happens = (): void => {
    const at = seen.calls++;
    if (at === from) {
      renameSync(place.shared, own);
      symlinkSync(place.victim, place.shared);
    }
    if (at === to) {
      unlinkSync(place.shared);
      renameSync(own, place.shared);
    }
  };
  const isHarmed = (name: string): void => {
    if (seen.harm === "" && looks(place.victim) !== wanted) seen.harm = `${name}, call ${seen.calls - 1}`;
  };
  const watched = Object.fromEntries(
    Object.entries(machine).map(([name, act]) => [
      name,
      typeof act !== "function" || name === "now"
        ? act
        : (...args: readonly unknown[]): unknown => {
            happens();
            const result: unknown = Reflect.apply(act, machine, args);
            if (!(result instanceof Promise)) isHarmed(name);
            return result instanceof Promise
              ? result.then((value: unknown) => {
                  isHarmed(name);
                  return value;
                })
              : result;
          },
    ]),
  );
  return { seen, machine: { ...machine, ...watched } satisfies Machine };
}

type Act = (machine: Machine, place: Place) => Promise<unknown>;

const filesOf = ({ shared }: Place, names: readonly string[]) =>
  names.map((name) => ({
    path: `${shared}/${name}`,
    before: Buffer.from(`old ${name}`),
    after: Buffer.from(`new ${name}`),
  }));

const undoneFix = (place: Place): LiveFix => ({
  stateFolder: place.state,
  files: filesOf(place, ["a"]),
  sshd: null,
  copy: () => [],
  service: null,
  prove: async () => ({ kind: "fails", because: "it does not hold" }),
  confirm: null,
  mode: "apply",
  stopped: () => null,
});

const ACTS: Readonly<Record<string, Act>> = {
  "one file": (at, place) => replaceFiles(at, filesOf(place, ["a"])),
  "two files": (at, place) => replaceFiles(at, filesOf(place, NAMES)),
  "a fix that is undone": (at, place) => applyFix(at, undoneFix(place), () => {}),
};

describeUnless(NOT_LINUX, "a folder that becomes a link, and a folder again", () => {
  test.each(Object.entries(ACTS))("%s", { timeout: 120_000 }, async (_, act) => {
    const never = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    const undisturbed = freshPlace();
    const { seen, machine: plain } = swapping(undisturbed, never);
    await act(plain, undisturbed);
    expect(seen.calls).toBeGreaterThan(5);
    const harmed: string[] = [];
    for (let from = 0; from < seen.calls; from++)
      for (const length of [1, 3, seen.calls]) {
        const place = freshPlace();
        const swapped = swapping(place, { from, to: from + length });
        await act(swapped.machine, place);
        if (swapped.seen.harm !== "") harmed.push(`${from} to ${from + length}: ${swapped.seen.harm}`);
      }
    expect(harmed).toEqual([]);
  });
});
