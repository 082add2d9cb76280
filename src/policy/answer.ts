/** Answers of the policy: complete over all connections, each with a witness and the lines to blame. */
import type { Directive } from "../config/config.ts";
import type { Place } from "../source/source.ts";
import type { Capability, Connection } from "./connection.ts";

/** What gives a keyword its value: a line, or the default of the release. */
export type Decider =
  | { readonly keyword: string; readonly value: string; readonly directive: Directive }
  | { readonly keyword: string; readonly value: string; readonly directive: null };

/**
 * One region of connections that are treated alike for one capability. All answers of a capability together cover
 * every connection once that sshd serves. `allowed: "unknown"` comes with `unknownBecause`; it counts as open.
 */
export interface Answer {
  readonly capability: Capability;
  readonly allowed: boolean | "unknown";
  readonly unknownBecause: string | null;
  /** in the administrator's own words: "members of group forwarders from 10.0.0.0/8, not root"; "everybody" */
  readonly condition: string;
  readonly extent: Extent;
  /** where it is not closed: tcp-local: `*:*` or `host:port` items · unix-local, unix-remote: `*` or paths · else empty */
  readonly destinations: readonly string[];
  /** of tcp-remote that is not closed */
  readonly listen: ListenGrant | null;
  /** checked by the plain evaluator; null only where the answer is unknown */
  readonly witness: Connection | null;
  /** the first is the line that opens or closes; then those that limit */
  readonly decidedBy: readonly Decider[];
  readonly login: "possible" | "impossible" | "unknown";
  readonly loginBecause: string;
  /** what else must be there where it is not closed: xauth, /dev/net/tun, a root login … */
  readonly needs: readonly string[];
}

/** Whom a condition is about, complete where its text is cut short and in one spelling: to be compared with another day's. */
export interface Extent {
  /** criteria that all hold, sorted: "localport 22, user deploy"; "" is everybody */
  readonly who: string;
  /** each earlier condition that may take some of them away; null: too many to be named */
  readonly except: readonly string[] | null;
}

export interface ListenGrant {
  readonly addresses: readonly string[];
  readonly bind: "loopback" | "wildcard" | "client";
  readonly privilegedPorts: "root" | "all" | "none";
}

/** Connections that sshd ends, because of this line: they lie in no answer. */
export interface EndedPart {
  /** as sshd says it */
  readonly because: string;
  /** in lower case */
  readonly keyword: string;
  readonly place: Place;
  readonly condition: string;
  /** null: the effort limit was met before one was found */
  readonly witness: Connection | null;
}

export interface Exposure {
  readonly answers: readonly Answer[];
  readonly ended: readonly EndedPart[];
  readonly complete: boolean;
  /** why it is not complete, empty otherwise */
  readonly limits: readonly string[];
  readonly assumptions: readonly string[];
}

/**
 * Whether a line ever counts. `decides: false` means that for every connection an earlier line (or, for a global line,
 * a line in front of it) already has set the keyword, or that no connection reaches it.
 */
export interface LineUse {
  readonly directive: Directive;
  readonly decides: boolean | "unknown";
  /** a connection that it decides, where `decides` is true */
  readonly witness: Connection | null;
  /** the lines that come first, where `decides` is false; empty: no connection can reach it */
  readonly shadowedBy: readonly Directive[];
}
