/** The policy file of each target: found, trusted, read; options of the call win over what it says. */
import { relative } from "node:path";
import { RULES } from "../../rules/index.ts";
import { folderTree } from "../files/folder.ts";
import { findPolicyFile, readTrusted } from "../files/policy-file.ts";
import type { FileTree } from "../files/tree.ts";
import { type Intent, PROFILES } from "../lint/intent.ts";
import { absolute, currentFolder } from "./paths.ts";
import type { Target, TargetOptions } from "./target.ts";

export interface IntentOptions extends TargetOptions {
  /** false with --no-config */
  readonly config?: string | false;
}

/** `mistakes`: why the file is not followed, each a whole line. */
export type FoundIntent = Intent | { readonly mistakes: readonly string[] } | null;

/** Null where a target has no policy file. Targets of a call often share one, which is read once. */
export function makeIntentFinder(options: IntentOptions): (target: Target) => Promise<FoundIntent> {
  const host = folderTree("/");
  const known = new Map<string, Promise<FoundIntent>>();
  const once = (path: string): Promise<FoundIntent> => {
    const found = known.get(path) ?? readIntent(host, path);
    known.set(path, found);
    return found;
  };
  const byFolder = new Map<string, string | null>();
  const nearest = (path: string): string | null => {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const found = byFolder.has(folder) ? (byFolder.get(folder) ?? null) : findPolicyFile(host, path);
    byFolder.set(folder, found);
    return found;
  };
  return async (target) => {
    if (options.config === false) return null;
    if (options.config !== undefined) return once(absolute(options.config));
    // a root or an image comes from somebody else: it does not say how it is judged
    if (options.root !== undefined || options.image !== undefined) return null;
    const path = nearest(target.path);
    return path === null ? null : once(path);
  };
}

async function readIntent(host: FileTree, path: string): Promise<FoundIntent> {
  const shown = shownPath(path);
  const read = readTrusted(host, path, process.getuid?.() ?? null);
  if ("refused" in read) return { mistakes: [`policy file ${shown}: ${read.refused}`] };
  const { readPolicyFile } = await import("../lint/policy-file.ts");
  const text = Buffer.from(read.bytes).toString("latin1");
  return readPolicyFile(shown, text, { rules: RULES.map(({ id }) => id), profiles: PROFILES });
}

function shownPath(path: string): string {
  const near = relative(currentFolder(), path);
  return near.startsWith("..") ? path : near;
}
