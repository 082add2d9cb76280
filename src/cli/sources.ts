/** From the options that name configurations to loaded ones, images included, whose reading waits for the disk. */
import type { FileTree } from "../files/tree.ts";
import { visible } from "../report/text.ts";
import { complain, refuse } from "./output.ts";
import type { Absent, Misuse, Opened, Target, TargetOptions } from "./target.ts";
import { openTargets } from "./targets.ts";

/** Those that have an sshd; of the others it is said that there is nothing to ask. */
export async function openPresent(
  files: readonly string[],
  options: TargetOptions,
): Promise<readonly Opened[] | Misuse> {
  const found = await openSources(files, options);
  if ("misuse" in found) return found;
  return found.flatMap((one) => {
    if (!("absent" in one)) return [one];
    complain(visible(one.absent));
    return [];
  });
}

/** Of a command about one configuration; else its exit code, and why has been said. */
export async function openOne(file: string | undefined, options: TargetOptions): Promise<Target | number> {
  const opened = await openSources(file === undefined ? [] : [file], options);
  if ("misuse" in opened) return refuse(opened.misuse);
  const [target] = opened;
  if (target === undefined) return refuse("there is no file to read");
  if ("error" in target) return refuse(visible(target.error));
  if (!("absent" in target)) {
    const others = othersBeside(opened);
    if (others !== null) complain(visible(others));
    return target;
  }
  complain(visible(target.absent));
  return 0;
}

/** Where a system has several sshds and a command answers for the first: what else there is; null: nothing. */
export function othersBeside([first, ...others]: readonly (Opened | Absent)[]): string | null {
  if (first === undefined || others.length === 0) return null;
  const paths = others.map((other) => ("path" in other ? other.path : other.name));
  const read = paths.length === 1 ? "another sshd reads" : `${paths.length} other sshds read`;
  return `${first.name}: this alone is answered for; ${read} ${paths.join(", ")}: name that as FILE for it`;
}

/** `at`: as of openTargets. */
export async function openSources(
  files: readonly string[],
  options: TargetOptions,
  at?: FileTree,
): Promise<readonly (Opened | Absent)[] | Misuse> {
  const { repo } = options;
  if (repo !== undefined)
    return (await import("./repository.ts")).openRepository(files, { ...options, repo });
  if (options.image === undefined) return openTargets(files, options, at);
  const { openImages } = await import("./images.ts");
  return openImages(files, options);
}
