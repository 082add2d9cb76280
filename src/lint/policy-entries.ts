/** The entries of `allow` and `keep`: who, from where, which forwarding, to what; why, who asked for it, until when. */
import type { Node } from "yaml";
import { parseAddressList } from "../../grammar/addresses.ts";
import { parsePatternList } from "../../grammar/patterns.ts";
import type { Criterion } from "../config/config.ts";
import { CAPABILITIES, type Capability } from "../policy/connection.ts";
import type { Grant } from "../policy/grant.ts";
import type { IntentEntry } from "./intent.ts";
import {
  choiceOf,
  complain,
  fieldsOf,
  itemsOf,
  placeOf,
  textOf,
  textsOf,
  type Written,
  type YamlReading,
} from "./yaml-reading.ts";

const PEOPLE = ["users", "groups", "from", "hosts", "server-address", "server-port"] as const;
const FIELDS = [...PEOPLE, "capability", "to", "listen", "bind", "reason", "owner", "until"] as const;
type Field = (typeof FIELDS)[number];

export function entriesOf(reading: YamlReading, node: Node, list: "allow" | "keep"): IntentEntry[] {
  return itemsOf(reading, node, `"${list}"`).flatMap((item) => entryOf(reading, item, list) ?? []);
}

function entryOf(reading: YamlReading, node: Node, list: "allow" | "keep"): IntentEntry | null {
  const fields = fieldsOf(reading, node, { what: `an entry of "${list}"`, known: FIELDS });
  if (fields === null) return null;
  const entry: Entry = { reading, node, of: (field) => fields.get(field) };
  const reason = oneText(entry, "reason");
  if (list === "allow" && (reason ?? "") === "")
    complain(reading, node, 'an entry of "allow" needs a "reason"');
  return {
    grant: grantOf(entry),
    reason: reason ?? "",
    owner: oneText(entry, "owner"),
    until: dateOf(entry),
    place: placeOf(reading, node),
  };
}

interface Entry {
  readonly reading: YamlReading;
  readonly node: Node;
  readonly of: (field: Field) => Node | undefined;
}

function oneText({ reading, of }: Entry, field: Field): string | null {
  const node = of(field);
  return node === undefined ? null : textOf(reading, node, `"${field}"`);
}

function listOf({ reading, of }: Entry, field: Field): readonly Written[] | null {
  const node = of(field);
  return node === undefined ? null : textsOf(reading, node, `"${field}"`);
}

function dateOf(entry: Entry): string | null {
  const { reading, of } = entry;
  const node = of("until");
  const text = oneText(entry, "until");
  if (node === undefined || text === null) return null;
  const isDate =
    /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true;
  return isDate ? text : complain(reading, node, `"until" is a day like 2027-01-31, not "${text}"`);
}

function grantOf(entry: Entry): Grant {
  const capabilities = capabilitiesOf(entry);
  return {
    criteria: criteriaOf(entry),
    capabilities,
    destinations: destinationsOf(entry, capabilities),
    listen: listenOf(entry, capabilities),
    bind: bindOf(entry, capabilities),
  };
}

function capabilitiesOf(entry: Entry): readonly Capability[] {
  const { reading, node } = entry;
  const written = listOf(entry, "capability");
  if (written === null) {
    if (entry.of("capability") === undefined)
      complain(reading, node, `an entry needs a "capability": ${CAPABILITIES.join(", ")} or all`);
    return [];
  }
  const choices = [...CAPABILITIES, "all"] as const;
  const named = written.map((item) => choiceOf(reading, item.node, { what: '"capability"', choices }));
  return named.includes("all")
    ? CAPABILITIES
    : CAPABILITIES.filter((capability) => named.includes(capability));
}

function criteriaOf(entry: Entry): Criterion[] {
  return PEOPLE.flatMap((field) => {
    const node = entry.of(field);
    const written = listOf(entry, field);
    if (node === undefined || written === null) return [];
    const criterion = criterionOf(entry, field, { node, written });
    return criterion === null ? [] : [criterion];
  });
}

interface List {
  readonly node: Node;
  readonly written: readonly Written[];
}

function criterionOf({ reading }: Entry, field: (typeof PEOPLE)[number], list: List): Criterion | null {
  const place = placeOf(reading, list.node);
  const text = list.written.map((item) => item.text).join(",");
  if (field === "server-port") {
    const [only, ...others] = list.written;
    const isPort = /^[1-9]\d{0,4}$/.test(only?.text ?? "") && Number(only?.text) <= LAST_PORT;
    if (only === undefined || others.length > 0 || !isPort)
      return complain(reading, list.node, '"server-port" is one number from 1 to 65535');
    return { attribute: "localport", place, text, port: Number(only.text) };
  }
  if (list.written.every((item) => item.text.startsWith("!")))
    return complain(
      reading,
      list.node,
      `"${field}" holds only exceptions, which match nobody: add "*" in front of them`,
    );
  const empty = list.written.find((item) => /^!?$/.test(item.text) || item.text.split(",").includes(""));
  if (empty !== undefined) return complain(reading, empty.node, `"${field}" holds an empty name`);
  if (field === "from" || field === "server-address") {
    const wrong = list.written.some((item) => !isAddressText(reading, item));
    const attribute = field === "from" ? "address" : "localaddress";
    return wrong ? null : { attribute, place, text, items: parseAddressList(text).items };
  }
  const attribute = { users: "user", groups: "group", hosts: "host" } as const;
  return { attribute: attribute[field], place, text, items: parsePatternList(text) };
}

const CAUSES = {
  empty: "is empty",
  "mask-too-long": "has a mask that is too long",
  "host-bits": "has bits set behind its mask",
} as const;

/** A network, or a pattern over the text of an address. */
function isAddressText(reading: YamlReading, { text, node }: Written): boolean {
  const { items, error } = parseAddressList(text);
  if (error !== null) {
    complain(reading, node, `"${error.item}" ${CAUSES[error.cause]}`);
    return false;
  }
  const odd = items.some((item) => item.kind === "text" && !/^[0-9a-f.:*?]*(?:%.*)?$/.test(item.pattern));
  if (odd) complain(reading, node, `"${text}" is no address and no network`);
  return !odd;
}

const TCP_PLACE = /^(?:\[[^\]\s]+\]|[^:\s[\]]+):([1-9]\d{0,4}|\*)$/;
const LISTEN_PLACE = /^(?:(?:\[[^\]\s]+\]|[^:\s[\]]*):)?([1-9]\d{0,4}|\*)$/;

/** A place with a port that exists, or with any. */
function isPlace(text: string, form: RegExp): boolean {
  const port = form.exec(text)?.[1];
  return port !== undefined && (port === "*" || Number(port) <= LAST_PORT);
}

const LAST_PORT = 65535;

function destinationsOf(entry: Entry, capabilities: readonly Capability[]): readonly string[] | null {
  const { reading } = entry;
  const node = entry.of("to");
  const written = listOf(entry, "to");
  if (node === undefined || written === null) return null;
  const tcp = capabilities.includes("tcp-local");
  const sockets = capabilities.some((capability) => capability.startsWith("unix-"));
  if (!tcp && !sockets) {
    complain(reading, node, '"to" goes with tcp-local, unix-local and unix-remote only');
    return null;
  }
  if (written.some(({ text }) => text === "any")) return null;
  for (const { text, node: item } of written) {
    if (!(tcp && isPlace(text, TCP_PLACE)) && !(sockets && (text === "*" || text.startsWith("/"))))
      complain(reading, item, `"${text}" is no ${tcp ? "HOST:PORT" : "path of a socket"} and not any`);
  }
  return written.map(({ text }) => text);
}

function listenOf(entry: Entry, capabilities: readonly Capability[]): readonly string[] | null {
  const { reading } = entry;
  const node = entry.of("listen");
  const written = listOf(entry, "listen");
  if (node === undefined || written === null) return null;
  if (!capabilities.includes("tcp-remote")) {
    complain(reading, node, '"listen" goes with tcp-remote only');
    return null;
  }
  if (written.some(({ text }) => text === "any")) return null;
  for (const { text, node: item } of written)
    if (!isPlace(text, LISTEN_PLACE))
      complain(reading, item, `"${text}" is no PORT, no HOST:PORT and not any`);
  return written.map(({ text }) => text);
}

function bindOf(entry: Entry, capabilities: readonly Capability[]): Grant["bind"] {
  const node = entry.of("bind");
  if (node === undefined) return "loopback";
  if (!capabilities.includes("tcp-remote")) complain(entry.reading, node, '"bind" goes with tcp-remote only');
  return choiceOf(entry.reading, node, { what: '"bind"', choices: ["loopback", "any"] }) ?? "loopback";
}
