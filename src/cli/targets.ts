/** From the options that name configurations to loaded ones: FILE, `-`, --root, the live host (docs: cli.md). */
import { parseRelease } from "../../grammar/release.ts";
import { folderTree } from "../files/folder.ts";
import type { FileTree } from "../files/tree.ts";
import { treeWithin } from "../files/within.ts";
import { startOptions } from "../start/start-options.ts";
import { choosePeople } from "./chosen-accounts.ts";
import { chooseRelease } from "./chosen-release.ts";
import { makeFolders } from "./folders.ts";
import { load, type Opening } from "./load-target.ts";
import { openFile, openStdin } from "./open-file.ts";
import { openRoot } from "./open-system.ts";
import { absolute, latin1, MAIN } from "./paths.ts";
import type { Absent, Misuse, Opened, TargetOptions } from "./target.ts";
import { useOneThread } from "./v8-flags.ts";

/** From so many FILEs on a run takes long enough for V8 to begin with its second compiler. */
const MANY = 20;

/** `at`: the file system as it was, in which a FILE is looked for; release and accounts are those of today. */
export async function openTargets(
  files: readonly string[],
  options: TargetOptions,
  at?: FileTree,
): Promise<readonly (Opened | Absent)[] | Misuse> {
  const misuse = misuseOf(files, options);
  if (misuse !== null) return { misuse };
  if (options.root !== undefined) return await openRoot(options.root, files, options);
  return files.length === 0 ? await openLive(options, at) : await openFiles(files, options, at);
}

/** What this machine's own sshd reads, by what its service says. */
async function openLive(options: TargetOptions, at?: FileTree): Promise<readonly Opened[] | Misuse> {
  const opening = await openingHere("live", options, at);
  if ("misuse" in opening) return opening;
  const main = opening.start?.configFile ?? MAIN;
  const shown = { name: main, shownAs: (path: string) => path, checkCommand: "sshd -T" };
  return [load({ ...shown, tree: opening.tree, path: main }, opening)];
}

async function openFiles(
  files: readonly string[],
  options: TargetOptions,
  at?: FileTree,
): Promise<readonly Opened[] | Misuse> {
  const opening = await openingHere("host", options, at);
  if ("misuse" in opening) return opening;
  if (files.length > MANY) useOneThread();
  return withoutParts(files.map((file) => (file === "-" ? openStdin(opening) : openFile(file, opening))));
}

/** `whose`: the live host's own configuration, or FILEs on it, whose server nobody knows. */
async function openingHere(
  whose: "live" | "host",
  options: TargetOptions,
  at?: FileTree,
): Promise<Opening | Misuse> {
  const tree = folderTree("/");
  const release = await chooseRelease(options, tree, whose);
  const people = choosePeople(options, tree, whose === "live" ? whose : null);
  if ("misuse" in people) return people;
  const start = whose === "live" ? startOptions(tree) : null;
  const seen = at ?? withinFolder(tree, options);
  return { options, host: at ?? tree, tree: seen, release, people, start, folders: makeFolders(seen) };
}

function withinFolder(tree: FileTree, { within }: TargetOptions): FileTree {
  if (within === undefined) return tree;
  const folder = absolute(within);
  return treeWithin(tree, tree.stat(folder)?.realPath ?? folder);
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
  if (files.includes("")) return "a FILE has no name: an empty argument stands where one is wanted";
  if (files.filter((file) => file === "-").length > 1) return "standard input can be read once only";
  if ((root !== undefined || image !== undefined) && files.includes("-"))
    return "--root or --image and standard input exclude each other: --stdin-filename says where the text would lie";
  if (openssh !== undefined && parseRelease(openssh) === null)
    return `"${latin1(openssh)}" names no release of OpenSSH. Write 9.2, 9.9p1, 9.2+debian, 8.7+rhel or a whole package version (1:9.2p1-2+deb12u3).`;
  return null;
}
