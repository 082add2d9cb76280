/**
 * What a run is about to do to the machine, on the disk before it is done. Killed at any point, the next run reads here
 * what is to be finished or undone. One folder a run, named by the time it began, with the journal and the backups.
 */

import { createHash } from "node:crypto";
import { folderOf } from "../files/path.ts";
import { isJournal } from "./journal-shape.ts";
import type { Machine } from "./machine.ts";
import { twinPath } from "./replace.ts";
import type { ServiceRecord } from "./service-record.ts";

/** Private to root (0700): it holds copies of the configuration. */
export const STATE_FOLDER = "/var/lib/sshd-policy";

/**
 * prepared: nothing of the configuration is touched · swapping: some files may be new · unconfirmed: all is done and
 * proved, and a person must say so · finishing: it stays, leftovers are removed · undoing: it goes, some files may be old
 */
export type RunState = "prepared" | "swapping" | "unconfirmed" | "finishing" | "done" | "undoing" | "undone";

export interface JournalFile {
  /** real path */
  readonly path: string;
  /** the file as it will be, beside it */
  readonly newTwin: string;
  /** the file as it was, beside it: its own inode, so that an undo is one rename and needs no space */
  readonly oldTwin: string;
  /** a copy of the old bytes in the run's folder, for people */
  readonly backup: string;
  /** SHA-256 of the bytes, hexadecimal */
  readonly before: string;
  readonly after: string;
}

export interface Journal {
  readonly version: 1;
  readonly state: RunState;
  /** ISO 8601, UTC */
  readonly started: string;
  readonly caller: string;
  readonly files: readonly JournalFile[];
  /** how the service takes the files up; null: it is left alone */
  readonly service: ServiceRecord | null;
  /** the service may run with the new files */
  readonly restarted: boolean;
  /** undone unless confirmed by then (ISO 8601); null: no confirmation is asked for */
  readonly deadline: string | null;
}

export interface Run {
  readonly folder: string;
  readonly journal: Journal;
}

export type PlannedJournal = Pick<Journal, "service" | "deadline"> & {
  readonly files: readonly {
    readonly path: string;
    readonly before: Uint8Array;
    readonly after: Uint8Array;
  }[];
};

/** The state folder, made where it is missing. @throws where somebody else than the caller could change what is in it */
export function prepareStateFolder(machine: Machine, stateFolder: string): void {
  const isNew = machine.status(stateFolder) === null;
  machine.makeFolder(stateFolder);
  if (isNew) machine.sync(folderOf(stateFolder));
  const status = machine.status(stateFolder);
  if (status?.kind !== "folder") throw new Error(`${stateFolder} is not a folder`);
  if (status.uid !== machine.self.uid || (status.mode & 0o077) !== 0)
    throw new Error(`${stateFolder} must belong to you alone (mode 0700): it decides what is put back`);
}

/** A new run with its backups, in state "prepared". */
export function createRun(machine: Machine, stateFolder: string, planned: PlannedJournal): Run {
  const started = machine.now().toISOString();
  const folder = newFolder(machine, stateFolder, started);
  const id = folder.slice(folder.lastIndexOf("/") + 1);
  const files = planned.files.map(({ path, before, after }, index) => ({
    path,
    newTwin: twinPath(path, "new", id),
    oldTwin: twinPath(path, "old", id),
    backup: `${folder}/${index + 1}-${path.slice(path.lastIndexOf("/") + 1).slice(0, 200)}`,
    before: hashOf(before),
    after: hashOf(after),
  }));
  const journal: Journal = {
    version: 1,
    state: "prepared",
    started,
    caller: machine.self.caller,
    files,
    service: planned.service,
    restarted: false,
    deadline: planned.deadline,
  };
  const run = { folder, journal };
  try {
    for (const [index, { before }] of planned.files.entries())
      writeDurably(machine, files[index]?.backup ?? folder, before);
    saveJournal(machine, run);
    machine.sync(stateFolder);
  } catch (error) {
    discardQuietly(machine, run);
    throw error;
  }
  return run;
}

/** What stays of it is in nobody's way: nothing of the configuration was touched. */
export function discardQuietly(machine: Machine, run: Run): void {
  try {
    discardRun(machine, run);
  } catch {
    // backups of files that are as they were
  }
}

/** 2026-11-22T06-15-02Z; a second run in the same second gets a number. */
function newFolder(machine: Machine, stateFolder: string, started: string): string {
  const base = `${stateFolder}/${started.slice(0, 19).replaceAll(":", "-")}Z`;
  let folder = base;
  for (let number = 2; machine.status(folder) !== null; number++) folder = `${base}-${number}`;
  machine.makeFolder(folder);
  return folder;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function writeDurably(machine: Machine, path: string, bytes: Uint8Array): void {
  machine.create(path);
  machine.write(path, bytes);
  machine.sync(path);
}

/** The run with other facts, on the disk when this returns. */
export function advance(
  machine: Machine,
  run: Run,
  facts: Partial<Pick<Journal, "state" | "restarted" | "deadline">>,
): Run {
  const next = { ...run, journal: { ...run.journal, ...facts } };
  saveJournal(machine, next);
  return next;
}

function saveJournal(machine: Machine, { folder, journal }: Run): void {
  const temporary = `${folder}/journal.new`;
  machine.unlink(temporary);
  writeDurably(machine, temporary, Buffer.from(`${JSON.stringify(journal, null, 2)}\n`, "utf8"));
  machine.rename(temporary, `${folder}/journal.json`);
  machine.sync(folder);
}

/** A run that came to nothing, without a trace. The journal, which says "undone", goes last. */
function discardRun(machine: Machine, { folder }: Run): void {
  const others = (machine.list(folder) ?? []).filter((name) => name !== "journal.json");
  for (const name of [...others, "journal.json"]) machine.unlink(`${folder}/${name}`);
  machine.removeFolder(folder);
}

/** Null where a run was stopped before its journal was there: then it had touched nothing. */
export function readRun(machine: Machine, folder: string): Run | null {
  const bytes = machine.readFile(`${folder}/journal.json`);
  if (bytes === null) return null;
  return { folder, journal: parseJournal(bytes, folder) };
}

function parseJournal(bytes: Uint8Array, folder: string): Journal {
  try {
    const journal: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (isJournal(journal, folder)) return complete(journal as Journal);
  } catch {
    // said below, with what to do
  }
  throw new Error(`${folder}/journal.json is not one that this version of sshd-policy can read`);
}

/** With what a journal of an earlier build does not say: nothing is known of it. */
function complete(journal: Journal): Journal {
  const { service } = journal;
  return service === null ? journal : { ...journal, service: { ...UNKNOWN, ...service } };
}

const UNKNOWN = { old: null, rescue: null };

/** As its journal says; where that cannot be read any more, as it said before. Null: the run is gone. */
export function latest(machine: Machine, known: Run): Run | null {
  const run = tryToRead(machine, known.folder);
  return run === "damaged" ? known : run;
}

/** Runs that are neither done nor undone, the oldest first. One that cannot be read must not hide the others. */
export function openRuns(machine: Machine, stateFolder: string): Run[] {
  return runFolders(machine, stateFolder).flatMap((folder) => {
    const run = tryToRead(machine, folder);
    return run === "damaged" || run === null || run.journal.state === "done" || run.journal.state === "undone"
      ? []
      : [run];
  });
}

/** Whether the latest run that changed something stays; null: there is none. */
export function latestEnd(
  machine: Machine,
  stateFolder: string,
): { readonly started: string; readonly isKept: boolean } | null {
  for (const folder of runFolders(machine, stateFolder).toReversed()) {
    const run = tryToRead(machine, folder);
    if (run === null || run === "damaged") continue;
    const { started, state } = run.journal;
    if (state === "done" || state === "undone") return { started, isKept: state === "done" };
  }
  return null;
}

/** Folders of runs of which nobody knows whether they are over, since their journals cannot be read. */
export function unreadableRuns(machine: Machine, stateFolder: string): string[] {
  return runFolders(machine, stateFolder).filter((folder) => tryToRead(machine, folder) === "damaged");
}

function tryToRead(machine: Machine, folder: string): Run | null | "damaged" {
  try {
    return readRun(machine, folder);
  } catch {
    return "damaged";
  }
}

function runFolders(machine: Machine, stateFolder: string): string[] {
  const names = machine.list(stateFolder) ?? [];
  return names.filter((name) => /^\d{4}-/.test(name)).map((name) => `${stateFolder}/${name}`);
}

/** Out of the way of later runs, under a new name, with its backups. Gives that name. */
export function setAside(machine: Machine, folder: string): string {
  const at = folder.lastIndexOf("/") + 1;
  const place = `${folder.slice(0, at)}damaged-${folder.slice(at)}`;
  machine.rename(folder, place);
  machine.sync(folderOf(folder));
  return place;
}

/** Whether a run waits for a person who has still time. */
export function hasTime(machine: Machine, { journal }: Run): boolean {
  if (journal.state !== "unconfirmed" || journal.deadline === null) return false;
  return machine.now() < new Date(journal.deadline);
}

/** A line in the log that people read, in UTF-8. */
export function writeLog(machine: Machine, stateFolder: string, text: string): void {
  const path = `${stateFolder}/log`;
  if (machine.status(path) === null) machine.create(path);
  const line = `${machine.now().toISOString()}  ${text}\n`;
  machine.append(path, Buffer.from(line, "utf8"));
}

/** The folders of a run's files, each once. */
export function foldersOf({ journal }: Run): string[] {
  return [...new Set(journal.files.map(({ path }) => folderOf(path)))];
}
