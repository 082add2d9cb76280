/** What opens an answer: the deciding lines, and the ones that an exception overrides. */
import { equalIgnoringCase, lowerAscii } from "../../grammar/ascii.ts";
import { formatAddress, parseAddress } from "../../grammar/numeric-host.ts";
import type { Release } from "../../grammar/release.ts";
import { onceFor } from "../../grammar/remember.ts";
import type { Config, Directive } from "../config/config.ts";
import { effectiveLines, globalLine, linesOf } from "../config/keyword-lines.ts";
import type { Answer, Decider, Exposure } from "../policy/answer.ts";
import { BOUND_KEYWORDS, requirements } from "../policy/capabilities.ts";
import type { Capability } from "../policy/connection.ts";
import { listed } from "./wording.ts";

/** Answers of the given capabilities that are open; one that is unknown counts as open. */
export function openAnswers(exposure: Exposure, capabilities: readonly Capability[]): readonly Answer[] {
  return exposure.answers.filter(
    (answer) => answer.allowed !== false && capabilities.includes(answer.capability),
  );
}

/** What gives `keyword` (lower case) its value in an answer; null where the keyword plays no part. */
export function deciderOf(answer: Answer, keyword: string): Decider | null {
  return answer.decidedBy.find((decider) => decider.keyword === keyword) ?? null;
}

/**
 * The line inside a Match that opens what a written line outside every Match closes. Null where the answer is open
 * for another reason.
 */
export function reopenedBy(config: Config, answer: Answer): Directive | null {
  for (const { directive } of answer.decidedBy) {
    if (directive === null || directive.guards.length === 0) continue;
    // to take sessions back would take his shell
    if (BOUND_KEYWORDS.has(directive.keyword)) continue;
    const overridden = globalLine(config, directive.keyword);
    const { capability } = answer;
    if (
      overridden !== null &&
      closes(config, overridden, capability) &&
      !closes(config, directive, capability)
    )
      return directive;
  }
  return null;
}

/** True where DisableForwarding yes stands outside every Match and this release does not apply it to the capability. */
export function escapesDisable(config: Config, answer: Answer): boolean {
  const disabling = globalLine(config, "disableforwarding");
  return disabling?.values?.[0] === "yes" && deciderOf(answer, "disableforwarding") === null;
}

/** Whether the value of the line, taken alone, closes the capability. */
export function closes({ release }: Config, { keyword, values }: Directive, capability: Capability): boolean {
  return isClosedBy(release, capability, { keyword, values: values ?? [] });
}

/** Whether these values of a keyword (lower case) close the capability, whatever the other keywords say. */
export function isClosedBy(
  release: Release,
  capability: Capability,
  { keyword, values }: { readonly keyword: string; readonly values: readonly string[] },
): boolean {
  return requirements(capability, release).some((one) => one.keyword === keyword && one.closes(values));
}

/** `ForceCommand none` and the like: as good as not written. */
export function isNone({ values }: Directive): boolean {
  return values === null || equalIgnoringCase(values[0] ?? "none", "none");
}

/**
 * Who can log in at all, where AllowUsers, which sshd looks at first, or AllowGroups of the global part say so; null
 * where nothing does, or a Match block says otherwise.
 */
export const loginLimit: (config: Config) => string | null = onceFor((config) => {
  const lists = ["allowusers", "allowgroups"].flatMap((keyword) => effectiveLines(config, keyword));
  const [first] = lists;
  if (first === undefined || lists.some(({ guards }) => guards.length > 0)) return null;
  const names = lists
    .filter(({ keyword }) => keyword === first.keyword)
    .flatMap(({ values }) => values ?? []);
  const who = first.keyword === "allowusers" ? "" : "members of ";
  return `of them, only ${who}${listed(names)} can log in (${first.line.keyword.value})`;
});

/** Lines of Port and ListenAddress. */
export function listeningLines(config: Config): readonly Directive[] {
  return ["port", "listenaddress"].flatMap((keyword) => linesOf(config, keyword));
}

/** The port that a Port or ListenAddress line names, by number or service; null for other lines and where none is named. */
export function listenPort({ keyword, values }: Directive): number | null {
  const value = values?.[0];
  if (value === undefined) return null;
  if (keyword === "port") return Number(value);
  const port = keyword === "listenaddress" ? /^(?:\[[^\]]*\]|[^:]*):(\d+)$/.exec(value)?.[1] : undefined;
  return port === undefined ? null : Number(port);
}

/** Names of the server itself in /etc/hosts of Debian and Red Hat; RFC 6761 adds all below "localhost". */
const OWN_NAMES: ReadonlySet<string> = new Set([
  "localhost.localdomain",
  "localhost4",
  "localhost6",
  "ip6-localhost",
  "ip6-loopback",
]);

/** A destination that every server is itself, however it is spelled: Linux takes 0.0.0.0 and :: for loopback, too. */
export function isOwnHost(host: string): boolean {
  const address = parseAddress(host);
  if (address === null) {
    const name = lowerAscii(host).replace(/\.$/, "");
    return OWN_NAMES.has(name) || /(?:^|\.)localhost$/.test(name);
  }
  const text = formatAddress(address).replace(/^::ffff:(?=.*\.)/, "");
  return /^127\..*\.|^0\.0\.0\.0$|^::1?$/.test(text);
}

export type AllowedForwarding = "none" | "local" | "remote";

/** True where forwarding of this kind is meant to be open (--allow-forwarding): TCP alone, never unix sockets. */
export function isMeant(allowed: AllowedForwarding, capability: Capability): boolean {
  return capability === `tcp-${allowed}`;
}

/** Keywords that take a direction: local or remote. */
export const TWO_WAY: ReadonlySet<string> = new Set(["allowtcpforwarding", "allowstreamlocalforwarding"]);

/** Of two values of a keyword in TWO_WAY, or of yes and no, what both allow; a fix must never open a direction. */
export function bothAllow(one: string, other: string): string {
  if (other === "yes") return one;
  return one === "yes" || one === other ? other : "no";
}

/** Items of a list by key, in the order of the keys' first appearance. */
export function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
