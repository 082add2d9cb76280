/** Forwards that somebody holds now, and whether a change of the configuration would refuse them from the next login on. */
import type { Config } from "../config/config.ts";
import { listenPlaces, openDestinations, requirements, socketPaths } from "./capabilities.ts";
import type { Capability, Connection } from "./connection.ts";
import { endpointOf } from "./endpoint.ts";
import { type Effective, evaluate, isAnswer } from "./evaluate.ts";

export interface HeldUse {
  readonly connection: Connection;
  readonly capability: Capability;
  /** "10.0.0.5:5432", "[::1]:9000", a path; anything for tun, x11 and agent */
  readonly where: string;
}

/** What the old configuration grants and the new one does not. */
export function refusedUses<Held extends HeldUse>(
  before: Config,
  after: Config,
  held: readonly Held[],
): readonly Held[] {
  return held.filter((use) => grantsUse(before, use) && !grantsUse(after, use));
}

function grantsUse(config: Config, { connection, capability, where }: HeldUse): boolean {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return false;
  const valuesOf = (keyword: string): readonly string[] => effective.get(keyword)?.values ?? [];
  const closed = requirements(capability, config.release).some(({ keyword, closes }) =>
    closes(valuesOf(keyword)),
  );
  return !closed && reaches(effective, capability, where);
}

function reaches(effective: Effective, capability: Capability, where: string): boolean {
  const valuesOf = (keyword: string): readonly string[] => effective.get(keyword)?.values ?? [];
  switch (capability) {
    case "tcp-local":
      return openDestinations(valuesOf("permitopen")).some((item) => mayName(item, where));
    case "tcp-remote":
      // the client's bind address is not known any more, so the port alone is compared
      return listenPlaces(valuesOf("permitlisten")).some((item) => fitsPort(item, where));
    case "unix-local":
      return socketPaths(valuesOf("permitopen")).some((path) => path === "*" || path === where);
    default:
      return true;
  }
}

/** A name in PermitOpen may have led to any address, so its port decides: sshd compares names, we see addresses. */
function mayName(item: string, where: string): boolean {
  const { host } = endpointOf(item);
  const isAddress = host.includes(":") || /^[0-9.]+$/.test(host);
  return fitsPort(item, where) && (!isAddress || host === endpointOf(where).host);
}

function fitsPort(item: string, where: string): boolean {
  const { port } = endpointOf(item);
  return port === "*" || port === endpointOf(where).port;
}
