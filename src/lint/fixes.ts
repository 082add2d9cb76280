/** Intents of fixes that several rules share. Whether one is safe follows from what it changes. */
import { lowerAscii } from "../../grammar/ascii.ts";
import { type Change, keywordOf } from "../config/change.ts";
import type { Decider } from "../policy/answer.ts";

/** An intent; text comes later, from one planner. Safe or unsafe is chosen by the constructor. */
export interface Fix {
  readonly safety: "safe" | "unsafe";
  readonly title: string;
  readonly changes: readonly Change[];
  /** why somebody should look at it first; empty: it is safe */
  readonly because: string;
}

export function safeFix(title: string, changes: readonly Change[]): Fix {
  return { safety: "safe", title, changes, because: "" };
}

export function unsafeFix(
  title: string,
  changes: readonly Change[],
  because = "somebody wrote this on purpose",
): Fix {
  return { safety: "unsafe", title, changes, because };
}

/** What a client can do no longer behind a change, by keyword and new value. */
const BREAKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  allowtcpforwarding: {
    no: "ssh -L, -D, -W and -R, jumps through this host (ssh -J), and forwards of unix sockets",
    local: "ssh -R: forwards that listen on this server",
    remote: "ssh -L, -D, -W and jumps through this host (ssh -J)",
  },
  allowstreamlocalforwarding: {
    no: "ssh -L and -R of unix sockets, as remote container engines and GnuPG agents use them",
    local: "ssh -R of unix sockets",
    remote: "ssh -L of unix sockets, as remote container engines use them",
  },
  allowagentforwarding: {
    no: "ssh -A: logins from this server to the next with the client's keys (ssh -J needs no agent here)",
  },
  x11forwarding: { no: "ssh -X and -Y: windows of programs on this server" },
  permittunnel: { no: "ssh -w: the tunnel device and what is routed through it" },
  gatewayports: { no: "ports that ssh -R opens: only this server itself reaches them then" },
  disableforwarding: { yes: "ssh -L, -D, -W, -R and -J, forwards of unix sockets, X11 and agents" },
};

/** Null where nothing that is known by name goes. Sessions, sftp and scp go on in any case. */
export function whatBreaks({ changes }: Pick<Fix, "changes">): string | null {
  const broken = changes.flatMap((change) => BREAKS[keywordOf(change)]?.[change.value] ?? []);
  return broken.length === 0 ? null : [...new Set(broken)].join("; ");
}

/**
 * Gives `keyword` (canonical spelling) the value where `decider` decides today. Safe for a default or a global line;
 * unsafe inside a Match, which somebody wrote on purpose. Null where no edit of a file can mend it: an option on
 * sshd's command line wins.
 */
export function setWhereDecided(decider: Decider | null, keyword: string, value: string): Fix | null {
  const title = `${keyword} ${value}`;
  const directive = decider?.directive ?? null;
  if (directive?.origin === "option") return null;
  if (directive === null || directive.guards.length === 0)
    return safeFix(title, [{ kind: "set-global", keyword: lowerAscii(keyword), value }]);
  return unsafeFix(title, [{ kind: "replace-value", directive, value }]);
}
