/** `compare`: which connections gained or lost which kind of forwarding. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Config } from "../config/config.ts";
import { folderTree } from "../files/folder.ts";
import { gitTree } from "../files/git.ts";
import type { FileTree } from "../files/tree.ts";
import { type Comparison, comparePolicies } from "../policy/compare.ts";
import { type ComparedSide, compareJson, compareText, sidesTexts } from "../report/compare.ts";
import { visible } from "../report/text.ts";
import { targetLimitsOf } from "./chosen-accounts.ts";
import { BY_ITSELF } from "./other-readings.ts";
import { chosenFormat, chosenPaint, type OutputOptions, refuse, tellJudged, writeAnswer } from "./output.ts";
import { absolute, latin1 } from "./paths.ts";
import { openSources, othersBeside } from "./sources.ts";
import { judgedOf, type Target, type TargetOptions, whyRefused } from "./target.ts";

export interface CompareCommandOptions extends TargetOptions, OutputOptions {
  readonly git?: string;
}

export async function runCompare(files: readonly string[], options: CompareCommandOptions): Promise<number> {
  const sides = await openSides(files, options);
  if (typeof sides === "string") return refuse(visible(sides));
  const { before, after } = sides;
  for (const target of [before, after]) {
    const refused = whyRefused(target);
    if (refused !== null) return refuse(visible(refused));
  }
  const compared = comparePolicies(before.config, after.config, { accounts: after.world });
  const open = openQuestions(sides);
  const comparison: Comparison =
    open.length === 0 ? compared : { ...compared, complete: false, limits: [...compared.limits, ...open] };
  const judged = { before: sideOf(before), after: sideOf(after) };
  const format = chosenFormat(options);
  const told = sidesTexts(judged);
  const text =
    format === "json"
      ? compareJson(comparison, judged)
      : compareText(comparison, {
          kinds: format === "pretty" ? "together" : "apart",
          paint: await chosenPaint(options),
          judged: format === "pretty" && options.quiet !== true ? told : [],
        });
  const failed = writeAnswer(text, options);
  if (failed !== null) return refuse(failed);
  if (format === "concise") tellJudged(told, options);
  if (!comparison.complete) return 3;
  return comparison.changes.length === 0 ? 0 : 1;
}

function sideOf(target: Target): ComparedSide {
  return { path: target.name, ...judgedOf(target) };
}

interface Sides {
  readonly before: Target;
  readonly after: Target;
}

/** What is not known of each target; and around a drop-in by itself what it does not set, unless both set the same. */
function openQuestions({ before, after }: Sides): readonly string[] {
  const isOpen = (before.fragment || after.fragment) && writtenIn(before.config) !== writtenIn(after.config);
  const ofTargets = [before, after].flatMap(targetLimitsOf);
  return [...new Set([...ofTargets, ...(isOpen ? [BY_ITSELF] : [])])];
}

/** Keywords and arguments of all lines, without blanks and comments. */
function writtenIn({ files }: Config): string {
  const lines = files.flatMap(({ tree }) => tree.lines);
  return JSON.stringify(
    lines.flatMap((line) =>
      line.kind === "directive"
        ? [[lowerAscii(line.keyword.value), ...line.args.map(({ value }) => value), line.rest.text]]
        : [],
    ),
  );
}

async function openSides(files: readonly string[], options: CompareCommandOptions): Promise<Sides | string> {
  const [first, second] = files;
  const releases = options.openssh?.split("..");
  const images = options.image ?? [];
  if (options.git !== undefined) return openCommit(files, options, options.git);
  if (images.length > 1) {
    if (images.length > 2 || files.length > 1) return "compare takes two images, and one FILE inside both";
    const [before, after] = images.map((image) => openOne(first, { ...options, image: [image] }));
    return before === undefined || after === undefined ? "" : both(await before, await after);
  }
  if (releases?.length === 2) {
    if ((first === undefined && images.length === 0) || second !== undefined)
      return "compare with two releases takes one FILE";
    const [from = "", to = ""] = releases;
    return both(
      await openOne(first, { ...options, openssh: from }),
      await openOne(first, { ...options, openssh: to }),
    );
  }
  if (first === undefined || second === undefined || files.length > 2)
    return "compare needs OLD and NEW, or two --image, or --git REV [FILE], or FILE with --openssh 9.2..10.0";
  if (first === "-" && second === "-") return "standard input can be read once only";
  return both(await openOne(first, options), await openOne(second, options));
}

async function openCommit(
  files: readonly string[],
  options: CompareCommandOptions,
  revision: string,
): Promise<Sides | string> {
  if (files.length > 1) return "compare --git REV takes one FILE";
  if (options.root !== undefined || options.image !== undefined)
    return "compare --git reads FILE as it is in its repository: leave out --root and --image, and name FILE from here";
  const file = files[0] ?? "sshd_config";
  // what lies in the commit has a name
  const old = file === "-" ? (options.stdinFilename ?? "sshd_config") : file;
  const folder = absolute(old).replace(/\/[^/]*$/, "");
  const tree = gitTree(folderTree("/"), folder === "" ? "/" : folder, revision);
  if ("error" in tree) return `--git ${latin1(revision)}: ${tree.error}`;
  const before = await openOne(old, options, tree);
  const after = await openOne(file, options);
  return both(
    await orIncluder(before, after, (path) => openOne(path, options, tree)),
    await orIncluder(after, before, (path) => openOne(path, options)),
  );
}

/** A drop-in that is new, or gone, is compared through the file that includes it, as that is without it. */
async function orIncluder(
  side: Target | string,
  other: Target | string,
  open: (path: string) => Promise<Target | string>,
): Promise<Target | string> {
  const isDropIn = typeof other !== "string" && other.onlyRealPath !== null;
  return typeof side === "string" && isDropIn ? open(other.path) : side;
}

/** Without FILE the one that an image's sshd reads. */
async function openOne(
  file: string | undefined,
  options: TargetOptions,
  at?: FileTree,
): Promise<Target | string> {
  const opened = await openSources(file === undefined ? [] : [file], options, at);
  if ("misuse" in opened) return opened.misuse;
  const [target] = opened;
  if (target === undefined) return `${file} is not there`;
  if ("absent" in target) return target.absent;
  if ("error" in target) return target.error;
  const others = othersBeside(opened);
  return others === null ? target : { ...target, limits: [...target.limits, others] };
}

function both(before: Target | string, after: Target | string): Sides | string {
  if (typeof before === "string") return before;
  return typeof after === "string" ? after : { before, after };
}
