/** Connections and what they may forward, as somebody wants it: the counterpart of an Answer. */
import type { Criterion } from "../config/config.ts";
import type { Capability } from "./connection.ts";

export interface Grant {
  /** all of them must hold, as on a Match line; empty: everybody */
  readonly criteria: readonly Criterion[];
  readonly capabilities: readonly Capability[];
  /** tcp-local: `host:port`, each part may be `*` · unix-local, unix-remote: paths or `*` · null: any */
  readonly destinations: readonly string[] | null;
  /** tcp-remote: `[host:]port`, each part may be `*`; null: any */
  readonly listen: readonly string[] | null;
  /** tcp-remote: `any` covers ports that listen on other addresses than loopback */
  readonly bind: "loopback" | "any";
}
