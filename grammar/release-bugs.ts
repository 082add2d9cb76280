/**
 * Bugs of releases that decide what a configuration means, and who is known to have repaired them. A distribution may
 * carry a repair back into an older release: where nobody knows, one of the two readings is taken, and the answer says so
 * where it counts.
 */
import { atLeast, formatRelease, type Release } from "./release.ts";

export interface ReleaseBug {
  /** the first release with the bug, and the first without */
  readonly since: string;
  readonly until: string;
  readonly packages: readonly KnownPackages[];
  /** where nobody knows: the reading that opens more, where one does; upstream's where neither always does */
  readonly taken: "bug" | "repair";
  /** what is so from `until` on */
  readonly repaired: string;
}

/** A line of packages: the first update with the repair (null: none has it), and the last one that was looked at. */
interface KnownPackages {
  /** its group is the number of the update */
  readonly version: RegExp;
  readonly repair: number | null;
  readonly seen: number;
}

const BULLSEYE = { version: /^1:8\.4p1-5(?:\+deb11u(\d+))?$/, seen: 7 };
const BOOKWORM = { version: /^1:9\.2p1-2(?:\+deb12u(\d+))?$/, seen: 10 };
const TRIXIE = { version: /^1:10\.0p1-7(?:\+deb13u(\d+))?$/, seen: 4 };
/** CVE-2025-32728, by the packages' changelogs */
const WITH_SESSIONS = [
  { ...BULLSEYE, repair: 5 },
  { ...BOOKWORM, repair: 6 },
];
const WITHOUT = [BULLSEYE, BOOKWORM, TRIXIE].map((line) => ({ ...line, repair: null }));

/** Up to 9.9 DisableForwarding lets pass what is asked for inside of a session (session.c; CVE-2025-32728). */
const ofSessions = (capability: string): ReleaseBug => ({
  ...{ since: "7.4", until: "10.0", packages: WITH_SESSIONS, taken: "bug" },
  repaired: `DisableForwarding stops ${capability}`,
});

export const DISABLED_X11: ReleaseBug = ofSessions("x11");
export const DISABLED_AGENT: ReleaseBug = ofSessions("agent");

/** channels.c, serverloop.c server_request_tun */
export const DISABLED_TUN: ReleaseBug = {
  ...{ since: "7.4", until: "10.4", packages: WITHOUT, taken: "bug" },
  repaired: "DisableForwarding stops tun",
};

/** A display has a number below 1000, later one of a thousand ports (channels.c x11_create_display_inet). */
export const FEW_DISPLAYS: ReleaseBug = {
  ...{ since: "7.4", until: "10.1", packages: WITHOUT, taken: "repair" },
  repaired: "an X11DisplayOffset above 999 leaves x11 open",
};

/** OpenSSH bug 3122: Match blocks of a file that is included from the global part. */
export const LOST_MATCHES: ReleaseBug = {
  ...{ since: "8.2", until: "8.4", packages: [], taken: "bug" },
  repaired: "the Match blocks of included files count",
};

/** servconf.c takes the word Include for the pattern. */
export const LOST_INCLUDES: ReleaseBug = {
  ...{ since: "8.2", until: "8.3", packages: [], taken: "bug" },
  repaired: "a relative Include finds its files",
};

/** servconf.c match_cfg_line */
export const INVALID_USER_FITS_ALL: ReleaseBug = {
  ...{ since: "9.9p1", until: "9.9p2", packages: [], taken: "bug" },
  repaired: "Match invalid-user holds for invalid users alone",
};

/** match.c match_pattern: its loop over the rest of the text never tries the empty rest. */
export const GREEDY_STARS: ReleaseBug = {
  ...{ since: "7.4", until: "8.5", packages: WITHOUT, taken: "bug" },
  repaired: "a pattern that ends in ** needs nothing in its place",
};

/** OpenSSH bug 3906: servconf.c copy_set_server_options copies a Subsystem of a block over a global one. */
export const SUBSYSTEM_CRASH: ReleaseBug = {
  ...{ since: "9.5", until: "10.3", packages: WITHOUT, taken: "repair" },
  repaired: "a Subsystem in Match blocks alone does not crash sshd",
};

/** Upstream's releases are known; a package without a patch level may be of any. */
export function hasBug(bug: ReleaseBug, release: Release): boolean | "perhaps" {
  const isInside = isBetween(bug, release);
  if (release.vendor === "upstream") return isInside;
  if (!isInside)
    return !Number.isFinite(release.patch) && isBetween(bug, { ...release, patch: 1 }) ? "perhaps" : false;
  return isUnrepaired(bug, release) ?? "perhaps";
}

function isBetween({ since, until }: ReleaseBug, release: Release): boolean {
  return atLeast(release, since) && !atLeast(release, until);
}

/** Null: it is no package that is known. */
function isUnrepaired({ packages }: ReleaseBug, { packageVersion }: Release): boolean | null {
  for (const { version, repair, seen } of packages) {
    const match = version.exec(packageVersion ?? "");
    if (match === null) continue;
    const update = Number(match[1] ?? 0);
    if (repair !== null) return update < repair;
    return update <= seen ? true : null;
  }
  return null;
}

/** Whether it is read with the bug. */
export function isReadWith(bug: ReleaseBug, release: Release): boolean {
  const has = hasBug(bug, release);
  return has === "perhaps" ? isBetween(bug, release) && bug.taken === "bug" : has;
}

/** What is not known, and what is taken for it; null: all is. */
export function repairDoubt(bug: ReleaseBug, release: Release): string | null {
  if (hasBug(bug, release) !== "perhaps") return null;
  const taken = isReadWith(bug, release) ? "to have none" : "to have it";
  return `${bug.repaired} from OpenSSH ${bug.until} on; whether ${formatRelease(release)} has the repair is not known, and it is taken ${taken}`;
}
