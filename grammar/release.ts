/**
 * The OpenSSH release whose sshd reads the file. Tokeniser, keywords, defaults and first-value rules depend on it,
 * so it is a parameter of parsing and of meaning.
 */
export interface Release {
  readonly major: number;
  readonly minor: number;
  /** portable patch level, the `1` of 9.2p1; Infinity when not named: the newest patch */
  readonly patch: number;
  readonly vendor: Vendor;
  /** the whole package version (`1:9.2p1-2+deb12u10`) where it is known, for backports */
  readonly packageVersion: string | null;
}

export type Vendor = "upstream" | "debian" | "ubuntu" | "rhel" | "fedora" | "alpine";

const VENDORS: readonly Vendor[] = ["upstream", "debian", "ubuntu", "rhel", "fedora", "alpine"];

/** The newest release that this version of sshd-policy knows. */
export const NEWEST: Release = {
  major: 10,
  minor: 6,
  patch: Number.POSITIVE_INFINITY,
  vendor: "upstream",
  packageVersion: null,
};

/** The oldest release that this version of sshd-policy knows. */
export const OLDEST = "7.4";

const VERSION = /^(\d{1,3})\.(\d{1,3})(?:\.\d+)?(?:p(\d{1,3}))?/;

/**
 * Reads `9.2`, `9.9p1`, `9.2+debian`, `8.7+rhel`, or a whole package version (`1:9.2p1-2+deb12u3`, `9.9_p2-r0`,
 * `8.7p1-38.el9`). Null when the text names no release.
 */
export function parseRelease(text: string): Release | null {
  const withoutEpoch = text.replace(/^\d+:/, "");
  const match = VERSION.exec(withoutEpoch.replace(/_p/, "p"));
  if (match === null) return null;
  const suffix = withoutEpoch.replace(/_p/, "p").slice(match[0].length);
  const vendor = vendorOf(text, suffix);
  if (vendor === null) return null;
  return {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]),
    vendor,
    packageVersion: suffix.startsWith("-") ? text : null,
  };
}

function vendorOf(text: string, suffix: string): Vendor | null {
  if (suffix === "") return "upstream";
  if (suffix.startsWith("+")) return VENDORS.find((vendor) => `+${vendor}` === suffix.toLowerCase()) ?? null;
  if (!suffix.startsWith("-")) return null;
  if (/ubuntu/.test(suffix)) return "ubuntu";
  if (/\.el\d/.test(suffix)) return "rhel";
  if (/\.fc\d/.test(suffix)) return "fedora";
  if (/^-r\d+$/.test(suffix)) return "alpine";
  return text.includes(":") || /deb\d|^-\d/.test(suffix) ? "debian" : null;
}

/** `9.2p1+debian`, or the package version where it is known. */
export function formatRelease(release: Release): string {
  if (release.packageVersion !== null) return release.packageVersion;
  const patch = Number.isFinite(release.patch) ? `p${release.patch}` : "";
  const vendor = release.vendor === "upstream" ? "" : `+${release.vendor}`;
  return `${release.major}.${release.minor}${patch}${vendor}`;
}

/** True when the release is `version` or newer; `version` as `8.7` or `9.9p2`. */
export function atLeast(release: Release, version: string): boolean {
  const { major, minor, patch } = parsedVersions.get(version) ?? parseVersion(version);
  if (release.major !== major) return release.major > major;
  if (release.minor !== minor) return release.minor > minor;
  return release.patch >= patch;
}

/** Null where the release is known; else how it is read instead, for people. */
export function unknownRelease(release: Release): string | null {
  const newest = `${NEWEST.major}.${NEWEST.minor}`;
  if (!atLeast(release, OLDEST)) return `older than ${OLDEST}, the oldest known: read as ${OLDEST}`;
  const isNewer =
    release.major > NEWEST.major || (release.major === NEWEST.major && release.minor > NEWEST.minor);
  return isNewer ? `newer than ${newest}, the newest known: read as ${newest}` : null;
}

interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** Asked for each pattern that is matched, so a version is taken apart once. */
const parsedVersions = new Map<string, Version>();

function parseVersion(version: string): Version {
  const [numbers = "", patch = "0"] = version.split("p");
  const [major = "0", minor = "0"] = numbers.split(".");
  const parsed = { major: Number(major), minor: Number(minor), patch: Number(patch) };
  parsedVersions.set(version, parsed);
  return parsed;
}

/**
 * What `Match Version` compares (version.h SSH_RELEASE): `OpenSSH_10.0p2`; Debian and Ubuntu append the revision of
 * their package. Without a patch level the newest of that release is meant.
 */
export function versionText(release: Release): string {
  const newestPatch = atLeast({ ...release, patch: 0 }, "9.9") && !atLeast(release, "10.1") ? 2 : 1;
  // packages of 10.0 are called p1, after the tag; the program itself says p2 (version.h)
  const isTen = release.major === 10 && release.minor === 0;
  const patch = Number.isFinite(release.patch) && !isTen ? release.patch : newestPatch;
  const upstream = `OpenSSH_${release.major}.${release.minor}p${patch}`;
  const revision = /-([^-]+)$/.exec(release.packageVersion ?? "")?.[1];
  if (revision === undefined || (release.vendor !== "debian" && release.vendor !== "ubuntu")) return upstream;
  return `${upstream} ${release.vendor === "debian" ? "Debian" : "Ubuntu"}-${revision}`;
}
