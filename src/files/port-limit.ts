/** Which ports need no privilege in a tree: the kernel's net.ipv4.ip_unprivileged_port_start (Linux, ip-sysctl.rst). */
import { textOf } from "./file-text.ts";
import type { FileTree } from "./tree.ts";

const LIVE = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
/** sysctl.d(5): of files with one name the first folder counts; by name, the last assignment wins */
const FOLDERS = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"];
const ASSIGNMENT = /^[ \t]*-?net[./]ipv4[./]ip_unprivileged_port_start[ \t]*=[ \t]*(\d{1,5})[ \t\r]*$/gm;

/** Null where nothing says so: then it is the kernel's own 1024. A running kernel has the last word. */
export function unprivilegedPortStart(tree: FileTree): number | null {
  const running = /^\d+/.exec(textOf(tree, LIVE) ?? "")?.[0];
  if (running !== undefined) return Number(running);
  const texts = [...filesByName(tree).map((path) => textOf(tree, path)), textOf(tree, "/etc/sysctl.conf")];
  const values = texts.flatMap((text) => [...(text ?? "").matchAll(ASSIGNMENT)].map(([, value]) => value));
  const last = values.at(-1);
  return last === undefined ? null : Number(last);
}

function filesByName(tree: FileTree): string[] {
  const byName = new Map<string, string>();
  for (const folder of FOLDERS) {
    for (const name of tree.list(folder) ?? [])
      if (name.endsWith(".conf") && !byName.has(name)) byName.set(name, `${folder}/${name}`);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
}
