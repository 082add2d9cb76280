/** One attempt of a probe: what is asked, where it may be tried, and what the policy says will happen. */
import type { Release } from "../../grammar/release.ts";
import type { Answer } from "./answer.ts";
import type { Capability, Connection } from "./connection.ts";
import type { LoginKey, TunUnit } from "./login-key.ts";

/** What the client asks the server for. */
export type Request =
  | { readonly kind: "open-tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "open-socket"; readonly path: string }
  | { readonly kind: "listen-tcp"; readonly host: string; readonly port: number }
  /** the same request; who connects there says in SOCKS where to (-R PORT) */
  | { readonly kind: "listen-socks"; readonly host: string; readonly port: number }
  | { readonly kind: "listen-socket"; readonly path: string }
  | { readonly kind: "agent" }
  | { readonly kind: "x11" }
  /** `unit`: the number of the device, which the key may force; null: any that the user may open */
  | { readonly kind: "tun"; readonly mode: TunMode; readonly unit: TunUnit };

export type TunMode = "point-to-point" | "ethernet";

export interface Attempt {
  readonly capability: Capability;
  readonly request: Request;
  readonly predicted: "open" | "refused";
  /** listen-tcp, listen-socks: of the addresses that are dialled, those at which it must answer; null: any, or none of them */
  readonly listensAt: readonly string[] | null;
  /** what keeps the capability closed though the policy grants it; then a refusal is no difference */
  readonly needs: string | null;
  /** why this place must not try it; null: it is tried */
  readonly untried: string | null;
}

/** Where the server runs, and what may be touched there. */
export interface ProbePlace {
  /**
   * "sandbox": all addresses are the probe's own · "host": this machine's loopback, nothing else · "server": a live
   * server, on which nothing but a loopback listener of the probe's own may come to be
   */
  readonly kind: "sandbox" | "host" | "server";
  /** an address of the probe's own that the server can connect to */
  readonly own: string;
  /** addresses at which a remote forward is looked for, loopback first */
  readonly dialled: readonly string[];
  /** an address of the server beside loopback; null in a "host" */
  readonly outside: string | null;
  /** the user is root on the server */
  readonly asRoot: boolean;
  /** a port that nothing else uses, another one each time */
  readonly nextPort: () => number;
  /** a path for a socket that the user may make, another one each time */
  readonly nextPath: () => string;
  /** ports on which the server itself listens */
  readonly taken: ReadonlySet<number>;
  /** the key that logs in */
  readonly key: LoginKey;
}

export interface Planning {
  readonly place: ProbePlace;
  readonly release: Release;
  readonly connection: Connection;
  /** effective values by keyword */
  readonly values: (keyword: string) => readonly string[];
}

/** Items of a list that are tried, one attempt each. */
export const MOST_ITEMS = 4;
export function attempt({ capability }: Answer, request: Request, open: boolean): Attempt {
  const predicted = open ? "open" : "refused";
  return { capability, request, predicted, listensAt: null, needs: null, untried: null };
}

/** A list that lets everything through. */
export const ANYWHERE: readonly string[] = ["*:*"];

export function isLoopback(host: string): boolean {
  return /^127\.\d+\.\d+\.\d+$/.test(host) || host === "::1";
}

export function distinct<T extends { readonly host: string; readonly port: number }>(
  endpoints: readonly T[],
): readonly T[] {
  const byText = new Map(endpoints.map((endpoint) => [`${endpoint.host} ${endpoint.port}`, endpoint]));
  return [...byText.values()];
}

export function onlyWhereHarmless(place: ProbePlace, tried: Attempt, because: string): Attempt {
  return place.kind === "server" ? { ...tried, untried: because } : tried;
}
