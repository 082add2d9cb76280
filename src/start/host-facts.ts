/** What a tree tells beside the configuration itself: drop-ins that nothing reads, and permissions. */
import type { BootClock } from "../files/boot-clock.ts";
import type { Account, FileTree } from "../files/tree.ts";
import { type DaemonStart, daemonStart, unreadFiles } from "./daemon-start.ts";
import { type SocketUnit, socketUnit } from "./socket-unit.ts";

export interface HostFacts {
  /** files of the drop-in folder that no Include reads, with their first bytes, for an excerpt */
  readonly unreadDropIns: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** files and folders that somebody else than root may change, nearest first */
  readonly loose: readonly LoosePath[];
  /** systemd listens in sshd's place; null where it does not */
  readonly socket: SocketUnit | null;
  /** null where no daemon runs, or nothing tells since when */
  readonly daemon: DaemonStart | null;
  /** the files that were changed since it read them, by real path, with when (milliseconds since 1970) */
  readonly unread: ReadonlyMap<string, number>;
  readonly authorizedKeys: readonly AuthorizedKeys[];
  /** what was not looked at */
  readonly limits: readonly string[];
}

/** A file of authorized keys that is there. */
export interface AuthorizedKeys {
  readonly account: Account;
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface LoosePath {
  /** the file of the configuration it endangers, as its real path */
  readonly file: string;
  /** the file itself or a folder above it */
  readonly path: string;
  readonly because: string;
}

export interface FactOptions {
  /** real paths of the files that sshd reads */
  readonly files: readonly string[];
  /** stands for /etc/ssh; null: drop-ins are not looked for */
  readonly configFolder: string | null;
  /** owners mean something: the live host, an image, or a root whose `/` is root's */
  readonly owners: boolean;
  /** permissions are those of a server, not of somebody's checkout */
  readonly permissions: boolean;
  /** its own sshd runs here; null: it does not */
  readonly running: BootClock | null;
  /** where the accounts keep their keys (src/policy/key-files.ts) */
  readonly keyFiles: readonly { readonly account: Account; readonly path: string }[];
}

export function hostFacts(tree: FileTree, options: FactOptions): HostFacts {
  const limits: string[] = [];
  const { running } = options;
  const daemon = running === null ? null : daemonStart(tree, running);
  return {
    unreadDropIns: unreadDropIns(tree, options),
    loose: options.permissions
      ? options.files.flatMap((file) => looseAround(tree, file, options.owners))
      : [],
    socket: options.permissions ? socketUnit(tree) : null,
    daemon,
    unread:
      running === null || daemon === null
        ? new Map()
        : unreadFiles(tree, { ...running, ...daemon }, options.files),
    authorizedKeys: authorizedKeys(tree, options, limits),
    limits,
  };
}

/** Ours, of all accounts together: tens of thousands of keys. */
const MOST_KEY_BYTES = 8 * 1024 * 1024;

function authorizedKeys(tree: FileTree, { keyFiles }: FactOptions, limits: string[]): AuthorizedKeys[] {
  const found: AuthorizedKeys[] = [];
  let left = MOST_KEY_BYTES;
  for (const { account, path } of keyFiles) {
    const content = tree.read(path);
    if (content.kind !== "file") continue;
    const { bytes } = content;
    left -= bytes.length;
    if (left < 0) {
      limits.push(`options of keys from ${path} on were not looked at: more than 8 MiB of authorized keys`);
      return found;
    }
    found.push({ account, path, bytes });
  }
  return found;
}

const HEAD_BYTES = 4096;

/** The folder that every distribution's stock file includes. */
function unreadDropIns(tree: FileTree, { files, configFolder }: FactOptions): HostFacts["unreadDropIns"] {
  if (configFolder === null) return [];
  const read = new Set(files);
  const folder = `${configFolder}/sshd_config.d`;
  return (tree.list(folder) ?? [])
    .filter((name) => name.endsWith(".conf") && !name.startsWith("."))
    .flatMap((name) => {
      const path = `${folder}/${name}`;
      const content = tree.read(path);
      if (content.kind !== "file" || read.has(content.realPath)) return [];
      return [{ path, bytes: content.bytes.subarray(0, HEAD_BYTES) }];
    });
}

const GROUP_WRITE = 0o020;
const WORLD_WRITE = 0o002;
const STICKY = 0o1000;

function looseAround(tree: FileTree, file: string, owners: boolean): LoosePath[] {
  const found: LoosePath[] = [];
  for (let path = file; ; path = path.slice(0, path.lastIndexOf("/"))) {
    const here = path === "" ? "/" : path;
    const entry = tree.stat(here);
    if (entry !== null) {
      const because = whyLoose(entry.mode, entry.uid, { owners, isFile: here === file });
      if (because !== null) found.push({ file, path: here, because });
    }
    if (here === "/") return found;
  }
}

interface Judging {
  readonly owners: boolean;
  readonly isFile: boolean;
}

/** A sticky folder lets only owners replace what is in it. */
function whyLoose(mode: number, uid: number, { owners, isFile }: Judging): string | null {
  if (owners && uid !== 0) return `it belongs to user ${uid}, not to root`;
  if (!isFile && (mode & STICKY) !== 0) return null;
  if ((mode & WORLD_WRITE) !== 0) return `everybody may write it (mode ${octal(mode)})`;
  return (mode & GROUP_WRITE) !== 0 ? `its group may write it (mode ${octal(mode)})` : null;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
