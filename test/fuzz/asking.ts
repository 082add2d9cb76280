/** What a real sshd is asked about connections, and what its answers say of the capabilities. */
import type { Config } from "../../src/config/config.ts";
import type { Answer } from "../../src/policy/answer.ts";
import {
  BOUND_KEYWORDS,
  listenPlaces,
  openDestinations,
  requirements,
  socketPaths,
} from "../../src/policy/capabilities.ts";
import { type Capability, type Connection, NOT_OVER_IP } from "../../src/policy/connection.ts";
import { usesDns } from "../../src/policy/deciders.ts";
import { sampleConnections } from "../../src/policy/samples.ts";
import { asksFor, formatSpecification } from "../../src/policy/specification.ts";
import { HOST_KEY, type Sshd } from "../sshd/driver.ts";
import { connectionOf, type Settings } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import { OF_THE_MACHINE, printedSettings } from "./judge.ts";

export type Printed = Exclude<Settings, { readonly error: string }>;

/** Whether `-C` and lines of passwd and group can say it: only the machine knows its interfaces. */
export function isSayable({ user, groups, addr }: Connection): boolean {
  if (/%(?!lo$)/.test(addr ?? "")) return false;
  // no line of passwd or group begins so (nss_files); a directory has such names
  return groups === null || ![user ?? "", ...groups].some((name) => /^[ #+-]/.test(name));
}

/** Connections meant for the blocks of these configurations beyond this many add little. */
const MOST_MEANT = 6;

/** The texts as connections, some that the blocks are meant for, and witnesses, each once. */
export function connectionsFor(
  configs: readonly Config[],
  texts: readonly string[],
  witnesses: readonly Connection[],
): Connection[] {
  const sampled = configs.flatMap((config) => {
    const meant = sampleConnections(config).filter(isPlain).slice(0, MOST_MEANT);
    return [...texts.map(connectionOf), ...meant]
      .map((connection) => asAssumed(config, connection))
      .filter((connection) => isServed(configs, connection));
  });
  const all = [...sampled, ...witnesses].filter(isSayable);
  return [...new Map(all.map((one) => [whoText(one), one])).values()];
}

/** `Match RDomain` ends the connections that are not over IP, which `-T` does not tell. */
export function isServed(configs: readonly Config[], { addr }: Connection): boolean {
  return addr !== NOT_OVER_IP.addr || !configs.some((config) => asksFor(config, "rdomain"));
}

function isPlain({ user, groups }: Connection): boolean {
  return [user ?? "", ...(groups ?? [])].every((name) => /^[a-z0-9_.-]+$/i.test(name));
}

/**
 * As the regions assume: no routing domain without a VRF, link-local peers have a zone, mapped ones are IPv4 (canohost.c),
 * with UseDNS no the host is the text of the address, a client without one arrives at none and each other at one of its own
 * family, and nobody with an account is an invalid user, as sshd itself never says (`-C` can, and then looks the groups up all the same).
 */
export function asAssumed(config: Config, connection: Connection): Connection {
  const zoned = connection.addr === "fe80::1" ? "fe80::1%lo" : connection.addr;
  const addr = zoned?.replace(/^::ffff:(?=[0-9.]+$)/, "") ?? null;
  const { groups, invalidUser } = connection;
  const isV6 = addr?.includes(":") === true;
  const laddr =
    connection.laddr?.includes(":") === isV6 ? connection.laddr : isV6 ? "2001:db8::2" : "192.0.2.1";
  const plain = { ...connection, addr, laddr, rdomain: "", invalidUser: invalidUser && groups === null };
  if (addr === NOT_OVER_IP.addr) return { ...plain, ...NOT_OVER_IP };
  return usesDns(config) ? plain : { ...plain, host: addr };
}

/** What sshd prints for each connection of this tree, whose account is made for it. */
export async function askAll(
  sshd: Sshd,
  tree: ServerTree,
  connections: readonly Connection[],
): Promise<Settings[]> {
  sshd.place(tree);
  const printed: Settings[] = [];
  for (const connection of connections) printed.push(await askAs(sshd, connection));
  return printed;
}

/** For messages, and to tell connections apart. */
export function whoText(connection: Connection): string {
  return `${formatSpecification(connection)} ${connection.groups?.join(" ") ?? "-"}`;
}

/** The account of the connection is made for it. */
export async function askAs(sshd: Sshd, connection: Connection): Promise<Settings> {
  const { user, groups, invalidUser } = connection;
  sshd.admit({ name: user ?? "", groups: invalidUser ? null : groups });
  return ask(sshd, formatSpecification(connection));
}

/** What sshd prints for a connection. */
export async function ask(sshd: Sshd, specification: string): Promise<Settings> {
  return printedSettings(await sshd.run(["-T", ...HOST_KEY, "-C", specification]));
}

/** docs/known-differences.md: names that do not resolve, and OpenSSH bug 3906 */
export function isOfMachine(error: string): boolean {
  return OF_THE_MACHINE.test(error) || error === "sshd crashes";
}

/** It is known what sshd does with the connection: it printed its settings, or ended it. */
export function isSaid(settings: Settings | undefined): settings is Settings {
  return settings !== undefined && !("error" in settings && OF_THE_MACHINE.test(settings.error));
}

/** "closed", or "open" with the values that sshd prints of all keywords that say how much. */
export function whatSshdSays(
  printed: Settings | undefined,
  { capability }: Pick<Answer, "capability">,
  sshd: Sshd,
): string {
  if (printed === undefined || "error" in printed) return `no answer: ${printed?.error ?? "not asked"}`;
  return isOpen(printed, capability, sshd)
    ? [
        "open",
        ...requirements(capability, sshd.release).flatMap(({ keyword }) =>
          BOUND_KEYWORDS.has(keyword) ? [] : [`${keyword} ${printedValue(printed, keyword)}`],
        ),
      ].join(" ")
    : "closed";
}

export function isOpen(printed: Printed, capability: Capability, sshd: Sshd): boolean {
  return requirements(capability, sshd.release).every(
    ({ keyword, closes }) => !closes(printedValue(printed, keyword).split(" ")),
  );
}

/** As `sshd -T` prints it. */
export function printedValue(printed: Printed, keyword: string): string {
  return (printed.get(keyword) ?? []).join(" ");
}

/** Whether sshd prints the values that these lines give. */
export function valuesAre(printed: Printed, deciders: Answer["decidedBy"]): boolean {
  return deciders.every(({ keyword, value }) => printedValue(printed, keyword) === value);
}

/** Hosts are compared as text; `*` is any host, any port or any path. */
export function isCovered(old: readonly string[], item: string): boolean {
  const [, host, port] = /^(.*):(\+?\d+|\*)$/.exec(item) ?? [];
  // a relative path may look like a host and a port; no place of TCP is `*` alone
  const paths = item.includes(" ") ? [] : ["*"];
  const general = host === undefined ? paths : ["*:*", `*:${port}`, `${host}:*`, ...paths];
  return [item, ...general].some((one) => old.includes(one));
}

/** What sshd prints that an open capability gives, one by one; bind addresses beyond loopback in words. */
export function givenItems(capability: Capability, printed: Printed): readonly string[] {
  const list = (keyword: string): string[] => printedValue(printed, keyword).split(" ");
  switch (capability) {
    case "tcp-local":
      return openDestinations(list("permitopen"));
    case "unix-local":
      return socketPaths(list("permitopen"));
    case "unix-remote":
      return ["*"];
    case "tcp-remote":
      return [
        ...listenPlaces(list("permitlisten")),
        ...bindsOf(printedValue(printed, "gatewayports"), list("permitlisten")),
      ];
    default:
      return [];
  }
}

function bindsOf(gateway: string, items: readonly string[]): readonly string[] {
  if (gateway === "yes") return ["all addresses"];
  const isLocal = (item: string): boolean =>
    /^(?:\[?localhost\]?|\[?127\.\d+\.\d+\.\d+\]?|\[::1\]):|^[^:]*[A-Z].*:/.test(item);
  return gateway === "clientspecified" && !items.every(isLocal) ? ["other addresses on request"] : [];
}
