/** The text of `sshd -C`: to and from a Connection (OpenSSH servconf.c parse_server_match_testspec). */
import type { Release } from "../../grammar/release.ts";
import type { Config, Criterion } from "../config/config.ts";
import { type Connection, NO_FIELDS, NOT_OVER_IP, usualRoutingDomain } from "./connection.ts";

/** Several specifications of one connection: later values replace earlier ones, `group=` adds. */
export function readSpecifications(texts: readonly string[]): Connection | { readonly error: string } {
  let connection = NO_FIELDS;
  for (const text of texts) {
    for (const item of text.split(",")) {
      // sshd stops reading one -C at the first empty item
      if (item === "") break;
      const next = readItem(connection, item);
      if ("error" in next) return next;
      connection = next;
    }
  }
  return connection;
}

function readItem(connection: Connection, item: string): Connection | { readonly error: string } {
  if (item === "invalid-user") return { ...connection, invalidUser: true };
  const equals = item.indexOf("=");
  const value = item.slice(equals + 1);
  switch (equals === -1 ? "" : item.slice(0, equals)) {
    case "user":
      return { ...connection, user: value };
    case "group":
      return { ...connection, groups: [...(connection.groups ?? []), value] };
    case "host":
      return { ...connection, host: value };
    case "addr":
      return { ...connection, addr: value };
    case "laddr":
      return { ...connection, laddr: value };
    case "rdomain":
      return { ...connection, rdomain: value };
    case "lport":
      return readPort(connection, value);
    default:
      return {
        error: `"${item}" is no part of a connection: known are user, group, host, addr, laddr, lport, rdomain and invalid-user`,
      };
  }
}

function readPort(connection: Connection, value: string): Connection | { readonly error: string } {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : -1;
  if (port < 0 || port > 65535) return { error: `"${value}" is no port number` };
  return { ...connection, lport: port };
}

/** As `sshd -C` takes it, complete; groups cannot be told to sshd and are left out. */
export function formatSpecification(connection: Connection): string {
  const { user, host, addr, laddr, lport, rdomain } = connection;
  const items = [
    user === null ? "" : `user=${user}`,
    host === null ? "" : `host=${host}`,
    addr === null ? "" : `addr=${addr}`,
    laddr === null ? "" : `laddr=${laddr}`,
    lport === null ? "" : `lport=${lport}`,
    rdomain === null ? "" : `rdomain=${rdomain}`,
    connection.invalidUser ? "invalid-user" : "",
  ];
  return items.filter((item) => item !== "").join(",");
}

/** The routing domain that is not given is that of a client of a real server. */
export function withRoutingDomain(connection: Connection, release: Release): Connection {
  const usual = connection.addr === NOT_OVER_IP.addr ? NOT_OVER_IP.rdomain : usualRoutingDomain(release);
  return { ...connection, rdomain: connection.rdomain ?? usual };
}

/** Whether some Match block has a criterion of the attribute. */
export function asksFor({ matches }: Pick<Config, "matches">, attribute: Criterion["attribute"]): boolean {
  return matches.some(({ criteria }) => criteria.some((criterion) => criterion.attribute === attribute));
}

/** The criteria's fields that the configuration needs and the connection lacks; `rdomain` need not be given. */
export function missingFields(
  config: { readonly matches: readonly { readonly criteria: readonly { readonly attribute: string }[] }[] },
  connection: Connection,
): string[] {
  const needed = new Set<string>();
  for (const { criteria } of config.matches) {
    for (const { attribute } of criteria) {
      const field = FIELDS[attribute];
      if (field !== undefined && connection[field] === null) needed.add(field);
    }
  }
  return [...needed].sort();
}

/** Why the configuration's answer for this connection is not known; null where nothing is missing. */
export function whyIncomplete(
  config: Parameters<typeof missingFields>[0],
  connection: Connection,
): string | null {
  const missing = missingFields(config, connection);
  if (missing.length === 0) return null;
  const given = formatSpecification(connection);
  return `the configuration asks for ${missing.join(", ")}, and -C ${given === "" ? "is not given" : `${given} does not say`}`;
}

const FIELDS: Readonly<Record<string, "user" | "host" | "addr" | "laddr" | "lport">> = {
  user: "user",
  group: "user",
  host: "host",
  address: "addr",
  localaddress: "laddr",
  localport: "lport",
};
