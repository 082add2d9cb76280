/** Which leg of a forward is encrypted, and which is as the programs send it. */
import { isLoopback } from "./bind.ts";
import type { HostSettings } from "./settings.ts";
import { type Forward, type Listen, showEndpoint } from "./specification.ts";

export interface Leg {
  readonly protection: "encrypted" | "in clear";
  readonly text: string;
}

const HERE = "this machine";

/** From the client that connects to the target, in order. `gatewayPorts`: -g. */
export function legs(forward: Forward, route: readonly HostSettings[]): readonly Leg[] {
  const server = route.at(-1);
  if (server === undefined) return [];
  const [listener, connector] = forward.side === "local" ? [HERE, server.alias] : [server.alias, HERE];
  const jumps = route.slice(0, -1).map(({ alias }) => alias);
  const through = jumps.length === 0 ? "" : `, through ${jumps.join(" and ")}, which cannot read it`;
  return [
    clear(firstLeg(forward, listener, server)),
    { protection: "encrypted", text: `${listener} to ${connector}: SSH${through}` },
    clear(lastLeg(forward, connector, server)),
  ];
}

function clear(text: string): Leg {
  return { protection: "in clear", text };
}

function firstLeg({ listen, side }: Forward, listener: string, { gatewayPorts }: HostSettings): string {
  if (staysInside(listen, side === "local" ? gatewayPorts : "no")) return `a program on ${listener} to it`;
  return `any host that reaches ${listener} to it, over the network`;
}

function staysInside(listen: Listen, gatewayPorts: "yes" | "no"): boolean {
  if (listen.kind === "socket") return true;
  return listen.host === null ? gatewayPorts === "no" : isLoopback(listen.host);
}

function lastLeg({ target }: Forward, connector: string, { alias, host }: HostSettings): string {
  if (target.kind === "socks") return `${connector} to wherever the SOCKS client says, over the network`;
  if (target.kind === "socket") return `${connector} to ${target.path}, inside that machine`;
  const to = showEndpoint(target);
  const isItself = connector !== HERE && (target.host === alias || target.host === host);
  return isLoopback(target.host) || isItself
    ? `${connector} to ${to}, inside that machine`
    : `${connector} to ${to}, over the network between them`;
}
