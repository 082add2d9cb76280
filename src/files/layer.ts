/** What one layer says of the paths that are wanted: its entries in order, and what it takes away from lower layers. */

import { type Chunks, type Range, readRange, walkChunks, walkRange } from "./archive-bytes.ts";
import { MAX_FILE_BYTES } from "./folder.ts";
import { folderOf, joined } from "./path.ts";
import type { TarEntry, Visitor } from "./tar.ts";
import { ArchiveError, withHoles } from "./tar-header.ts";
import type { Wanted } from "./wanted.ts";

export interface LayerEntry {
  readonly entry: TarEntry;
  /** the bytes of a file; null where they were passed over or given up */
  readonly body: (() => Buffer | null) | null;
}

/** A folder that something is in, whether it has an entry of its own or not. */
export interface ImpliedFolder {
  readonly implied: string;
}

export interface ScannedLayer {
  readonly entries: readonly (LayerEntry | ImpliedFolder)[];
  /** paths that lower layers lose (OCI image specification, "Whiteouts") */
  readonly whiteouts: readonly string[];
  /** folders that lower layers lose everything below */
  readonly opaque: readonly string[];
  /** the folders of all entries and those above: may anything in it be wanted? */
  readonly folders: ReadonlyMap<string, boolean>;
  /** the folders of all whiteouts, which make none */
  readonly takenFrom: ReadonlySet<string>;
  /** is something written through a link? */
  readonly links: ReadonlySet<string>;
}

/** `layer`: names that begin with .wh. take something away; in the tar of a root they are names like any other. */
export type TarKind = "layer" | "root";

/** Bodies that are kept in memory, over all layers. */
export interface Keeper {
  /** false where a later layer has the file, too, or nobody could read it */
  readonly mayKeep: (path: string, layer: number, length: number) => boolean;
  /** how to get them later; null when a later layer's were kept instead */
  readonly keep: (path: string, layer: number, bytes: Buffer) => () => Buffer | null;
}

export interface Scanning {
  readonly wanted: Wanted;
  readonly keeper: Keeper;
  readonly kind: TarKind;
  /** the place of the layer among all, from 0 */
  readonly layer: number;
}

/** Ours: bodies of files in wanted folders; entries that are kept; folders and links that are known; all bodies. */
const SMALL = 1024 * 1024;
const MAX_ENTRIES = 50_000;
const MAX_KNOWN = 200_000;
const MAX_KEPT = 96 * 1024 * 1024;
/** Smaller ones of all layers stay: they tell which layer wrote a line. */
const MAX_VERSION = 256 * 1024;

/** How much is kept by all keepers that share it. */
export interface Budget {
  bytes: number;
}

export function openKeeper(budget: Budget): Keeper {
  const kept = new Map<string, { readonly layer: number; bytes: Buffer | null }>();
  return {
    // layers are read side by side, so a later one may have been here first
    mayKeep: (path, layer, length) =>
      length <= MAX_VERSION || (length <= MAX_FILE_BYTES && (kept.get(path)?.layer ?? -1) <= layer),
    keep: (path, layer, bytes) => {
      const before = kept.get(path);
      const isLater = before === undefined || before.layer <= layer;
      if (isLater && before !== undefined && (before.bytes?.length ?? 0) > MAX_VERSION) {
        budget.bytes -= before.bytes?.length ?? 0;
        before.bytes = null;
      }
      const mine: { readonly layer: number; bytes: Buffer | null } = { layer, bytes: Buffer.from(bytes) };
      budget.bytes += bytes.length;
      if (budget.bytes > MAX_KEPT)
        throw new ArchiveError("its configuration, accounts and package lists are larger than 96 MiB");
      if (isLater) kept.set(path, mine);
      return () => mine.bytes;
    },
  };
}

/** Of a part of a file: bodies are left where they are. */
export function scanRange(range: Range, scanning: Scanning): ScannedLayer {
  const { visitor, scanned } = collect(scanning, (entry) => () => {
    return wholeFile(entry, readRange(range, entry.start, entry.length));
  });
  walkRange(range, visitor);
  return scanned;
}

/** Of a stream: bodies that are wanted are kept, if they are not too large. */
export async function scanChunks(chunks: Chunks, scanning: Scanning): Promise<ScannedLayer> {
  const { visitor, scanned } = collect(scanning, null);
  await walkChunks(chunks, visitor, async () => {});
  return scanned;
}

type Stored = (entry: TarEntry) => () => Buffer | null;

/** `stored`: where bodies need not be read now, how they are read later. */
export function collect(
  { wanted, keeper, kind, layer }: Scanning,
  stored: Stored | null,
): { readonly visitor: Visitor; readonly scanned: ScannedLayer } {
  const entries: (LayerEntry | ImpliedFolder)[] = [];
  const removals = { whiteouts: [] as string[], opaque: [] as string[] };
  const known = {
    folders: new Map<string, boolean>(),
    links: new Set<string>(),
    takenFrom: new Set<string>(),
  };
  let lastFolder = "/";
  let mayBeWanted = true;
  const refuseTooMany = ({ size }: { readonly size: number }): void => {
    if (size > MAX_KNOWN)
      throw new ArchiveError(`more than ${MAX_KNOWN} folders or links: a limit of sshd-policy`);
  };
  const know = (folder: string): boolean => {
    const isWanted = wanted.keeping(folder) !== "nothing";
    refuseTooMany(known.folders.set(folder, isWanted));
    if (isWanted) entries.push({ implied: folder });
    return isWanted;
  };
  const enterFolder = (folder: string): void => {
    lastFolder = folder;
    mayBeWanted = known.folders.get(folder) ?? know(folder);
    for (let above = folderOf(folder); !known.folders.has(above); above = folderOf(above)) know(above);
  };
  const add = (entry: TarEntry, body: LayerEntry["body"]): void => {
    entries.push({ entry, body });
    if (entries.length > MAX_ENTRIES)
      throw new ArchiveError(`more than ${MAX_ENTRIES} files of configuration: a limit of sshd-policy`);
  };
  const visitor: Visitor = {
    concerns: (path, entryKind) => {
      const slash = path.lastIndexOf("/");
      if (kind === "layer" && path.startsWith(".wh.", slash + 1)) {
        const folder = folderOf(path);
        refuseTooMany(known.takenFrom.add(folder));
        takeAway(folder, path.slice(slash + 1 + ".wh.".length), wanted, removals);
        return false;
      }
      // most entries are in the folder of the one before
      if (slash !== lastFolder.length || !path.startsWith(lastFolder)) enterFolder(folderOf(path));
      if (entryKind === "link") refuseTooMany(known.links.add(path));
      return mayBeWanted && wanted.keeping(path) !== "nothing";
    },
    passesBeside: (path) => !(known.folders.get(folderOf(path)) ?? know(folderOf(path))),
    enter: (entry) => {
      const { path, length } = entry;
      if (entry.kind !== "file") add(entry, null);
      else if (stored !== null) add(entry, stored(entry));
      else if (keepsBody(wanted, entry) && keeper.mayKeep(path, layer, length)) return "read";
      else add(entry, null);
      return "pass";
    },
    data: (entry, bytes) => add(entry, keeper.keep(entry.path, layer, wholeFile(entry, bytes))),
  };
  return { visitor, scanned: { entries, ...removals, ...known } };
}

function takeAway(
  folder: string,
  name: string,
  wanted: Wanted,
  removals: { readonly whiteouts: string[]; readonly opaque: string[] },
): void {
  if (name === ".wh..opq") {
    if (wanted.keeping(folder) !== "nothing") removals.opaque.push(folder);
    return;
  }
  // containerd refuses it, too: it would take the folder itself, or the one above
  if (/^\.{0,2}$/.test(name))
    throw new ArchiveError(`the whiteout ".wh.${name}" in ${folder} names nothing there`);
  const path = joined(folder, name);
  // other names of this kind are aufs' own notes
  if (!name.startsWith(".wh.") && wanted.keeping(path) !== "nothing") removals.whiteouts.push(path);
}

function keepsBody(wanted: Wanted, { path, length }: TarEntry): boolean {
  const keeping = wanted.keeping(path);
  return keeping === "bytes" || (keeping === "small" && length <= SMALL);
}

function wholeFile({ sparse }: TarEntry, data: Buffer): Buffer {
  if (sparse === null) return data;
  if (sparse.size > MAX_FILE_BYTES) throw new ArchiveError("a sparse file larger than 64 MiB");
  return withHoles(data, sparse);
}
