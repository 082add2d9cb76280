/** Targets in images (--image): each is opened, and its sshds are what a root's are. */
import { resolve } from "node:path";
import type { Image } from "../files/image.ts";
import type { FileTree } from "../files/tree.ts";
import { keyFilesOf } from "../policy/key-files.ts";
import { shellWord } from "../report/text.ts";
import type { Situation, Started } from "../start/shell-reading.ts";
import { startedBy } from "../start/shell-script.ts";
import { assignments } from "../start/shell-words.ts";
import { optionsOf, type StartOptions } from "../start/sshd-options.ts";
import { bootOptions, startOptions } from "../start/start-options.ts";
import { hasSshd, noSshdIn, openSystem, type System } from "./open-system.ts";
import { absolute, latin1 } from "./paths.ts";
import type { Absent, Misuse, Opened, TargetOptions, Unreadable } from "./target.ts";
import { misuseOf } from "./targets.ts";

export async function openImages(
  files: readonly string[],
  options: TargetOptions,
): Promise<readonly (Opened | Absent)[] | Misuse> {
  const misuse = misuseOf(files, options);
  if (misuse !== null) return { misuse };
  const opened: (Opened | Absent)[] = [];
  for (const file of options.image ?? []) {
    const found = await openOne(file, files, options);
    if ("misuse" in found) return found;
    opened.push(...found);
  }
  return opened;
}

async function openOne(
  file: string,
  files: readonly string[],
  options: TargetOptions,
): Promise<readonly (Opened | Absent)[] | Misuse> {
  let found: readonly (Opened | Absent)[] | Misuse = [];
  const name = latin1(file);
  const { openImage } = await import("../files/image.ts");
  const image = await openImage(absolute(file), {
    platform: options.platform ?? null,
    threads: options.imageThreads ?? 1,
    explore: async (seen) => {
      const starting = startOf(seen);
      const isAbsent =
        files.length === 0 && !hasSshd(seen.tree, starting.start) && starting.sshds.length === 0;
      found = isAbsent
        ? [starting.isInstalled ? notYetIn(name) : noSshdIn(name, "the image")]
        : await openSystem(systemOf(file, seen, starting, options), files, options);
      if (!("misuse" in found)) for (const each of found) askFor(each, seen);
    },
  });
  return "error" in image ? [{ name, error: `${name}: ${image.error}` }] : found;
}

/** `apk add openssh-server && sshd -D`: to say that there is nothing to judge would be wrong. */
function notYetIn(name: string): Unreadable {
  return {
    name,
    error: `${name}: ${COMMAND} start sshd, which is not in the image: what is installed only when it runs is not judged`,
  };
}

/** What an audit asks for beside the configuration: the accounts' keys, wherever it says they are. */
function askFor(opened: Opened | Absent, { tree }: Image): void {
  if (!("config" in opened)) return;
  for (const { path } of keyFilesOf(opened.config, opened.accounts ?? [])) tree.read(path);
}

function systemOf(file: string, image: Image, starting: Starting, { platform }: TargetOptions): System {
  const { tree } = image;
  const choice = platform === undefined ? "" : ` --platform ${shellWord(latin1(platform))}`;
  return {
    tree,
    whose: "image",
    shownAs: (path) => `${latin1(file)}:${path}`,
    checkCommand: `sshd-policy effective --image ${shellWord(latin1(file))}${choice}`,
    ...starting,
    rootFolder: "",
    image,
  };
}

const COMMAND = "the image's ENTRYPOINT and CMD";

/** How sshd is started, and the sshds in places of their own that are. */
type Starting = Pick<System, "start" | "sshds"> & { readonly isInstalled: boolean };

function startOf({ tree, command, environment, folder }: Image): Starting {
  if (command.length === 0) return { start: bootOptions(tree), sshds: [], isInstalled: false };
  const situation: Situation = { tree, variables: assignments(environment), folder };
  const started = startedBy(command, situation);
  const named = started.starts.map(({ program }) => program).filter((program) => program.includes("/"));
  const sshds = [...new Set(named)].filter((program) => tree.stat(program)?.kind === "file");
  const start = { ...optionsFor(tree, started), ...assumedOf(command, situation, started) };
  const { others } = start;
  const from = (options: StartOptions): StartOptions =>
    options.configFile === null
      ? options
      : { ...options, configFile: resolve(`${folder}/`, options.configFile) };
  return {
    start: { ...from(start), ...(others === undefined ? {} : { others: others.map(from) }) },
    sshds,
    isInstalled: installsOne(started),
  };
}

/** Behind what may install it; else a container of the image has none either. */
function installsOne({ starts, edits }: Started): boolean {
  return starts.length > 0 && edits.some((edit) => "mayBy" in edit);
}

/** Who starts a container may give it variables that the image does not set: what would be a limit then. */
function assumedOf(
  command: readonly string[],
  situation: Situation,
  started: Started,
): Pick<StartOptions, "assumed"> {
  if (optionsOf(started, COMMAND)?.limit !== null) return {};
  const limit = optionsOf(startedBy(command, { ...situation, unset: "anything" }), COMMAND)?.limit ?? null;
  return limit === null
    ? {}
    : { assumed: `nobody gives a container variables that the image does not set; else ${limit}` };
}

/** Of a compiled program nothing is known: then those of the image's units or scripts count, and that is a limit. */
function optionsFor(tree: FileTree, started: Started): StartOptions {
  const options = optionsOf(started, COMMAND);
  if (options !== null) return options;
  const usual = started.services ? bootOptions(tree) : startOptions(tree);
  if (started.program === null || started.services) return usual;
  const limit = `${COMMAND} runs ${started.program}: options that it gives sshd are not read`;
  return { ...usual, limit: usual.limit ?? limit };
}
