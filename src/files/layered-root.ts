/** The root file system that layers make when each is laid over those before it, seen as a FileTree. */
import { MAX_FILE_BYTES, unreadable } from "./folder.ts";
import type { LayerEntry, ScannedLayer } from "./layer.ts";
import { folderOf } from "./path.ts";
import { type Failure, type Lookup, MAX_LINKS, type Resolved, resolveInside } from "./resolve.ts";
import type { TarEntry } from "./tar.ts";
import { ArchiveError, type Attributes } from "./tar-header.ts";
import type { FileContent, FileEntry, FileTree } from "./tree.ts";
import { folderAndAbove, foldersAbove, type Wanted } from "./wanted.ts";

interface Folder {
  readonly kind: "folder";
  attributes: Attributes;
  /** the layer that gave it these; null: none did, it is there for what is in it */
  since: number | null;
  readonly children: Map<string, Entry>;
  /** what layers took away from it, by which layer */
  readonly gone: { readonly name: string; readonly entry: Entry; readonly layer: number }[];
}

interface File {
  readonly kind: "file";
  readonly attributes: Attributes;
  readonly size: number;
  readonly body: LayerEntry["body"];
  readonly layer: number;
  /** what an earlier layer had at this place */
  readonly before: File | null;
}

interface Link {
  readonly kind: "link";
  readonly attributes: Attributes;
  readonly target: string;
}

interface Other {
  readonly kind: "other";
  readonly attributes: Attributes;
}

type Entry = Folder | File | Link | Other;

/** What was asked for and is not among the wanted: to be read in a further pass. */
export interface Missed {
  readonly files: Set<string>;
  readonly folders: Set<string>;
}

export interface FileVersion {
  /** the place of the layer among all, from 0 */
  readonly layer: number;
  readonly bytes: Uint8Array;
}

export interface LayeredRoot {
  readonly tree: FileTree;
  readonly missed: Missed;
  /** the file at a path without links, as each layer that has it left it, the last one first */
  readonly versions: (path: string) => readonly FileVersion[];
  /** the configurations that layers took away from a folder, and from those in it, each as it was left, by which layer */
  readonly goneFrom: (folder: string) => readonly FileVersion[];
  /** the layer since which what lies there has its owner and mode; null: nobody gave it these */
  readonly permitter: (path: string) => number | null;
}

const PLAIN_FOLDER: Attributes = { mode: 0o755, uid: 0, gid: 0, modifiedMs: 0 };

export function layeredRoot(layers: readonly ScannedLayer[], wanted: Wanted): LayeredRoot {
  const root: Folder = {
    kind: "folder",
    attributes: PLAIN_FOLDER,
    since: null,
    children: new Map(),
    gone: [],
  };
  const missed: Missed = { files: new Set(), folders: new Set() };
  const mayBe = placesOf(layers);
  const lookup = lookupIn(root, (path, whole) => {
    const isLeftOut = wanted.keeping(path) === "nothing" || wanted.keeping(whole) === "nothing";
    if (isLeftOut && mayBe(whole)) missed.files.add(whole);
  });
  for (const [index, layer] of layers.entries()) applyLayer({ root, lookup, missed, wanted }, layer, index);
  return {
    tree: {
      read: (path) => readFile(lookup, missed, path),
      list: (path) => listFolder(lookup, wanted, missed, path),
      stat: (path, options) => statPath(lookup, path, options?.follow ?? true),
    },
    missed,
    versions: (path) => versionsOf(resolveInside(lookup, path, "keep")),
    goneFrom: (folder) => {
      const found = resolveInside(lookup, folder, "follow");
      return "code" in found || found.node.kind !== "folder" ? [] : goneIn(found.node);
    },
    permitter: (path) => permitterOf(resolveInside(lookup, path, "keep")),
  };
}

/** `missing`: told the path that is not there, and the whole one that was asked for. */
function lookupIn(root: Folder, missing: (path: string, whole: string) => void): Lookup<Entry> {
  return {
    at: (path, rest, folder) => {
      const entry = folder === undefined ? entryBelow(root, path) : childOf(folder, nameOf(path));
      if (entry !== undefined) return entry;
      missing(path, wholePath(path, rest));
      return { code: "ENOENT" };
    },
    targetOf: (_, entry) => (entry.kind === "link" ? entry.target : null),
  };
}

function entryBelow(root: Folder, path: string): Entry | undefined {
  let entry: Entry | undefined = root;
  for (const name of path.split("/")) if (name !== "") entry = childOf(entry, name);
  return entry;
}

function childOf(entry: Entry | undefined, name: string): Entry | undefined {
  return entry?.kind === "folder" ? entry.children.get(name) : undefined;
}

/** The whole path that is asked for, so that the next pass need not stop at each of its folders. */
function wholePath(path: string, rest: readonly string[]): string {
  if (rest.length === 0) return path;
  const further = [...rest].reverse().filter((name) => name !== "" && name !== ".");
  return further.includes("..") ? path : [path, ...further].join("/");
}

/** False where no layer has anything at a path, nor a link on the way to it: another pass would find nothing. */
function placesOf(layers: readonly ScannedLayer[]): (path: string) => boolean {
  let known: ReadonlySet<string> | null = null;
  return (path) => {
    known ??= takenFrom(layers);
    const taken = known;
    const above = foldersAbove(path);
    const folder = above[0] ?? "/";
    if (taken.has(path) || taken.has(folder)) return true;
    return layers.some(
      ({ folders, links }) =>
        folders.has(path) || folders.has(folder) || above.some((each) => links.has(each)),
    );
  };
}

/** The folders of all whiteouts, and those above them. */
function takenFrom(layers: readonly ScannedLayer[]): ReadonlySet<string> {
  const folders = layers.flatMap((layer) => [...layer.takenFrom]);
  return new Set(folders.flatMap((folder) => folderAndAbove(folder)));
}

function readFile(lookup: Lookup<Entry>, missed: Missed, path: string): FileContent {
  const found = resolveInside(lookup, path, "follow");
  if ("code" in found) return unreadable(found.code);
  const { node, path: realPath } = found;
  if (node.kind === "folder") return { kind: "folder" };
  if (node.kind !== "file") return unreadable("ESPECIAL");
  if (node.size > MAX_FILE_BYTES) return unreadable("ETOOBIG");
  const bytes = node.size === 0 ? new Uint8Array() : (node.body?.() ?? null);
  if (bytes !== null) return { kind: "file", bytes, realPath };
  missed.files.add(realPath);
  return unreadable("EIO");
}

function listFolder(
  lookup: Lookup<Entry>,
  wanted: Wanted,
  missed: Missed,
  path: string,
): readonly string[] | null {
  const found = resolveInside(lookup, path, "follow");
  if ("code" in found || found.node.kind !== "folder") return null;
  if (!wanted.lists(found.path)) missed.folders.add(found.path);
  return [...found.node.children.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function statPath(lookup: Lookup<Entry>, path: string, follow: boolean): FileEntry | null {
  const found = resolveInside(lookup, path, follow ? "follow" : "keep");
  if ("code" in found) return null;
  const { node, path: realPath } = found;
  return {
    kind: node.kind,
    size: node.kind === "file" ? node.size : 0,
    ...node.attributes,
    realPath,
    target: node.kind === "link" ? node.target : null,
  };
}

function versionsOf(found: Resolved<Entry> | Failure): readonly FileVersion[] {
  const versions: FileVersion[] = [];
  let file = "code" in found || found.node.kind !== "file" ? null : found.node;
  for (; file !== null; file = file.before) {
    const bytes = file.size === 0 ? new Uint8Array() : file.body?.();
    if (bytes === undefined || bytes === null) break;
    versions.push({ layer: file.layer, bytes });
  }
  return versions;
}

function goneIn({ gone, children }: Folder): readonly FileVersion[] {
  const taken = gone.flatMap(({ name, entry, layer }) =>
    configurationsIn(name, entry).map((bytes) => ({ layer, bytes })),
  );
  const below = [...children.values()].flatMap((child) => (child.kind === "folder" ? goneIn(child) : []));
  return [...taken, ...below];
}

/** By the names that they mostly have. */
function configurationsIn(name: string, entry: Entry): readonly Uint8Array[] {
  if (entry.kind === "folder")
    return [...entry.children].flatMap(([inside, child]) => configurationsIn(inside, child));
  const bytes =
    entry.kind === "file" && /(?:\.conf|^sshd_config)$/.test(name) ? (entry.body?.() ?? null) : null;
  return bytes === null ? [] : [bytes];
}

/** By a layer. */
function takeFrom(folder: Folder | null, name: string, layer: number): void {
  const entry = folder?.children.get(name);
  if (folder === null || entry === undefined) return;
  folder.children.delete(name);
  folder.gone.push({ name, entry, layer });
}

function permitterOf(found: Resolved<Entry> | Failure): number | null {
  const node = "code" in found ? null : found.node;
  if (node?.kind === "folder") return node.since;
  if (node?.kind !== "file") return null;
  let file = node;
  while (file.before !== null && isPermittedAlike(file.before.attributes, node.attributes))
    file = file.before;
  return file.layer;
}

function isPermittedAlike(a: Attributes, b: Attributes): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

interface Applying {
  readonly root: Folder;
  readonly lookup: Lookup<Entry>;
  readonly missed: Missed;
  readonly wanted: Wanted;
}

/** What a layer takes away is taken from lower layers alone, wherever it stands in the layer. */
function applyLayer(applying: Applying, layer: ScannedLayer, index: number): void {
  const below = foldersBelow(applying, layer);
  for (const path of layer.opaque) {
    const folder = below(path);
    for (const name of [...(folder?.children.keys() ?? [])]) takeFrom(folder, name, index);
  }
  for (const path of layer.whiteouts) takeFrom(below(folderOf(path)), nameOf(path), index);
  const own = new Set<Entry>();
  for (const each of layer.entries) {
    if ("implied" in each) makeImplied(applying, each.implied);
    const placed = "implied" in each ? null : place(applying, each, index);
    if (placed !== null) own.add(placed);
  }
  takeThroughLinks(applying, layer, { own, index });
}

/** A layer is unpacked entry by entry, so what it takes away behind a link of its own is where that leads. */
function takeThroughLinks(
  { lookup }: Applying,
  { links, opaque, whiteouts }: ScannedLayer,
  { own, index }: { readonly own: ReadonlySet<Entry>; readonly index: number },
): void {
  const isBehindLink = (folder: string): boolean => folderAndAbove(folder).some((each) => links.has(each));
  const take = (folder: string, names: (children: Folder["children"]) => Iterable<string>): void => {
    const found = resolveInside(lookup, folder, "follow");
    if ("code" in found || found.node.kind !== "folder") return;
    const { node } = found;
    for (const name of [...names(node.children)]) {
      const child = node.children.get(name);
      if (child !== undefined && !own.has(child)) takeFrom(node, name, index);
    }
  };
  for (const folder of opaque) if (isBehindLink(folder)) take(folder, (children) => children.keys());
  for (const path of whiteouts) if (isBehindLink(folderOf(path))) take(folderOf(path), () => [nameOf(path)]);
}

/** A folder without an entry of its own is there for what is in it, also where that is of no interest. */
function makeImplied(applying: Applying, path: string): void {
  const found = resolveInside(applying.lookup, path, "follow");
  if ("code" in found && found.code === "ENOENT") folderFor(applying, path);
}

/** Folders as lower layers left them; of one that this layer puts in place of a link nothing is below, whatever the link led to. */
function foldersBelow({ lookup }: Applying, { entries }: ScannedLayer): (path: string) => Folder | null {
  const own = new Set(
    entries.flatMap((each) => ("entry" in each && each.entry.kind === "folder" ? [each.entry.path] : [])),
  );
  const isLink = (path: string): boolean => {
    const found = resolveInside(lookup, path, "keep");
    return !("code" in found) && found.node.kind === "link";
  };
  return (path) => {
    if (folderAndAbove(path).some((each) => own.has(each) && isLink(each))) return null;
    const found = resolveInside(lookup, path, "follow");
    return "code" in found || found.node.kind !== "folder" ? null : found.node;
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** What is there now; null: nothing came of it. */
function place(applying: Applying, { entry, body }: LayerEntry, index: number): Entry | null {
  if (entry.path === "/") return permitted(applying.root, entry.attributes, index);
  const folder = folderFor(applying, folderOf(entry.path));
  if (folder === null) return null;
  const name = nameOf(entry.path);
  const there = folder.children.get(name);
  if (entry.kind === "folder" && there?.kind === "folder") return permitted(there, entry.attributes, index);
  const made = entry.kind === "hard-link" ? otherName(applying, entry) : madeOf(entry, body, index);
  if (made === null) return null;
  const before = there?.kind === "file" ? there : null;
  const placed = made.kind === "file" ? { ...made, layer: index, before } : made;
  // a folder gives way to a file, and what was in it is gone
  folder.children.set(name, placed);
  return placed;
}

/** Layers name folders again whose content they change. */
function permitted(folder: Folder, attributes: Attributes, layer: number): Folder {
  if (folder.since === null || !isPermittedAlike(folder.attributes, attributes)) folder.since = layer;
  folder.attributes = attributes;
  return folder;
}

function madeOf(entry: TarEntry, body: LayerEntry["body"], layer: number): Entry {
  const { attributes, target, length, sparse } = entry;
  switch (entry.kind) {
    case "folder":
      return { kind: "folder", attributes, since: layer, children: new Map(), gone: [] };
    case "link":
      return { kind: "link", attributes: { ...attributes, mode: 0o777 }, target };
    case "file":
      return { kind: "file", attributes, size: sparse?.size ?? length, body, layer, before: null };
    default:
      return { kind: "other", attributes };
  }
}

/** A hard link shares the file that its other name has at this moment. */
function otherName({ lookup, missed, wanted }: Applying, { path, target }: TarEntry): Entry | null {
  if (wanted.keeping(target) === "nothing") missed.files.add(target);
  const found = resolveInside(lookup, target, "keep");
  if (!("code" in found) && found.node.kind !== "folder") {
    // its bytes may be wanted under this name only
    if (found.node.kind === "file" && found.node.body === null && wanted.keeping(path) !== "entry")
      missed.files.add(target);
    return found.node;
  }
  if (wanted.keeping(target) === "nothing") return null;
  throw new ArchiveError(`the hard link "${path}" leads to "${target}", which is not there`);
}

/**
 * The folder that a path names, through links inside the root, made where it is missing, also where a link leads to
 * nothing, as Docker, containerd and umoci do. Null for links that lead on and on.
 */
function folderFor({ root, lookup }: Applying, path: string): Folder | null {
  const above: { readonly name: string; readonly folder: Folder }[] = [];
  const pending = path.split("/").reverse();
  let links = 0;
  while (pending.length > 0) {
    const name = pending.pop() ?? "";
    if (name === "" || name === ".") continue;
    if (name === "..") {
      above.pop();
      continue;
    }
    const { children } = above.at(-1)?.folder ?? root;
    const next = children.get(name);
    if (next?.kind === "link") {
      if (++links > MAX_LINKS) return null;
      if (next.target.startsWith("/")) above.length = 0;
      pending.push(...next.target.split("/").reverse());
      continue;
    }
    if (next !== undefined && next.kind !== "folder")
      throw new ArchiveError(`the entry "${path}" is below "${name}", which is no folder`);
    const folder: Folder = next ?? {
      kind: "folder",
      attributes: PLAIN_FOLDER,
      since: null,
      children: new Map(),
      gone: [],
    };
    // what is not there may be there unread
    if (next === undefined && links > 0)
      lookup.at(`/${[...above.map((each) => each.name), name].join("/")}`, pending);
    children.set(name, folder);
    above.push({ name, folder });
  }
  return above.at(-1)?.folder ?? root;
}
