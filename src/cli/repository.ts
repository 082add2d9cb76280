/** `audit --repo DIR`: every configuration of a tree, each as a FILE of its own; templates are named, not judged. */
import { statSync } from "node:fs";
import { findConfigurations } from "../files/repository.ts";
import { encode } from "../source/source.ts";
import { argumentOf, latin1 } from "./paths.ts";
import type { Absent, Misuse, Opened, TargetOptions } from "./target.ts";
import { openTargets } from "./targets.ts";

export async function openRepository(
  files: readonly string[],
  options: TargetOptions & { readonly repo: string },
): Promise<readonly (Opened | Absent)[] | Misuse> {
  const { repo, ...rest } = options;
  if (files.length > 0) return { misuse: "--repo finds the files itself: name either DIR or FILEs" };
  if (rest.root !== undefined || rest.image !== undefined)
    return { misuse: "--repo, --root and --image exclude each other" };
  if (statSync(Buffer.from(latin1(repo), "latin1"), { throwIfNoEntry: false })?.isDirectory() !== true)
    return { misuse: `--repo ${repo} is no folder that can be read` };
  const { plain, skipped } = listRepository(repo);
  if (plain.length === 0) return skipped;
  const opened = await openTargets(plain, rest);
  return "misuse" in opened ? opened : [...opened, ...skipped];
}

/** The files that are audited, and what is only named. */
export function listRepository(repo: string): {
  readonly plain: readonly string[];
  readonly skipped: readonly Absent[];
} {
  const found = findConfigurations(latin1(repo));
  const plain = found.filter(({ template }) => template === null).map(({ path }) => argumentOf(encode(path)));
  const skipped: readonly Absent[] = found.flatMap(({ path: name, template }) =>
    template === null
      ? []
      : [{ name, absent: `${name}: a template (${template}), not audited: render it, and audit the result` }],
  );
  if (found.length > 0) return { plain, skipped };
  return { plain, skipped: [{ name: latin1(repo), absent: `${latin1(repo)}: no sshd_config in it` }] };
}
