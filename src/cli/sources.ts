/** From the options that name configurations to loaded ones, images included, whose reading waits for the disk. */
import type { FileTree } from "../files/tree.ts";
import { visible } from "../report/text.ts";
import { complain } from "./output.ts";
import type { Absent, Misuse, Opened, TargetOptions } from "./target.ts";
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
