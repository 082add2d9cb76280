/** The OpenSSH server that a tree has installed, by its package database. No program of the tree is ever run. */
import { parseRelease, type Release } from "../../grammar/release.ts";
import type { FileTree } from "./tree.ts";

export interface InstalledRelease {
  readonly release: Release;
  /** for people: "dpkg: openssh-server 1:9.2p1-2+deb12u10" */
  readonly source: string;
}

/** By a database of text; null where none names one. RPM's are read by `rpmRelease`. */
export function installedRelease(tree: FileTree): InstalledRelease | null {
  return fromDpkg(tree) ?? fromApk(tree) ?? fromPacman(tree);
}

/** deb822 stanzas, each with Package, Status and Version (deb-control(5), dpkg(1)); images without dpkg have a file a package, without Status. */
function fromDpkg(tree: FileTree): InstalledRelease | null {
  const stanza = stanzaWith(tree, "/var/lib/dpkg/status", "Package: openssh-server\n");
  const isInstalled = stanza !== null && /^Status: .* installed$/m.test(stanza);
  const installed = isInstalled
    ? stanza
    : stanzaWith(tree, "/var/lib/dpkg/status.d/openssh-server", "Package: openssh-server\n");
  return found(/^Version: (.*)$/m.exec(installed ?? "")?.[1], "dpkg: openssh-server");
}

/** The older place first; systems whose /lib is no link to /usr/lib may have the other one alone. */
const APK_DATABASES = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/** `P:` package and `V:` version (apk-v2 installed database). */
function fromApk(tree: FileTree): InstalledRelease | null {
  for (const path of APK_DATABASES) {
    for (const name of ["openssh-server", "openssh-server-pam"]) {
      const stanza = stanzaWith(tree, path, `P:${name}\n`);
      const version = stanza === null ? undefined : /^V:(.*)$/m.exec(stanza)?.[1];
      if (version !== undefined) return found(version, `apk: ${name}`);
    }
  }
  return null;
}

/** os-release(5) ID to the vendor whose backports count. */
const VENDORS: Readonly<Record<string, string>> = {
  debian: "+debian",
  ubuntu: "+ubuntu",
  fedora: "+fedora",
  alpine: "+alpine",
  rhel: "+rhel",
  centos: "+rhel",
  rocky: "+rhel",
  almalinux: "+rhel",
  ol: "+rhel",
};

/**
 * The banner's version, which is written in the program (version.h SSH_RELEASE). Debian and Ubuntu add the package's
 * revision; elsewhere the revision is unknown. The program is read, never run.
 */
export function releaseOfBinary(tree: FileTree, programs: readonly string[]): InstalledRelease | null {
  for (const path of programs) {
    const content = tree.read(path);
    if (content.kind !== "file") continue;
    const bytes = Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.bytes.byteLength);
    const banner = bannerIn(bytes);
    const release = banner === null ? null : parseRelease(versionOf(banner, tree));
    if (release === null) continue;
    const revision = release.packageVersion === null ? ", its revision unknown" : "";
    return { release, source: `${path}: ${banner?.text ?? ""}${revision}` };
  }
  return null;
}

interface Banner {
  readonly text: string;
  /** "9.2p1" */
  readonly version: string;
  /** "2+deb12u3" of "Debian-2+deb12u3"; null without one */
  readonly revision: string | null;
}

/** "OpenSSH_9.2p1 Debian-2+deb12u3"; patterns of other programs' banners have no patch level. */
function bannerIn(bytes: Buffer): Banner | null {
  for (let at = bytes.indexOf("OpenSSH_"); at !== -1; at = bytes.indexOf("OpenSSH_", at + 1)) {
    const text = bytes.toString("latin1", at, at + 80);
    const match = /^OpenSSH_(\d+\.\d+p\d+)(?: (?:Debian|Ubuntu)-([0-9A-Za-z.+~]+))?/.exec(text);
    if (match !== null) return { text: match[0], version: match[1] ?? "", revision: match[2] ?? null };
  }
  return null;
}

function versionOf({ version, revision }: Banner, tree: FileTree): string {
  if (revision !== null) return `1:${version}-${revision}`;
  const content = [tree.read("/etc/os-release"), tree.read("/usr/lib/os-release")].find(
    ({ kind }) => kind === "file",
  );
  const text = content?.kind === "file" ? Buffer.from(content.bytes).toString("latin1") : "";
  const id = /^ID=["']?([a-z]+)["']?$/m.exec(text)?.[1] ?? "";
  return version + (VENDORS[id] ?? "");
}

/** One folder a package, `openssh-9.9p2-1`. */
function fromPacman(tree: FileTree): InstalledRelease | null {
  const folder = (tree.list("/var/lib/pacman/local") ?? []).find((name) => /^openssh-\d/.test(name));
  const version = folder?.slice("openssh-".length).replace(/-\d+$/, "");
  return found(version, "pacman: openssh");
}

function found(version: string | undefined, name: string): InstalledRelease | null {
  const release = version === undefined ? null : parseRelease(version);
  return release === null ? null : { release, source: `${name} ${version}` };
}

/** The stanza, between empty lines, that has this line; the whole database is never turned into text. */
function stanzaWith(tree: FileTree, path: string, line: string): string | null {
  const content = tree.read(path);
  if (content.kind !== "file") return null;
  const bytes = Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.bytes.byteLength);
  for (let at = bytes.indexOf(line); at !== -1; at = bytes.indexOf(line, at + 1)) {
    if (at > 0 && bytes[at - 1] !== 0x0a) continue;
    const before = bytes.lastIndexOf("\n\n", at);
    const end = bytes.indexOf("\n\n", at);
    return bytes.toString("latin1", before === -1 ? 0 : before + 2, end === -1 ? bytes.length : end + 1);
  }
  return null;
}
