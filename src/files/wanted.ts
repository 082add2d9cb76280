/**
 * Which paths of an image are kept: those that an audit asks for, and the folders on the way to them. What turns out to
 * be asked for only later (the target of an Include or of a link) is added, and the image is read once more.
 */

import { GLIBC_ALONE, LOADERS } from "./musl-accounts.ts";
import { folderOf } from "./path.ts";

/** What is kept of an entry: nothing, what it is, or its bytes too. */
export type Keeping = "nothing" | "entry" | "small" | "bytes";

export interface Wanted {
  /** nothing in a folder that is kept nothing of is kept */
  readonly keeping: (path: string) => Keeping;
  /** True when a listing of the folder would be whole. */
  readonly lists: (folder: string) => boolean;
  readonly addFile: (path: string) => void;
  /** as a file, unless it is too large for text */
  readonly addSmall: (path: string) => void;
  readonly addFolder: (path: string) => void;
}

/** sshd's own folders, those of units, and all else that release, accounts and start options are read from. */
const TREES = [
  "/etc/ssh",
  "/usr/etc/ssh",
  "/usr/local/etc/ssh",
  "/etc/systemd/system",
  "/run/systemd/system",
];
const FOLDERS = [
  "/etc/sysctl.d",
  "/run/sysctl.d",
  "/usr/local/lib/sysctl.d",
  "/usr/lib/sysctl.d",
  "/lib/sysctl.d",
  "/etc/tmpfiles.d",
  "/run/tmpfiles.d",
  "/usr/local/lib/tmpfiles.d",
  "/usr/lib/tmpfiles.d",
  "/etc/cloud",
  "/etc/cloud/cloud.cfg.d",
  "/etc/local.d",
  "/usr/lib/ignition/base.d",
];
const FILES = [
  "/etc/passwd",
  "/etc/group",
  "/etc/nsswitch.conf",
  "/etc/os-release",
  "/usr/lib/os-release",
  "/etc/default/ssh",
  "/etc/sysconfig/sshd",
  "/etc/sysconfig/ssh",
  "/etc/conf.d/sshd",
  "/etc/init.d/ssh",
  "/etc/init.d/sshd",
  "/etc/init.d/supervisor",
  "/etc/init.d/supervisord",
  "/etc/rc.local",
  "/etc/rc.d/rc.local",
  "/etc/rc.d/rc.sshd",
  "/var/lib/cloud/seed/nocloud/user-data",
  "/var/lib/cloud/seed/nocloud-net/user-data",
  "/usr/lib/ignition/user.ign",
  "/boot/ignition/config.ign",
  "/usr/share/oem/config.ign",
  "/etc/rc.conf",
  "/etc/rc.conf.local",
  "/etc/sysctl.conf",
  "/usr/local/etc/sshd_config",
  "/etc/crypto-policies/back-ends/opensshserver.config",
  "/var/lib/dpkg/status",
  "/var/lib/dpkg/status.d/openssh-server",
  "/lib/apk/db/installed",
  "/usr/lib/apk/db/installed",
  "/usr/lib/sysimage/rpm/rpmdb.sqlite",
  "/var/lib/rpm/rpmdb.sqlite",
];
/** Programs with a prefix of their own and pacman's packages are folders here, systemd's own users records; the names are enough. */
const NAMES = [
  "/opt",
  "/usr/local",
  "/var/lib/pacman/local",
  "/etc/userdb",
  "/usr/local/lib/userdb",
  "/usr/lib/userdb",
  "/var/lib/systemd/home",
  "/var/lib/confexts",
  "/usr/lib/confexts",
  "/usr/local/lib/confexts",
];
/** Programs and links: what a link among them leads to, and on demand their bytes, where no package names the release. */
const ENTRIES = [
  "/usr/sbin/sshd",
  "/usr/bin/sshd",
  "/sbin/sshd",
  "/bin/sshd",
  "/usr/local/sbin/sshd",
  "/usr/local/bin/sshd",
  "/usr/sbin/sshd.pam",
  "/usr/sbin/sshd.krb5",
  "/usr/lib/ssh/sshd-session",
  "/etc/.ignition-result.json",
  "/sbin/init",
  "/usr/sbin/init",
  "/usr/bin/init",
  "/usr/lib/systemd/system/sockets.target.wants/ssh.socket",
  "/usr/lib/systemd/system/sockets.target.wants/sshd.socket",
];
const UNIT_FOLDERS = ["/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system"];
const UNIT = /^(?:(?:ssh|sshd|ssh@|sshd@)\.(?:service|socket)(?:\.d)?|service\.d)(?:\/|$)/;

/** They tell musl from glibc. */
const OF_THE_LIBRARY = [...LOADERS, GLIBC_ALONE];

export function openWanted(): Wanted {
  const exact = new Map<string, Keeping>([["/", "entry"]]);
  const folders = new Set<string>(FOLDERS);
  const names = new Set<string>(NAMES);
  const add = (path: string, keeping: Keeping): void => {
    exact.set(path, keeping);
    // above one that is known all are
    for (let above = folderOf(path); !exact.has(above); above = folderOf(above)) exact.set(above, "entry");
  };
  for (const path of [...TREES, ...FOLDERS, ...NAMES, ...ENTRIES, ...OF_THE_LIBRARY, ...UNIT_FOLDERS])
    add(path, "entry");
  for (const path of FILES) add(path, "bytes");
  return {
    keeping: (path) => {
      const known = exact.get(path);
      if (known !== undefined) return known;
      const folder = folderOf(path);
      if (folders.has(folder)) return "small";
      if (names.has(folder)) return "entry";
      if (isUnit(path)) return "bytes";
      return isInTree(path) ? "small" : "nothing";
    },
    lists: (folder) => folders.has(folder) || names.has(folder) || isUnit(folder) || isInTree(`${folder}/`),
    addFile: (path) => add(path, "bytes"),
    addSmall: (path) => {
      if (!exact.has(path)) add(path, "small");
    },
    addFolder: (path) => {
      if (!exact.has(path)) add(path, "entry");
      folders.add(path);
    },
  };
}

const WITH_SLASH = TREES.map((tree) => `${tree}/`);

function isInTree(path: string): boolean {
  return WITH_SLASH.some((tree) => path.startsWith(tree));
}

function isUnit(path: string): boolean {
  // nearly all paths are elsewhere
  if (!path.includes("/systemd/system/ssh") && !path.includes("/systemd/system/service.d/")) return false;
  return UNIT_FOLDERS.some(
    (folder) => path.startsWith(`${folder}/`) && UNIT.test(path.slice(folder.length + 1)),
  );
}

export function folderAndAbove(folder: string): string[] {
  return [folder, ...foldersAbove(folder)];
}

export function foldersAbove(path: string): string[] {
  const above: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
    above.push(path.slice(0, end));
  return path === "/" ? above : [...above, "/"];
}
