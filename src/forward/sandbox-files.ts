/** Files inside the sandbox's root folder. */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, lstatSync, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionJob } from "./job.ts";

/** The accounts and names of this connection alone: sshd's C library reads the files at each login. */
export function prepare(folder: string, { accounts, chroot }: ConnectionJob): void {
  if (accounts === null) return;
  const { passwd, group, shadow, hosts, home, uid, gid } = accounts;
  const put = (name: string, text: string, mode: number): void =>
    writeFileSync(join(folder, "etc", name), Buffer.from(text, "latin1"), { mode });
  put("passwd", passwd, 0o644);
  put("group", group, 0o644);
  put("shadow", shadow, 0o600);
  put("hosts", hosts, 0o644);
  put("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n", 0o644);
  if (!existsSync(join(folder, home))) mkdirSync(join(folder, home), { recursive: true });
  if (chroot !== "")
    execFileSync("mkdir", ["-p", "-m", "1777", "--", below(folder, join(chroot, "tmp"))], { stdio: "pipe" });
  // on the way to a ChrootDirectory all must belong to root (session.c safely_chroot)
  const isOnTheWay = `${join("/", chroot)}/`.startsWith(`${home}/`);
  chownSync(join(folder, home), isOnTheWay ? 0 : uid, isOnTheWay ? 0 : gid);
}

/** A path of the server, which never leads out of its root folder. */
export function below(root: string, path: string): string {
  return join(root, join("/", path));
}

/** Linux follows 40 links (path_resolution(7)). */
const MOST_LINKS = 40;

/** Whether a path of the server leads to something, its links followed inside its root folder, as after a chroot(2). */
export function isThere(root: string, path: string): boolean {
  const left = path.split("/").reverse();
  let at = "/";
  let links = 0;
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const next = join(at, name);
    const status = lstatSync(below(root, next), { throwIfNoEntry: false });
    if (status === undefined) return false;
    if (status.isSymbolicLink()) {
      if (++links > MOST_LINKS) return false;
      const target = readlinkSync(below(root, next));
      left.push(...target.split("/").reverse());
      if (target.startsWith("/")) at = "/";
    } else if (left.length > 0 && !status.isDirectory()) return false;
    else at = next;
  }
  return true;
}
