/** Configurations for tests from text, without a file system. */
import { parseRelease, type Release } from "../grammar/release.ts";
import type { Config } from "../src/config/config.ts";
import { loadConfig } from "../src/config/load.ts";
import type { FileTree } from "../src/files/tree.ts";
import { encode } from "../src/source/source.ts";

export function releaseOf(spec: string): Release {
  const release = parseRelease(spec);
  if (release === null) throw new Error(`no release: ${spec}`);
  return release;
}

/** `files`: absolute path to latin1 text. */
export function memoryTree(files: Readonly<Record<string, string>>): FileTree {
  const folders = new Map<string, Set<string>>();
  for (const path of Object.keys(files)) {
    const parts = path.split("/").slice(1);
    for (let depth = 0; depth < parts.length; depth++) {
      const folder = `/${parts.slice(0, depth).join("/")}`;
      const names = folders.get(folder) ?? new Set();
      names.add(parts[depth] ?? "");
      folders.set(folder, names);
    }
  }
  const entry = { mode: 0o644, uid: 0, gid: 0, modifiedMs: 0, target: null };
  return {
    read: (path) => {
      const text = files[path];
      if (text !== undefined) return { kind: "file", bytes: encode(text), realPath: path };
      if (folders.has(path)) return { kind: "folder" };
      return { kind: "unreadable", code: "ENOENT", reason: "No such file or directory" };
    },
    list: (path) => (folders.has(path) ? [...(folders.get(path) ?? [])].sort() : null),
    stat: (path) => {
      const text = files[path];
      if (text !== undefined) return { ...entry, kind: "file", size: text.length, realPath: path };
      return folders.has(path) ? { ...entry, kind: "folder", size: 0, realPath: path } : null;
    },
  };
}

/** One main file, or a tree whose main file is /etc/ssh/sshd_config. */
export function configOf(files: string | Readonly<Record<string, string>>, release = "9.2"): Config {
  const tree = typeof files === "string" ? { "/etc/ssh/sshd_config": files } : files;
  return loadConfig(memoryTree(tree), "/etc/ssh/sshd_config", { release: releaseOf(release) });
}
