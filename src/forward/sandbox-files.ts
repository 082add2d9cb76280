/** Files inside the sandbox's root folder. */
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionJob } from "./job.ts";

/** The accounts and names of this connection alone: sshd's C library reads the files at each login. */
export function writeAccounts(folder: string, { accounts }: ConnectionJob): void {
  if (accounts === null) return;
  const { passwd, group, shadow, hosts } = accounts;
  const put = (name: string, text: string, mode: number): void =>
    writeFileSync(join(folder, "etc", name), Buffer.from(text, "latin1"), { mode });
  put("passwd", passwd, 0o644);
  put("group", group, 0o644);
  put("shadow", shadow, 0o600);
  put("hosts", hosts, 0o644);
  put("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files\n", 0o644);
}

/** The home of this connection's account, and its ChrootDirectory where that is missing: with a place for sockets. */
export function makeFolders(folder: string, { accounts, chroot }: ConnectionJob): void {
  if (accounts === null) return;
  const { home, uid, gid } = accounts;
  mkdirSync(join(folder, home), { recursive: true });
  if (chroot !== "") makeRootOfSession(folder, chroot);
  // on the way to a ChrootDirectory all must belong to root (session.c safely_chroot)
  const isOnTheWay = `${join("/", chroot)}/`.startsWith(`${home}/`);
  chownSync(join(folder, home), isOnTheWay ? 0 : uid, isOnTheWay ? 0 : gid);
}

/** Folders of programs are the machine's own and cannot be written: a ChrootDirectory in them must be there already. */
function makeRootOfSession(folder: string, chroot: string): void {
  const place = Buffer.from(below(folder, join(chroot, "tmp")), "latin1");
  if (existsSync(place)) return;
  try {
    mkdirSync(place, { recursive: true });
    chmodSync(place, 0o1777);
  } catch {
    throw new Error(`there is no ChrootDirectory ${chroot}, and the probe could not make it in its root`);
  }
}

/** A path of the server, which never leads out of its root folder. */
export function below(root: string, path: string): string {
  return join(root, join("/", path));
}
