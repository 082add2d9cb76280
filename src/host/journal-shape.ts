/**
 * Whether what was read is a journal, to the last field. A damaged one, or one that somebody else wrote, would be undone
 * otherwise: files would be renamed and removed that no run ever made.
 */
import { MANAGER_KINDS } from "./managed-service.ts";
import { twinPath } from "./replace.ts";

type Shape = (value: unknown) => boolean;

const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const isText: Shape = (value) => typeof value === "string";
const isFlag: Shape = (value) => typeof value === "boolean";
const isDate: Shape = (value) =>
  typeof value === "string" && ISO_DATE.test(value) && !Number.isNaN(Date.parse(value));
const isWhole: Shape = (value) => typeof value === "number" && Number.isInteger(value);
const isHash: Shape = (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);

const listOf =
  (item: Shape, { least }: { readonly least: number } = { least: 0 }): Shape =>
  (value) =>
    Array.isArray(value) && value.length >= least && value.every(item);
const orNull =
  (shape: Shape): Shape =>
  (value) =>
    value === null || shape(value);
/** A field that earlier builds did not write. */
const orMissing =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || shape(value);
const among =
  (...words: readonly unknown[]): Shape =>
  (value) =>
    words.includes(value);

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const having =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, shape]) => shape(value[name]));

const ENDPOINTS = listOf(having({ address: isText, port: isWhole }));
const COMMAND = orNull(listOf(isText, { least: 1 }));

const PROCESS = having({ pid: isWhole, started: isWhole });

/** What is kept of the sessions that were open before the change. */
export const areSessions: Shape = listOf(PROCESS);

const SERVICE = having({
  how: among("restart", "reload"),
  silent: ENDPOINTS,
  configFile: isText,
  restartCommand: orNull(isText),
  manager: having({
    kind: among(...MANAGER_KINDS),
    name: isText,
    listens: ENDPOINTS,
    restart: COMMAND,
    reload: COMMAND,
    status: COMMAND,
  }),
  old: orMissing(orNull(having({ process: PROCESS, sockets: listOf(isText, { least: 1 }) }))),
  rescue: orMissing(orNull(having({ command: listOf(isText, { least: 1 }), units: listOf(isText) }))),
});

const JOURNAL = having({
  version: among(1),
  state: among("prepared", "swapping", "unconfirmed", "finishing", "done", "undoing", "undone"),
  started: isDate,
  caller: isText,
  files: listOf(isRecord, { least: 1 }),
  service: orNull(SERVICE),
  restarted: isFlag,
  deadline: orNull(isDate),
});

/** `folder`: of the run, whose name is part of all names that it gives. */
export function isJournal(value: unknown, folder: string): boolean {
  return (
    JOURNAL(value) &&
    isRecord(value) &&
    listOf((file) => isRecord(file) && isOfRun(file, folder))(value["files"])
  );
}

/** Each name follows from the file's own and the run's: no other file is ever renamed or removed. */
function isOfRun({ path, newTwin, oldTwin, backup, before, after }: Fields, folder: string): boolean {
  if (typeof path !== "string" || !/^\/(?:[^\0]*\/)?[^/\0]+$/.test(path)) return false;
  const run = folder.slice(folder.lastIndexOf("/") + 1);
  return (
    newTwin === twinPath(path, "new", run) &&
    oldTwin === twinPath(path, "old", run) &&
    typeof backup === "string" &&
    backup.startsWith(`${folder}/`) &&
    !backup.slice(folder.length + 1).includes("/") &&
    isHash(before) &&
    isHash(after)
  );
}
