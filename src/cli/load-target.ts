/** One main file of a tree, loaded with what its server's start options say. */
import { type LoadOptions, loadConfig } from "../config/load.ts";
import type { Image } from "../files/image.ts";
import { type StartOptions, startOptions } from "../files/start-options.ts";
import type { FileContent, FileTree } from "../files/tree.ts";
import type { People } from "./chosen-accounts.ts";
import type { ChosenRelease } from "./chosen-release.ts";
import { folderOf, joined } from "./paths.ts";
import type { Opened, TargetOptions } from "./target.ts";

export const MAIN: string = "/etc/ssh/sshd_config";

export interface Opening {
  readonly options: TargetOptions;
  /** how the tree's service manager starts sshd; nothing for a FILE */
  readonly start: StartOptions | null;
  readonly tree: FileTree;
  readonly release: ChosenRelease;
  readonly people: People;
}

/** What is loaded, and how it is shown. */
export interface Wanted {
  readonly name: string;
  readonly tree: FileTree;
  readonly path: string;
  readonly configFolder?: string;
  readonly shownAs: (path: string) => string;
  readonly checkCommand: string;
  readonly onlyRealPath?: string | null;
  readonly fragment?: boolean;
  readonly writableFolder?: string;
  readonly rootFolder?: string;
  readonly stdin?: Uint8Array;
  readonly image?: Image | null;
}

export function load(wanted: Wanted, opening: Opening): Opened {
  const { options, release, people } = opening;
  const refusal = refusalOf(wanted.tree.read(wanted.path), wanted.name);
  if (refusal !== null) return { name: wanted.name, error: refusal };
  const live = (wanted.rootFolder ?? "") === "" && (wanted.image ?? null) === null && isLive(wanted);
  // this host's own file is read with what its service says, by whatever name it is given
  const start = live ? ownSshd(wanted.tree).start : opening.start;
  const configFolder = live ? undefined : wanted.configFolder;
  const loadOptions: LoadOptions = {
    release: release.release,
    shownAs: wanted.shownAs,
    // what is given here comes first, so it wins, as a first -o does
    commandLine: [...(options.o ?? []), ...(start?.options ?? [])],
    ...(configFolder === undefined ? {} : { configFolder }),
  };
  return {
    name: wanted.name,
    tree: wanted.tree,
    path: wanted.path,
    loadOptions,
    config: loadConfig(wanted.tree, wanted.path, loadOptions),
    release: release.release,
    releaseSource: release.source,
    releaseAssumed: release.assumed === true,
    accounts: people.known,
    world: people.world,
    accountsText: people.text,
    accountLimits: people.limits,
    onlyRealPath: wanted.onlyRealPath ?? null,
    fragment: wanted.fragment ?? false,
    checkCommand: wanted.checkCommand,
    writableFolder: wanted.writableFolder ?? realFolder(wanted.tree, wanted.path),
    rootFolder: wanted.rootFolder ?? "",
    live,
    startSource: start?.source ?? null,
    stdin: wanted.stdin ?? null,
    image: wanted.image ?? null,
  };
}

export function realFolder(tree: FileTree, path: string): string {
  const folder = folderOf(path);
  return tree.stat(folder)?.realPath ?? folder;
}

/** This host's own main file, by whatever name; standard input is never it. */
function isLive({ tree, path, stdin }: Wanted): boolean {
  if (stdin !== undefined) return false;
  const { mainFile } = ownSshd(tree);
  return mainFile !== null && tree.stat(path)?.realPath === mainFile;
}

interface OwnSshd {
  readonly start: StartOptions;
  /** real path; null where there is none */
  readonly mainFile: string | null;
}

/** Asked for each FILE of a call, and the same for all of them. */
const ownSshds = new WeakMap<FileTree, OwnSshd>();

function ownSshd(tree: FileTree): OwnSshd {
  const known = ownSshds.get(tree);
  if (known !== undefined) return known;
  const start = startOptions(tree);
  const own = { start, mainFile: tree.stat(start.configFile ?? MAIN)?.realPath ?? null };
  ownSshds.set(tree, own);
  return own;
}

/** Why a file is not taken as a main file; null when it is. */
function refusalOf(content: FileContent, name: string): string | null {
  if (content.kind === "file") return null;
  if (content.kind === "folder")
    return `${name} is a folder. Name the file (${joined(name, "sshd_config")}), or --root ${name} for a whole system.`;
  switch (content.code) {
    case "ESPECIAL":
      return `${name} is a pipe or a device, not a file. Use - to read standard input.`;
    case "ETOOBIG":
      return `${name} is larger than 64 MiB. That is a limit of sshd-policy, not of sshd.`;
    case "ELOOP":
      return `${name}: a symbolic link that leads back to itself (${content.reason})`;
    default:
      return `${name}: ${content.reason}`;
  }
}
