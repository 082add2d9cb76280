/** `audit --repo DIR`: every configuration of a tree, each as a FILE of its own; templates are named, not judged. */
import { statSync } from "node:fs";
import { findConfigurations } from "../files/repository.ts";
import { encode } from "../source/source.ts";
import { argumentOf, latin1 } from "./paths.ts";
import type { Absent, Misuse, Opened, TargetOptions, Unreadable } from "./target.ts";
import { openTargets } from "./targets.ts";

export async function openRepository(
  files: readonly string[],
  options: RepositoryOptions,
): Promise<readonly (Opened | Absent)[] | Misuse> {
  const listed = listRepository(files, options);
  if ("misuse" in listed || listed.plain.length === 0) return "misuse" in listed ? listed : listed.others;
  const { repo: _, ...rest } = options;
  const opened = await openTargets(listed.plain, rest);
  return "misuse" in opened ? opened : [...opened, ...listed.others];
}

type RepositoryOptions = TargetOptions & { readonly repo: string };

interface Listing {
  /** what is audited, each as a FILE */
  readonly plain: readonly string[];
  /** what is only named */
  readonly others: readonly (Absent | Unreadable)[];
}

export function listRepository(
  files: readonly string[],
  { repo, root, image }: RepositoryOptions,
): Listing | Misuse {
  if (files.length > 0) return { misuse: "--repo finds the files itself: name either DIR or FILEs" };
  if (root !== undefined || image !== undefined)
    return { misuse: "--repo, --root and --image exclude each other" };
  const folder = latin1(repo);
  if (statSync(Buffer.from(folder, "latin1"), { throwIfNoEntry: false })?.isDirectory() !== true)
    return { misuse: `--repo ${repo} is no folder that can be read` };
  const { found, unread, holders, leading } = findConfigurations(folder);
  const plain = found.filter(({ template }) => template === null).map(({ path }) => argumentOf(encode(path)));
  const others: readonly (Absent | Unreadable)[] = [
    ...found.flatMap(({ path: name, template }) =>
      template === null
        ? []
        : [
            {
              name,
              absent: `${name}: a template (${template}), not audited: render it, and audit the result`,
            },
          ],
    ),
    ...holders.map(({ path: name, line }) => ({
      name,
      absent: `${name}:${line}: lines of an sshd_config inside another file, not audited: audit what it makes`,
    })),
    ...leading.map((name) => ({
      name,
      absent: `${name}: a link that leads out of ${folder}, or nowhere: not audited`,
    })),
    ...unread.map((name) => ({ name, error: `${name}: a folder that cannot be read` })),
  ];
  if (plain.length + others.length > 0) return { plain, others };
  return { plain, others: [{ name: folder, absent: `${folder}: no sshd_config in it` }] };
}
