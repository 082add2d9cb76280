/** Makes a differing case small: fewer files, fewer lines, fewer words, as long as it still differs in the same way. */
import type { ServerTree } from "../sshd/server-tree.ts";
import type { FuzzCase } from "./generate.ts";
import type { Difference, Judgement } from "./judge.ts";

const MAX_TRIES = 400;

export async function shrink(
  found: Difference,
  judge: (fuzzCase: FuzzCase) => Promise<Judgement>,
): Promise<Difference> {
  let best = found;
  let tries = 0;
  const attempt = async (tree: ServerTree): Promise<boolean> => {
    if (++tries > MAX_TRIES) return false;
    const connections = best.connection === null ? [] : [best.connection];
    const { differences } = await judge({ tree, connections });
    const same = differences.find(({ what }) => what === found.what);
    if (same === undefined) return false;
    best = same;
    return true;
  };
  for (const path of Object.keys(best.tree)) {
    if (path !== "/etc/ssh/sshd_config")
      await attempt(Object.fromEntries(Object.entries(best.tree).filter(([other]) => other !== path)));
  }
  for (const path of Object.keys(best.tree).filter((one) => typeof best.tree[one] === "string"))
    await shrinkFile(path, () => best, attempt);
  return best;
}

/** Pieces of halving size are taken out, first of lines, then of blank-separated words. */
async function shrinkFile(
  path: string,
  current: () => Difference,
  attempt: (tree: ServerTree) => Promise<boolean>,
): Promise<void> {
  for (const border of [/(?<=\n)/, /(?<=[\n ])/, /(?<=[\n ,:])/]) {
    const pieces = (): string[] => String(current().tree[path] ?? "").split(border);
    for (let size = Math.ceil(pieces().length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < pieces().length; ) {
        const kept = pieces();
        kept.splice(at, size);
        if (!(await attempt({ ...current().tree, [path]: kept.join("") }))) at += size;
      }
    }
  }
}
