/** From the options that name configurations to loaded ones: FILE, `-`, --root, the live host (docs: cli.md). */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  atLeast,
  formatRelease,
  NEWEST,
  OLDEST,
  parseRelease,
  type Release,
  unknownRelease,
} from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import { type LoadOptions, loadConfig } from "../config/load.ts";
import { accountsOf, furtherAccountSources, readAccounts } from "../files/accounts.ts";
import { folderTree } from "../files/folder.ts";
import type { Image } from "../files/image.ts";
import { unprivilegedPortStart } from "../files/port-limit.ts";
import { installedRelease, releaseOfBinary } from "../files/release.ts";
import { type StartOptions, startOptions } from "../files/start-options.ts";
import type { Account, FileContent, FileTree } from "../files/tree.ts";
import { mainFiles } from "../files/vendor-place.ts";
import type { ExposureOptions } from "../policy/exposure.ts";

export interface TargetOptions {
  readonly root?: string;
  /** a tree of configuration in which the files are looked for (audit) */
  readonly repo?: string;
  readonly image?: readonly string[];
  readonly platform?: string;
  readonly openssh?: string;
  readonly o?: readonly string[];
  readonly asHost?: boolean;
  readonly stdinFilename?: string;
  readonly accounts?: readonly string[];
}

export interface Target {
  /** as the user named it, latin1 */
  readonly name: string;
  readonly tree: FileTree;
  /** the main file inside the tree */
  readonly path: string;
  readonly loadOptions: LoadOptions;
  readonly config: Config;
  readonly release: Release;
  readonly releaseSource: string;
  /** nobody said which release it is, and none was found */
  readonly releaseAssumed: boolean;
  /** accounts that the target has today, for labels; null where none are known */
  readonly accounts: readonly Account[] | null;
  /** nobody but these may exist; null: anybody may (--accounts open) */
  readonly world: readonly Account[] | null;
  readonly accountsText: string;
  /** why the accounts may not be all there are; empty otherwise */
  readonly accountLimits: readonly string[];
  /** findings of this file alone are shown: a drop-in given as FILE; its path inside the tree after links */
  readonly onlyRealPath: string | null;
  /** a drop-in that no main file includes: what it does not set is unknown */
  readonly fragment: boolean;
  readonly checkCommand: string;
  /** the file that holds sshd's own start options, where some count */
  readonly startSource: string | null;
  /** what `--fix` may write: a folder inside the tree */
  readonly writableFolder: string;
  /** the folder on this machine that is the tree's `/`, without a slash at its end, latin1 */
  readonly rootFolder: string;
  /** the file of this host's own sshd: never written without test and restart */
  readonly live: boolean;
  /** the bytes of standard input, where they are the main file */
  readonly stdin: Uint8Array | null;
  /** the image that it is in, where it is in one */
  readonly image: Image | null;
}

/** There is no sshd in a system, so there is nothing to judge. */
export interface Absent {
  readonly name: string;
  readonly absent: string;
}

/** A target that cannot be read does not stop the others. */
export interface Unreadable {
  readonly name: string;
  readonly error: string;
}

export type Opened = Target | Unreadable;

/** Wrong usage: nothing is analysed. */
export interface Misuse {
  readonly misuse: string;
}

const MAIN = "/etc/ssh/sshd_config";

/** `at`: the file system as it was, in which a FILE is looked for; release and accounts are those of today. */
export function openTargets(
  files: readonly string[],
  options: TargetOptions,
  at?: FileTree,
): readonly Opened[] | Misuse {
  const misuse = misuseOf(files, options);
  if (misuse !== null) return { misuse };
  if (options.root !== undefined) return openRoot(options.root, files, options);
  const tree = folderTree("/");
  const release = chooseRelease(options, tree, files.length === 0 ? "live" : "host");
  const people = choosePeople(options, tree, null);
  if ("misuse" in people) return people;
  const start = files.length === 0 ? startOptions(tree) : null;
  const opening: Opening = { options, tree: at ?? tree, release, people, start };
  if (files.length === 0) return [openLive(opening)];
  return withoutParts(files.map((file) => (file === "-" ? openStdin(opening) : openFile(file, opening))));
}

/** A drop-in beside the main file that includes it is part of that target, not one of its own. */
function withoutParts(opened: readonly Opened[]): readonly Opened[] {
  const mains = new Set(
    opened.flatMap((target) => ("error" in target || target.onlyRealPath !== null ? [] : [target.path])),
  );
  return opened.filter(
    (target) => "error" in target || target.onlyRealPath === null || !mains.has(target.path),
  );
}

export function misuseOf(
  files: readonly string[],
  { root, image, platform, openssh }: TargetOptions,
): string | null {
  if (root !== undefined && image !== undefined) return "--root and --image exclude each other";
  if (platform !== undefined && image === undefined) return "--platform chooses from an --image";
  if (files.filter((file) => file === "-").length > 1) return "standard input can be read once only";
  if ((root !== undefined || image !== undefined) && files.includes("-"))
    return "--root or --image and standard input exclude each other: --stdin-filename says where the text would lie";
  if (openssh !== undefined && parseRelease(openssh) === null)
    return `"${openssh}" names no release of OpenSSH. Write 9.2, 9.9p1, 9.2+debian, 8.7+rhel or a whole package version (1:9.2p1-2+deb12u3).`;
  return null;
}

interface ChosenRelease {
  readonly release: Release;
  readonly source: string;
  /** nobody said which release it is */
  readonly assumed?: true;
}

interface Opening {
  readonly options: TargetOptions;
  /** how the tree's service manager starts sshd; nothing for a FILE */
  readonly start: StartOptions | null;
  readonly tree: FileTree;
  readonly release: ChosenRelease;
  readonly people: People;
}

/** Whose files are read: this host's own sshd's, others on this host, or a system's that is only looked at. */
type Whose = "live" | "host" | "root" | "image";

/**
 * Given, else by the package database, else by `sshd -V` (this host's own sshd only) or by what is written in the
 * program (which is never run), else the newest known.
 */
function chooseRelease({ openssh }: TargetOptions, tree: FileTree, whose: Whose): ChosenRelease {
  const given = openssh === undefined ? null : parseRelease(openssh);
  if (given !== null) return known({ release: given, source: "given with --openssh" });
  const isSystem = whose === "root" || whose === "image";
  const installed = installedRelease(tree) ?? (isSystem ? releaseOfBinary(tree) : null);
  if (installed !== null) {
    const where = isSystem ? `found in the ${whose}` : "found on this host";
    return known({ release: installed.release, source: `${where}, ${installed.source}` });
  }
  const running = whose === "live" ? versionOfSshd() : null;
  if (running !== null) return { release: running, source: "found on this host, sshd -V" };
  const source = "the newest known: none was found, --openssh names another";
  return { release: NEWEST, source, assumed: true };
}

/** A release that we do not know is read as the nearest one that we do, which is said. */
function known({ release, source }: ChosenRelease): ChosenRelease {
  const unknown = unknownRelease(release);
  if (unknown === null) return { release, source };
  const nearest = atLeast(release, OLDEST) ? NEWEST : parseRelease(OLDEST);
  const named = `${source} ${formatRelease(release)}, ${unknown}`;
  return { release: { ...release, ...nearest, vendor: release.vendor }, source: named };
}

/** `sshd -V` prints "OpenSSH_9.9p1, …"; releases that do not know the option print it with their usage. */
function versionOfSshd(): Release | null {
  // loaded only here: it costs every start otherwise
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  for (const path of ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"]) {
    const { stderr, stdout } = spawnSync(path, ["-V"], { encoding: "latin1", timeout: 5_000 });
    const version = /OpenSSH_(\d+\.\d+p\d+)/.exec(`${stdout ?? ""}${stderr ?? ""}`)?.[1];
    if (version !== undefined) return parseRelease(version);
  }
  return null;
}

/** Who may exist, and who is known today. */
interface People {
  readonly known: readonly Account[] | null;
  readonly world: readonly Account[] | null;
  readonly text: string;
  readonly limits: readonly string[];
}

/** `system`: a root or an image, whose accounts are labels even in an open world. */
function choosePeople(options: TargetOptions, host: FileTree, system: FileTree | null): People | Misuse {
  const given = options.accounts ?? ["open"];
  const open = { known: system === null ? null : accountsOf(system), world: null, limits: [] };
  if (given.length === 1 && given[0] === "open")
    return { ...open, text: "anybody may exist (--accounts open)" };
  if (given.includes("open")) return { misuse: "--accounts open and other accounts exclude each other" };
  if (given.length === 1 && (given[0] === "target" || given[0] === "host")) {
    const from = given[0] === "host" ? host : (system ?? host);
    const world = accountsOf(from);
    if (world === null) return { misuse: `--accounts ${given[0]}: there is no /etc/passwd to read` };
    const others = given[0] === "host" ? furtherAccountSources(host) : [];
    const limits = others.map((source) => `accounts may also come from ${source} (nsswitch.conf)`);
    return {
      known: world,
      world,
      limits,
      text: `only the ${world.length} accounts of the ${given[0]} exist`,
    };
  }
  const texts: string[] = [];
  for (const file of given) {
    const content = host.read(latin1(resolve(file)));
    if (content.kind !== "file")
      return { misuse: `--accounts ${file}: ${content.kind === "folder" ? "a folder" : content.reason}` };
    texts.push(Buffer.from(content.bytes).toString("latin1"));
  }
  const world = readAccounts(texts);
  return {
    known: world,
    world,
    limits: [],
    text: `only the ${world.length} accounts of ${given.join(", ")} exist`,
  };
}

/** What is loaded, and how it is shown. */
interface Wanted {
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

function load(wanted: Wanted, opening: Opening): Opened {
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

function realFolder(tree: FileTree, path: string): string {
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

function joined(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

function openLive(opening: Opening): Opened {
  const main = opening.start?.configFile ?? MAIN;
  return load(
    { name: main, tree: opening.tree, path: main, shownAs: (path) => path, checkCommand: "sshd -T" },
    opening,
  );
}

/** The / of a server that is only looked at: of no program in it anything is run. */
export interface System {
  readonly tree: FileTree;
  readonly whose: "root" | "image";
  readonly shownAs: (path: string) => string;
  readonly checkCommand: string;
  readonly start: StartOptions;
  /** the folder on this machine, latin1; empty for / itself and where there is none */
  readonly rootFolder: string;
  readonly image: Image | null;
}

function openRoot(
  root: string,
  files: readonly string[],
  options: TargetOptions,
): readonly Opened[] | Misuse {
  const folder = resolve(root);
  const shownRoot = latin1(root).replace(/\/+$/, "");
  const tree = folderTree(folder);
  if (tree.stat("/")?.kind !== "folder") return { misuse: `--root ${root} is no folder that can be read` };
  const system: System = {
    tree,
    whose: "root",
    shownAs: (inside) => shownRoot + inside,
    checkCommand: `sshd-policy effective --root ${root}`,
    start: startOptions(tree),
    rootFolder: folder === "/" ? "" : latin1(folder),
    image: null,
  };
  return openSystem(system, files, options);
}

/** FILEs inside a system; without any, what its sshds read. */
export function openSystem(
  system: System,
  files: readonly string[],
  options: TargetOptions,
): readonly Opened[] | Misuse {
  const { tree, whose, start, shownAs, checkCommand, rootFolder, image } = system;
  const people = choosePeople(options, folderTree("/"), tree);
  if ("misuse" in people) return people;
  const opening = { options, tree, release: chooseRelease(options, tree, whose), people, start };
  const paths =
    files.length === 0
      ? start.configFile === null
        ? mainFiles(tree)
        : [start.configFile]
      : files.map((file) => latin1(file.startsWith("/") ? file : `/${file}`));
  return paths.map((path) =>
    load(
      {
        name: shownAs(path),
        tree,
        path,
        shownAs,
        writableFolder: "/",
        rootFolder,
        checkCommand,
        image,
        ...(path.startsWith("/usr/local/") ? { configFolder: folderOf(path) } : {}),
      },
      opening,
    ),
  );
}

function openFile(file: string, opening: Opening): Opened {
  const { tree } = opening;
  const path = latin1(resolve(file));
  if (opening.options.asHost === true)
    return load(
      { name: latin1(file), tree, path, shownAs: (inside) => inside, checkCommand: `sshd -T -f ${path}` },
      opening,
    );
  return (
    openThroughMain(tree, path, latin1(file), opening) ??
    load({ ...asMain(tree, path, latin1(file)), fragment: isDropInFolder(folderOf(path)) }, opening)
  );
}

/** FILE read as if it were /etc/ssh/sshd_config and its folder /etc/ssh. */
function asMain(tree: FileTree, path: string, name: string): Wanted {
  const folder = folderOf(path);
  const shownFolder = name.slice(0, name.lastIndexOf("/") + 1);
  return {
    name,
    tree,
    path,
    configFolder: folder,
    shownAs: (inside) =>
      inside.startsWith(joined(folder, "")) ? shownFolder + inside.slice(joined(folder, "").length) : inside,
    checkCommand: `sshd -T -f ${path}`,
  };
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function isDropInFolder(folder: string): boolean {
  return folder.endsWith(".d");
}

/** A drop-in: audited through the sshd_config beside or above it that includes it. Null where none does. */
function openThroughMain(tree: FileTree, path: string, name: string, opening: Opening): Opened | null {
  const realPath = tree.stat(path)?.realPath;
  if (realPath === undefined || path.endsWith("/sshd_config")) return null;
  for (
    let folder = folderOf(path), shown = shownFolderOf(name);
    ;
    folder = folderOf(folder), shown += "../"
  ) {
    const main = joined(folder, "sshd_config");
    if (tree.stat(main)?.kind === "file") {
      const shownMain = tidy(shown, folder, path, name);
      const wanted = { ...asMain(tree, main, shownMain), onlyRealPath: realPath };
      const opened = load({ ...wanted, writableFolder: realFolder(tree, path) }, opening);
      if (
        "config" in opened &&
        opened.config.files.slice(1).some((included) => included.realPath === realPath)
      )
        return { ...opened, name };
    }
    if (folder === "/") return null;
  }
}

function shownFolderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

/** The main file's name as the user would write it: the named file's own path, shortened. */
function tidy(shown: string, folder: string, path: string, name: string): string {
  const below = path.slice(joined(folder, "").length);
  return name.endsWith(below)
    ? `${name.slice(0, name.length - below.length)}sshd_config`
    : `${shown}sshd_config`;
}

/** Standard input, as if it lay at --stdin-filename (default: sshd_config in the current folder). */
function openStdin(opening: Opening): Opened {
  const name = opening.options.stdinFilename ?? "sshd_config";
  const path = latin1(resolve(name));
  const shown = opening.options.stdinFilename === undefined ? "<stdin>" : latin1(name);
  const stdin = readFileSync(0);
  const tree = withFile(opening.tree, path, stdin);
  const wanted = asMain(tree, path, latin1(name));
  return load(
    {
      ...wanted,
      stdin,
      name: shown,
      shownAs: (inside) => (inside === path ? shown : wanted.shownAs(inside)),
      checkCommand: "sshd -T -f FILE",
    },
    opening,
  );
}

/** The tree with the bytes in place of one file. */
function withFile(tree: FileTree, path: string, bytes: Uint8Array): FileTree {
  return {
    ...tree,
    read: (asked) => (asked === path ? { kind: "file", bytes, realPath: path } : tree.read(asked)),
  };
}

/** A command line argument as its bytes, one character each. */
export function latin1(argument: string): string {
  return Buffer.from(argument, "utf8").toString("latin1");
}

/** "9.2p1": how the release of a target is shown. */
export function releaseText(target: Target): string {
  return formatRelease(target.release);
}

/** A server's own system, so that its permissions and kernel settings mean something: no checkout's. */
export function isServer({ live, rootFolder, image }: Target): boolean {
  return live || rootFolder !== "" || image !== null;
}

/** Who may exist for this target, and which ports need a privilege there. */
export function worldOf(
  target: Target,
): Required<Pick<ExposureOptions, "accounts" | "unprivilegedPortStart">> {
  return {
    accounts: target.world,
    unprivilegedPortStart: isServer(target) ? unprivilegedPortStart(target.tree) : null,
  };
}
