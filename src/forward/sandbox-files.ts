/** Files inside the sandbox's root folder. */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
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
