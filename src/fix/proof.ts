/**
 * The proof of a fix before anything is written: for every connection, what it may forward before and after. A fix only
 * takes away, and only what a finding named; who loses what is told in words.
 */

import { keywordOf } from "../config/change.ts";
import type { Account } from "../files/tree.ts";
import { comparePolicies, type PolicyChange } from "../policy/compare.ts";
import type { Capability } from "../policy/connection.ts";
import type { Plan } from "./plan.ts";

export interface FixProof {
  /** "user deploy loses -L -D -W -J to db:5432", one for each group of connections */
  readonly losses: readonly string[];
  /** what moves although no finding asks for it; empty when proved */
  readonly unasked: readonly string[];
  /** why not every connection could be compared; empty when proved */
  readonly limits: readonly string[];
}

/** accounts: nobody but these may exist; null: anybody may */
export function proveFix({ before, after, changes }: Plan, accounts: readonly Account[] | null): FixProof {
  const named = new Set(changes.map(keywordOf));
  const comparison = comparePolicies(before, after, { accounts });
  const isAsked = ({ change, after: deciders }: PolicyChange): boolean =>
    change === "lost" && deciders.some(({ keyword }) => named.has(keyword));
  return {
    losses: lossTexts(comparison.changes.filter(isAsked)),
    unasked: comparison.changes
      .filter((change) => !isAsked(change))
      .map(({ change, capability, condition }) => `${capability} would be ${change} for ${condition}`),
    limits: comparison.limits,
  };
}

/** In a client's own options. */
const OPTIONS: Readonly<Record<Capability, string>> = {
  "tcp-local": "-L -D -W -J",
  "tcp-remote": "-R",
  "unix-local": "socket forwards out",
  "unix-remote": "socket forwards in",
  tun: "network tunnels (-w)",
  x11: "X11 forwarding (-X -Y)",
  agent: "agent forwarding (-A)",
};

function lossTexts(lost: readonly PolicyChange[]): string[] {
  const byCondition = new Map<string, Set<string>>();
  for (const change of lost) {
    const words = byCondition.get(change.condition) ?? new Set();
    byCondition.set(change.condition, words.add(OPTIONS[change.capability] + limitText(change)));
  }
  return [...byCondition].map(([who, words]) => {
    const comma = who.includes(", except ") ? "," : "";
    return `${who}${comma} ${verb(who)} ${[...words].join(", ")}`;
  });
}

const LIMITS: Readonly<Partial<Record<Capability, string>>> = {
  "tcp-local": "permitopen",
  "tcp-remote": "permitlisten",
};

/** Where a list of destinations had limited it, the list. */
function limitText({ capability, grants, before }: PolicyChange): string {
  const limit = before.find(({ keyword }) => keyword === LIMITS[capability]);
  const items = grants.length > 0 || limit === undefined ? grants : limit.value.split(" ");
  const isAny = items.length === 0 || items.includes("any") || items.includes("*:*");
  return isAny ? "" : ` ${capability === "tcp-remote" ? "from" : "to"} ${items.join(" ")}`;
}

function verb(who: string): "loses" | "lose" {
  return /^(everybody|user )/.test(who) ? "loses" : "lose";
}
