/** `compare`: which connections gained or lost which kind of forwarding. */
import { resolve } from "node:path";
import { folderTree } from "../files/folder.ts";
import { gitTree } from "../files/git.ts";
import { comparePolicies } from "../policy/compare.ts";
import { compareJson, comparePretty } from "../report/compare.ts";
import { visible } from "../report/text.ts";
import { chosenPaint, type OutputOptions, refuse, writeAnswer } from "./output.ts";
import { latin1, openTargets, type Target, type TargetOptions } from "./targets.ts";

export interface CompareCommandOptions extends TargetOptions, OutputOptions {
  readonly git?: string;
}

export async function runCompare(files: readonly string[], options: CompareCommandOptions): Promise<number> {
  const sides = openSides(files, options);
  if (typeof sides === "string") return refuse(visible(sides));
  const { before, after } = sides;
  for (const target of [before, after]) {
    const problem = target.config.problems.find(({ weight }) => weight === "fatal" || weight === "counted");
    if (problem !== undefined) return refuse(visible(`sshd refuses ${target.name}: ${problem.sshdText}`));
  }
  const comparison = comparePolicies(before.config, after.config, { accounts: after.world });
  const text =
    options.format === "json"
      ? compareJson(comparison)
      : comparePretty(comparison, await chosenPaint(options));
  const failed = writeAnswer(text, options);
  if (failed !== null) return refuse(failed);
  if (!comparison.complete) return 3;
  return comparison.changes.length === 0 ? 0 : 1;
}

interface Sides {
  readonly before: Target;
  readonly after: Target;
}

function openSides(files: readonly string[], options: CompareCommandOptions): Sides | string {
  const [first, second] = files;
  const releases = options.openssh?.split("..");
  if (options.git !== undefined) {
    if (files.length > 1) return "compare --git REV takes one FILE";
    const file = first ?? "sshd_config";
    const folder = latin1(resolve(file)).replace(/\/[^/]*$/, "");
    const tree = gitTree(folderTree("/"), folder === "" ? "/" : folder, options.git);
    if ("error" in tree) return `--git ${options.git}: ${tree.error}`;
    return both(openOne(file, options, tree), openOne(file, options));
  }
  if (releases?.length === 2) {
    if (first === undefined || second !== undefined) return "compare with two releases takes one FILE";
    const [from = "", to = ""] = releases;
    return both(openOne(first, { ...options, openssh: from }), openOne(first, { ...options, openssh: to }));
  }
  if (first === undefined || second === undefined || files.length > 2)
    return "compare needs OLD and NEW, or --git REV [FILE], or FILE with --openssh 9.2..10.0";
  return both(openOne(first, options), openOne(second, options));
}

function openOne(
  file: string,
  options: TargetOptions,
  at?: Parameters<typeof openTargets>[2],
): Target | string {
  const opened = openTargets([file], options, at);
  if ("misuse" in opened) return opened.misuse;
  const [target] = opened;
  if (target === undefined) return `${file} is not there`;
  return "error" in target ? target.error : target;
}

function both(before: Target | string, after: Target | string): Sides | string {
  if (typeof before === "string") return before;
  return typeof after === "string" ? after : { before, after };
}
