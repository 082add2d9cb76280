/**
 * Images and root file systems in archives: `docker save`, OCI archives and layouts, tars of a root; plain, gzip or
 * zstd, outside and inside. Nothing is unpacked: the layers are walked through, and what an audit asks for is kept.
 */

import { type ImageChoice, type ImageManifest, type LayerOrigin, readManifest } from "./image-manifest.ts";
import { imageName } from "./image-name.ts";
import { openStore, type Store } from "./image-store.ts";
import type { ScannedLayer } from "./layer.ts";
import { type FileVersion, type LayeredRoot, layeredRoot } from "./layered-root.ts";
import { DEFAULT_FOLDERS } from "./path.ts";
import { ArchiveError } from "./tar-header.ts";
import type { FileTree } from "./tree.ts";
import { isRootFileSystem } from "./vendor-place.ts";
import { folderAndAbove, openWanted, type Wanted } from "./wanted.ts";

export interface Image {
  readonly tree: FileTree;
  /** "linux/amd64"; null for the tar of a root */
  readonly platform: string | null;
  /** ENTRYPOINT and CMD */
  readonly command: readonly string[];
  /** ENV, "NAME=value" */
  readonly environment: readonly string[];
  /** WORKDIR, without a slash at its end */
  readonly folder: string;
  /** the layer that wrote this line of the file at a path without links; null in the tar of a root */
  readonly writerOf: (path: string, line: string) => LayerOrigin | null;
  /**
   * The last layer that took away a line of which this is true: from one of these files, as paths without links, or with
   * a file in this folder; null: none did, or it is the tar of a root.
   */
  readonly takerOf: (
    from: { readonly files: readonly string[]; readonly folder: string },
    isMeant: (line: string) => boolean,
  ) => LayerOrigin | null;
  /** the layer since which what lies there has its owner and mode; null in the tar of a root */
  readonly permitterOf: (path: string) => LayerOrigin | null;
}

export interface ImageOptions {
  /** "linux/arm64": which one of an index */
  readonly platform: string | null;
  /** how many threads of this process read images: together they unpack as many layers at a time as one would alone */
  readonly threads: number;
  /** Asks the tree for all that is going to be asked for; called again when more had to be read for it. */
  readonly explore: (image: Image) => Promise<void>;
}

/** Ours: chains of links and Includes that lead on after so many readings. */
const MAX_PASSES = 12;

/**
 * Opens and reads the image of this name (image-name.ts) on this machine; what is wrong with it, in words that go on from its name: nothing
 * is thrown for that. All texts are bytes, one character each.
 */
export async function openImage(
  path: string,
  options: ImageOptions,
): Promise<Image | { readonly error: string }> {
  try {
    return await readImage(path, options);
  } catch (error) {
    if (error instanceof ArchiveError) return { error: error.message };
    if (error instanceof Error && "syscall" in error) return { error: reasonOf(error) };
    throw error;
  }
}

/** "No such file or directory", of Node's "ENOENT: no such file or directory, stat 'x'". */
function reasonOf({ message }: Error): string {
  const reason = /^[A-Z0-9]+: ([^,]*)/.exec(message)?.[1] ?? message;
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

async function readImage(given: string, { platform, threads, explore }: ImageOptions): Promise<Image> {
  const { path, tag } = imageName(given);
  const wanted = openWanted();
  const store = await openStore(path, wanted, threads);
  const manifest = readManifest(store.readMember, { platform, tag });
  const scripts = new Set(scriptsOf(manifest));
  // a stream has been read to its end for its manifest: of what was left out then it is asked again
  if (!store.isStream) for (const path of scripts) wanted.addSmall(path);
  for (let pass = 1; pass <= MAX_PASSES; pass++) {
    const layers = await scan(store, manifest, wanted);
    const root = layeredRoot(layers, wanted);
    if (manifest === null) refuseNoRoot(root.tree, { platform, tag });
    const image = imageOf(root, manifest);
    await explore(image);
    const further = writtenThroughLinks(layers, root.tree, wanted);
    if (root.missed.files.size + root.missed.folders.size === 0 && !further) return image;
    for (const file of root.missed.files)
      if (scripts.has(file) && wanted.keeping(file) === "nothing") wanted.addSmall(file);
      else wanted.addFile(file);
    for (const folder of root.missed.folders) wanted.addFolder(folder);
  }
  throw new ArchiveError(`its links and Includes lead on and on: not followed after ${MAX_PASSES} readings`);
}

/** Where the words of ENTRYPOINT and CMD may lead: what is not asked for at first costs another reading. */
function scriptsOf(manifest: ImageManifest | null): readonly string[] {
  const words = (manifest?.command ?? []).slice(0, 6);
  return words.flatMap((word) => {
    if (word.startsWith("/")) return [word];
    if (word.startsWith("./")) return [`${manifest?.folder ?? ""}${word.slice(1)}`];
    return /^[\w.-]+$/.test(word) ? DEFAULT_FOLDERS.map((folder) => `${folder}/${word}`) : [];
  });
}

async function scan(
  store: Store,
  manifest: ImageManifest | null,
  wanted: Wanted,
): Promise<readonly ScannedLayer[]> {
  if (manifest !== null) return store.scanLayers(manifest.layers, wanted);
  if (store.scanRoot === null)
    throw new ArchiveError("it is a folder, and no OCI layout: for the / of a server there is --root");
  return [await store.scanRoot(wanted)];
}

/** Any tar can be opened. */
function refuseNoRoot(tree: FileTree, { platform, tag }: ImageChoice): void {
  if (!isRootFileSystem(tree))
    throw new ArchiveError("it holds no image that can be read, and no root file system");
  if (platform !== null)
    throw new ArchiveError(
      "it is the tar of a root file system, of which nothing says for which platform it is: leave --platform out",
    );
  if (tag !== null)
    throw new ArchiveError(
      `it is the tar of a root file system, which has no images to choose from: leave :${tag} out`,
    );
}

function imageOf(
  { tree, versions, goneFrom, permitter }: LayeredRoot,
  manifest: ImageManifest | null,
): Image {
  const known = new Map<string, readonly Version[]>();
  const versionsAt = (path: string): readonly Version[] => {
    const seen = known.get(path) ?? versions(path).map(versionOf);
    known.set(path, seen);
    return seen;
  };
  const originOf = (index: number | null): LayerOrigin | null =>
    index === null ? null : (manifest?.layers[index]?.origin ?? null);
  return {
    tree,
    permitterOf: (path) => originOf(permitter(path)),
    writerOf: (path, line) => originOf(writerOf(versionsAt(path), line)),
    takerOf: ({ files, folder }, isMeant) => {
      const has = ({ text }: Version): boolean => text.split("\n").some(isMeant);
      const rewritten = files.flatMap((path) => rewriterOf(versionsAt(path), has) ?? []);
      const gone = goneFrom(folder).map(versionOf).filter(has);
      const layers = [...rewritten, ...gone.map(({ layer }) => layer)];
      return originOf(layers.length === 0 ? null : Math.max(...layers));
    },
    platform: manifest?.platform ?? null,
    command: manifest?.command ?? [],
    environment: manifest?.environment ?? [],
    folder: manifest?.folder ?? "",
  };
}

/** A file as one layer left it. */
interface Version {
  readonly layer: number;
  /** with a line end before the first line and behind the last */
  readonly text: string;
}

function versionOf({ layer, bytes }: FileVersion): Version {
  return {
    layer,
    text: `\n${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")}\n`,
  };
}

/** The first of the layers since which the line is there: a later one that rewrote the file may have kept it. */
function writerOf(versions: readonly Version[], line: string): number | null {
  let writer = versions[0]?.layer ?? null;
  for (const { layer, text } of versions) {
    if (!text.includes(`\n${line}\n`)) break;
    writer = layer;
  }
  return writer;
}

/** The layer that left a file without what it had; the last version comes first. */
function rewriterOf(versions: readonly Version[], has: (version: Version) => boolean): number | null {
  const at = versions.findIndex(has);
  return at < 1 ? null : (versions[at - 1]?.layer ?? null);
}

/**
 * Docker and containerd write an entry below a link to where the link leads. Such links become wanted, and folders that
 * are in truth wanted ones. True when anything new is.
 */
function writtenThroughLinks(layers: readonly ScannedLayer[], tree: FileTree, wanted: Wanted): boolean {
  const links = new Set<string>();
  let isNew = false;
  for (const layer of layers) {
    for (const link of layer.links) links.add(link);
    if (links.size === 0) continue;
    for (const folder of [...layer.folders.keys(), ...layer.takenFrom]) {
      const link = folderAndAbove(folder).find((above) => links.has(above));
      if (link !== undefined && follows(link, folder, tree, wanted)) isNew = true;
    }
  }
  return isNew;
}

function follows(link: string, folder: string, tree: FileTree, wanted: Wanted): boolean {
  if (wanted.keeping(link) === "nothing") {
    wanted.addFile(link);
    return true;
  }
  const target = tree.stat(link)?.realPath;
  if (target === link || wanted.lists(folder)) return false;
  // a link to nothing leads to a folder as soon as an entry below it is written
  if (target === undefined) {
    wanted.addFolder(folder);
    return true;
  }
  const real = (target === "/" ? "" : target) + folder.slice(link.length);
  if (wanted.keeping(real === "" ? "/" : real) === "nothing") return false;
  wanted.addFolder(folder);
  return true;
}
