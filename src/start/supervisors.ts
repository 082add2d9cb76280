/** What supervisors start, as files of their own say: supervisord, s6 and s6-overlay, runit, phusion's my_init. */
import { textOf } from "../files/file-text.ts";
import { joined } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import type { Fields } from "./shell-expand.ts";
import { firstLine, readScript } from "./shell-files.ts";
import { nameOf, STANDARD_FOLDER } from "./shell-programs.ts";
import { supervisordServices } from "./supervisord.ts";

export interface Service {
  readonly words: Fields;
  /** the file that says so */
  readonly path: string;
  /** of its environment, more than the supervisor has */
  readonly variables: ReadonlyMap<string, string>;
  /** where it begins; null: where the supervisor does */
  readonly folder: string | null;
}

export interface Surroundings {
  readonly tree: FileTree;
  /** with all values that each may have */
  readonly variables: ReadonlyMap<string, readonly string[]>;
  /** the working folder */
  readonly folder: string;
}

type ServicesOf = (command: Fields, around: Surroundings) => readonly Service[] | null;

/** Null: files that are not read, or not there, say what these start. */
const unread: ServicesOf = () => null;

const SUPERVISORS: ReadonlyMap<string, ServicesOf> = new Map([
  ["supervisord", supervisordServices],
  ["s6-svscan", scanned],
  ["runsvdir", scanned],
  ["my_init", phusion],
  ...[
    "s6-overlay-suexec s6-linux-init s6-rc-init monit circusd pm2 inetd xinetd tcpserver tcpsvd socat",
  ].flatMap((names) => names.split(" ").map((name) => [name, unread] as const)),
]);

/** Null: the program is no supervisor. */
export function supervisor(tree: FileTree, program: string): ServicesOf | null {
  return isS6Init(tree, program) ? s6Overlay : (SUPERVISORS.get(nameOf(program)) ?? null);
}

/** s6-overlay's own, a script by the name of the system's. */
function isS6Init(tree: FileTree, program: string): boolean {
  if (nameOf(program) !== "init" || !program.startsWith("/") || STANDARD_FOLDER.test(program)) return false;
  const text = readScript(tree, program)?.text ?? "";
  return /execlineb/.test(firstLine(text)) || text.includes("s6-overlay");
}

/** s6-svscan(8), runsvdir(8): all folders in one; a file `down` keeps a service from starting. */
function scanned([, ...args]: Fields, { tree }: Surroundings): readonly Service[] | null {
  const folder = args.find((word) => word.startsWith("/"));
  return folder === undefined || tree.list(folder) === null ? null : servicesIn(tree, folder);
}

function servicesIn(tree: FileTree, folder: string): readonly Service[] {
  const names = (tree.list(folder) ?? []).filter((name) => tree.stat(`${folder}/${name}/down`) === null);
  return names.flatMap((name) => scriptAt(tree, `${folder}/${name}/run`));
}

function scriptAt(tree: FileTree, path: string): readonly Service[] {
  return tree.stat(path)?.kind === "file"
    ? [{ words: [path], path, variables: new Map(), folder: null }]
    : [];
}

function scriptsIn(tree: FileTree, folder: string): readonly Service[] {
  return (tree.list(folder) ?? []).flatMap((name) => scriptAt(tree, joined(folder, name)));
}

/** baseimage-docker: scripts first, then runit's services and the command behind its own options. */
function phusion([program = "", ...args]: Fields, { tree }: Surroundings): readonly Service[] {
  const at = args.findIndex((word) => !word.startsWith("-"));
  return [
    ...scriptsIn(tree, "/etc/my_init.d"),
    ...scriptAt(tree, "/etc/rc.local"),
    ...servicesIn(tree, "/etc/service"),
    ...commandOf(program, at === -1 ? [] : args.slice(at)),
  ];
}

function commandOf(path: string, words: Fields): readonly Service[] {
  return words.length === 0 ? [] : [{ words, path, variables: new Map(), folder: null }];
}

/** Of versions 2 and 3, which run the command behind the services. */
function s6Overlay([program = "", ...args]: Fields, { tree }: Surroundings): readonly Service[] {
  return [
    ...scriptsIn(tree, "/etc/cont-init.d"),
    ...rcServices(tree),
    ...servicesIn(tree, "/etc/services.d"),
    ...commandOf(program, args),
  ];
}

const RC = "/etc/s6-overlay/s6-rc.d";

/** s6-rc's bundle "user", and what its services depend on. */
function rcServices(tree: FileTree): readonly Service[] {
  const names = new Set(["user", "user2"]);
  for (const name of names)
    for (const below of ["contents.d", "dependencies.d"])
      for (const other of tree.list(`${RC}/${name}/${below}`) ?? []) names.add(other);
  return [...names].flatMap((name) => [
    ...scriptAt(tree, `${RC}/${name}/run`),
    ...oneshotAt(tree, `${RC}/${name}/up`),
  ]);
}

/** A line of execline, which mostly names a script. */
function oneshotAt(tree: FileTree, path: string): readonly Service[] {
  const words = (textOf(tree, path) ?? "").split(/\s+/).filter((word) => word !== "");
  const script = words.find((word) => word.startsWith("/") && tree.stat(word)?.kind === "file");
  return script === undefined ? [] : scriptAt(tree, script).map((service) => ({ ...service, path }));
}
