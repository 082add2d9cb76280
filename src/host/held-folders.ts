/**
 * Whoever may write above a folder can put a link in its place between two calls, and root would write where that leads.
 * So the folders in which a run replaces files are held open from its first look on, and all that it does with names in
 * them is done in what is held.
 */

import type { HeldFolder } from "../files/held-folder.ts";
import { folderOf } from "../files/path.ts";
import type { FileStatus, Machine } from "./machine.ts";
import { codeOf } from "./this-machine.ts";

export interface HoldingMachine extends Machine {
  /** the name under which a program that is started with these handles finds the folder, whatever becomes of it */
  readonly forProgram: (folder: string) => {
    readonly place: string;
    readonly handles: readonly number[];
  };
  /** why its folder cannot be held; null: it is */
  readonly whyOutOfReach: (path: string) => OutOfReach | null;
  /** whether the folder that is held still has its name, and no link leads there. @throws where none can be held there now */
  readonly isInPlace: (folder: string) => boolean;
}

/** "gone": the folder is; "elsewhere": no folder is there, or a link leads to it. Neither passes by itself. */
export type OutOfReach = "gone" | "elsewhere";

interface Held extends Pick<HeldFolder, "place" | "release"> {
  /** null: the folder is trusted to stay */
  readonly handle: number | null;
}

/** With the folders of these files held from their first use on. A call throws where one cannot be held. */
export async function whileHolding<T>(
  machine: Machine,
  files: readonly { readonly path: string }[],
  act: (held: HoldingMachine) => Promise<T>,
): Promise<T> {
  const { held, release } = holding(
    machine,
    files.map(({ path }) => path),
  );
  try {
    return await act(held);
  } finally {
    release();
  }
}

function holding(
  machine: Machine,
  paths: readonly string[],
): { readonly held: HoldingMachine; readonly release: () => void } {
  const folders = new Set(paths.map(folderOf));
  const open = new Map<string, Held>();
  const hold = (folder: string): Held => {
    const now = open.get(folder) ?? heldOrTrusted(machine, folder);
    open.set(folder, now);
    return now;
  };
  const at = (path: string): string => {
    // the folder itself, for what is asked of no link
    if (folders.has(path)) return `${hold(path).place}/.`;
    const folder = folderOf(path);
    return folders.has(folder) ? `${hold(folder).place}/${path.slice(path.lastIndexOf("/") + 1)}` : path;
  };
  const held: HoldingMachine = {
    ...machine,
    forProgram: (folder) => {
      const { place, handle } = hold(folder);
      // /proc/PID of a process that may not be looked into leads others nowhere (proc(5)); a program's own leads it anywhere
      return handle === null ? { place, handles: [] } : { place: "/proc/self/fd/3", handles: [handle] };
    },
    whyOutOfReach: (path) => whyOutOfReach(() => at(path)),
    isInPlace: (folder) => isInPlace(machine, folder, at(folder)),
    // an undo inside of a run works in the folders that the run has held
    holdFolder: (folder) => {
      const now = open.get(folder);
      if (now === undefined || now.handle === null) return machine.holdFolder(folder);
      return { place: now.place, handle: now.handle, release: () => {} };
    },
    readFile: (path) => machine.readFile(at(path)),
    status: (path) => machine.status(at(path)),
    list: (path) => machine.list(at(path)),
    readLink: (path) => machine.readLink(at(path)),
    realPath: (path) => machine.realPath(at(path)),
    makeFolder: (path) => machine.makeFolder(at(path)),
    removeFolder: (path) => machine.removeFolder(at(path)),
    create: (path) => machine.create(at(path)),
    write: (path, bytes) => machine.write(at(path), bytes),
    append: (path, bytes) => machine.append(at(path), bytes),
    setOwnerAndMode: (path, owner) => machine.setOwnerAndMode(at(path), owner),
    sync: (path) => machine.sync(at(path)),
    rename: (from, to) => machine.rename(at(from), at(to)),
    link: (from, to) => machine.link(at(from), at(to)),
    unlink: (path) => machine.unlink(at(path)),
  };
  const release = (): void => {
    for (const folder of open.values()) folder.release();
  };
  return { held, release };
}

function whyOutOfReach(reach: () => unknown): OutOfReach | null {
  try {
    reach();
    return null;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "gone";
    if (codeOf(error) === "ELOOP") return "elsewhere";
    throw error;
  }
}

/** By inode: what lies below another process's root has another name among ours. */
function isInPlace(machine: Machine, folder: string, held: string): boolean {
  const now = machine.holdFolder(folder);
  if (now === null) return machine.realPath(held) === folder;
  try {
    return isSame(machine.status(`${now.place}/.`), machine.status(held));
  } finally {
    now.release();
  }
}

function isSame(one: FileStatus | null, other: FileStatus | null): boolean {
  return one !== null && one.inode === other?.inode && one.device === other.device;
}

function heldOrTrusted(machine: Machine, folder: string): Held {
  const held = machine.holdFolder(folder);
  if (held !== null) return held;
  const because = whyOthersCouldSwap(machine, folder);
  if (because !== null) throw new Error(because);
  return { place: folder === "/" ? "" : folder, handle: null, release: () => {} };
}

const GROUP_OR_WORLD_WRITE = 0o022;
const STICKY = 0o1000;

/** Where nothing can be held, root works only in folders that nobody else can put anything in place of. */
function whyOthersCouldSwap(machine: Machine, folder: string): string | null {
  if (machine.self.uid !== 0) return null;
  for (let above = folder; above !== "/"; ) {
    const inside = above;
    above = folderOf(above);
    const status = machine.status(above);
    if (status === null) throw Object.assign(new Error(`${inside} is not there`), { code: "ENOENT" });
    const isShared = (status.mode & GROUP_OR_WORLD_WRITE) !== 0 && (status.mode & STICKY) === 0;
    if (status.uid !== 0 || isShared)
      return `somebody else than root may write in ${above}, and this system has no way to keep ${inside} from being replaced by a link meanwhile: run as its owner`;
  }
  return null;
}
