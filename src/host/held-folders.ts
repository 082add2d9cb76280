/**
 * Whoever may write above a folder can put a link in its place between two calls, and root would write where that leads.
 * So the folders in which a run replaces files are held open from its first look on, and all that it does with names in
 * them is done in what is held.
 */
import type { HeldFolder } from "../files/held-folder.ts";
import { folderOf, type Machine } from "./machine.ts";

export interface HoldingMachine extends Machine {
  /** the name under which a program that is started finds this file, whatever becomes of its folder */
  readonly placeOf: (path: string) => string;
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
  const open = new Map<string, HeldFolder>();
  const hold = (folder: string): string => {
    const now = open.get(folder) ?? heldOrTrusted(machine, folder);
    open.set(folder, now);
    return now.place;
  };
  const at = (path: string): string => {
    // the folder itself, for what is asked of no link
    if (folders.has(path)) return `${hold(path)}/.`;
    const folder = folderOf(path);
    return folders.has(folder) ? `${hold(folder)}/${path.slice(path.lastIndexOf("/") + 1)}` : path;
  };
  const held: HoldingMachine = {
    ...machine,
    placeOf: at,
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

function heldOrTrusted(machine: Machine, folder: string): HeldFolder {
  const held = machine.holdFolder(folder);
  if (held !== null) return held;
  const because = whyOthersCouldSwap(machine, folder);
  if (because !== null) throw new Error(because);
  return { place: folder === "/" ? "" : folder, release: () => {} };
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
    if (status === null) return `${inside} is no longer the folder it was: run again`;
    const isShared = (status.mode & GROUP_OR_WORLD_WRITE) !== 0 && (status.mode & STICKY) === 0;
    if (status.uid !== 0 || isShared)
      return `somebody else than root may write in ${above}, and this system has no way to keep ${inside} from being replaced by a link meanwhile: run as its owner`;
  }
  return null;
}
