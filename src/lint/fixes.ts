/** Intents of fixes that several rules share. Whether one is safe follows from what it changes. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Change } from "../config/change.ts";
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
