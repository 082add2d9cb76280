/** `audit --repo DIR`: every configuration of a tree, each as a FILE of its own; templates are named, not judged. */
import { statSync } from "node:fs";
import { findConfigurations, type Passed } from "../files/repository.ts";
import type { Skipped } from "../report/report.ts";
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
  const opened = await openTargets(listed.plain, withinRepository(options));
  return "misuse" in opened ? opened : [...opened, ...listed.others];
}

/** As FILEs, of which no Include leads out of the repository. */
export function withinRepository<O extends TargetOptions>({ repo, ...rest }: O): Omit<O, "repo"> {
  return repo === undefined ? rest : { ...rest, within: repo };
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
    return { misuse: `--repo ${latin1(repo)} is no folder that can be read` };
  const { found, passed } = findConfigurations(folder);
  const plain = found.filter(({ template }) => template === null).map(({ path }) => argumentOf(encode(path)));
  const others: readonly (Absent | Unreadable)[] = [
    ...found.flatMap(({ path, template }) =>
      template === null ? [] : [absent(path, { kind: "template", language: template }, folder)],
    ),
    ...passed.map((each) => named(each, folder)),
  ];
  if (plain.length + others.length > 0) return { plain, others };
  return { plain, others: [{ name: folder, absent: `${folder}: no sshd_config in it` }] };
}

function named({ path, ...passed }: Passed, folder: string): Absent | Unreadable {
  return passed.kind === "unreadable"
    ? { name: path, error: `${path}: a ${passed.what} that cannot be read` }
    : absent(path, passed, folder);
}

function absent(name: string, skipped: Skipped, folder: string): Absent {
  return { name, absent: `${name}${reasonOf(skipped, folder)}`, skipped };
}

/** Goes on from the name. */
function reasonOf(skipped: Skipped, folder: string): string {
  switch (skipped.kind) {
    case "template":
      return `: a template (${skipped.language}), not audited: render it, and audit the result`;
    case "settings":
      return skipped.keyword === null
        ? `:${skipped.line}: may hold an encoded sshd_config, not audited: audit what it makes`
        : `:${skipped.line}: settings of sshd (${skipped.keyword}) in what is no sshd_config, not audited: audit what it makes`;
    case "include":
      return `:${skipped.line}: Include ${skipped.pattern} leads out of ${folder}: nothing there is read`;
    case "link":
      return `: a link that leads out of ${folder}, or nowhere: not audited`;
    case "too-large":
      return ": larger than 64 MiB, the limit of sshd-policy: not looked at";
  }
}
