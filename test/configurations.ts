/** Configurations for tests from text, without a file system. */
import { parseRelease, type Release } from "../grammar/release.ts";
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import { memoryTree } from "./sshd/server-tree.ts";

export function releaseOf(spec: string): Release {
  const release = parseRelease(spec);
  if (release === null) throw new Error(`no release: ${spec}`);
  return release;
}

/** One main file, or a tree whose main file is /etc/ssh/sshd_config. */
export function configOf(files: string | Readonly<Record<string, string>>, release = "9.2"): Config {
  const tree = typeof files === "string" ? { "/etc/ssh/sshd_config": files } : files;
  return loadConfig(memoryTree(tree), "/etc/ssh/sshd_config", { release: releaseOf(release) });
}
