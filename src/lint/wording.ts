/** Words that several rules need: who is affected, and what a client may do. */
import type { Directive } from "../config/config.ts";
import type { Answer, Extent } from "../policy/answer.ts";
import type { Capability } from "../policy/connection.ts";
import { type Place, positionAt } from "../source/source.ts";

const QUOTED = 60;

/** A line as it is written, between double quotes, without its comment, tabs as one blank; long ones are cut. */
export function quoted({ line, place }: Pick<Directive, "line" | "place">): string {
  const end = line.args.at(-1)?.end ?? line.rest.end;
  const written = place.source.text.slice(line.keyword.start, end);
  const text = written.includes("\t") ? written.replaceAll(/ *\t[ \t]*/g, " ") : written;
  return `"${text.length > QUOTED ? `${text.slice(0, QUOTED)}...` : text}"`;
}

/** Ours: above what real files hold in one word, lists of algorithms among them. */
const LONGEST_WORD = 400;
const LAST_CHARACTER = /[\xc0-\xff][\x80-\xbf]{0,3}$/;

/** A message about a word of millions of characters is for nobody: long ones are cut, not inside a character of UTF-8. */
export function cutWords(message: string): string {
  if (message.length <= LONGEST_WORD) return message;
  return message.replaceAll(/[^ \t\n]+/g, (word) =>
    word.length > LONGEST_WORD ? `${word.slice(0, LONGEST_WORD).replace(LAST_CHARACTER, "")}...` : word,
  );
}

/** "line 88", or "20-git.conf:4" seen from another file. */
export function lineText(place: Place, from: Place): string {
  const { line } = positionAt(place.source, place.start);
  if (place.source === from.source) return `line ${line}`;
  return `${place.source.path.slice(place.source.path.lastIndexOf("/") + 1)}:${line}`;
}

const SHOWN = 3;

/** "a", "a and b", "a, b and c"; more than three are counted. */
export function listed(items: readonly string[]): string {
  const unique = [...new Set(items)];
  const shown = unique.length > SHOWN + 1 ? unique.slice(0, SHOWN) : unique;
  const rest = unique.length - shown.length;
  const parts = rest > 0 ? [...shown, `${rest} more`] : shown;
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** Who the answers are about, in the administrator's own words; who is part of others is not named beside them. */
export function whoText(answers: readonly Answer[]): string {
  const isPart = ({ extent }: Answer): boolean =>
    answers.some(
      // answers about the same connections share their extent
      (other) => other.extent !== extent && covers(other.extent, extent) && !covers(extent, other.extent),
    );
  const conditions = [...new Set(answers.filter((one) => !isPart(one)).map(({ condition }) => condition))];
  if (conditions.includes("everybody")) return "everybody";
  const shown = conditions.slice(0, SHOWN);
  const rest = conditions.length - shown.length;
  const text = rest > 0 ? `${shown.join("; ")}; and ${rest} more groups of connections` : shown.join("; ");
  return text.includes(",") ? `${text},` : text;
}

/** Seen without a search: the wide extent asks for less and leaves out nobody else. */
function covers(wide: Extent, narrow: Extent): boolean {
  const asked = new Set(narrow.who.split(", "));
  const leftOut = new Set(narrow.except);
  return (
    wide.except?.every((condition) => leftOut.has(condition)) === true &&
    (wide.who === "" || wide.who.split(", ").every((criterion) => asked.has(criterion)))
  );
}

const ASKS_FOR_PLACE = /(?:^|, )(?:address|host|localaddress|localport|rdomain) /;

/** What the answers about one account leave out: "" where it gets one of them from wherever it comes. */
export function limitOfPlaces(answers: readonly Answer[]): string {
  const isLimited = ({ extent }: Answer): boolean =>
    ASKS_FOR_PLACE.test(extent.who) || extent.except?.length !== 0;
  return answers.every(isLimited) ? ", though not from everywhere" : "";
}

const OTHERS: Readonly<Partial<Record<Capability, string>>> = {
  "unix-local": "reach unix sockets of this server",
  "unix-remote": "create unix sockets on this server",
  tun: "open a network tunnel (ssh -w)",
  x11: "forward X11",
  agent: "forward their ssh agent (ssh -A)",
};

/** "may tunnel TCP and unix sockets through this server", by what is open. */
export function forwards(answers: readonly Answer[]): string {
  const open = new Set(answers.map(({ capability }) => capability));
  const sockets = open.has("unix-local") || open.has("unix-remote") ? " and unix sockets" : "";
  const reach = `may reach ${destinationText(ofKind(answers, "tcp-local"))} through this server`;
  const ofServer = open.has("unix-local") ? ", and its unix sockets" : "";
  if (open.has("tcp-local") && open.has("tcp-remote"))
    return isUnlimited(ofKind(answers, "tcp-local"))
      ? `may tunnel TCP${sockets} through this server`
      : `${reach}, and open listening ports${sockets} on it`;
  if (open.has("tcp-local")) return `${reach}${ofServer}`;
  if (open.has("tcp-remote")) return `may open listening ports${sockets} on this server`;
  return `may ${listed([...open].flatMap((capability) => OTHERS[capability] ?? []))}`;
}

function ofKind(answers: readonly Answer[], capability: Capability): readonly Answer[] {
  return answers.filter((answer) => answer.capability === capability);
}

function destinationText(answers: readonly Answer[]): string {
  return isUnlimited(answers)
    ? "any host and port"
    : listed(answers.flatMap(({ destinations }) => destinations));
}

/** True where one of the answers reaches any host and port, or listens on any port. */
export function isUnlimited(answers: readonly Answer[]): boolean {
  return answers.some(({ capability, destinations, listen }) => {
    if (capability === "tcp-local") return destinations.includes("*:*");
    if (capability === "tcp-remote") return listen === null || listen.addresses.includes("*:*");
    return true;
  });
}

const BIND_TEXT = {
  loopback: "on loopback",
  wildcard: "on all addresses",
  client: "on any address the client asks for",
} as const;

/** What a client may do, in its own options: "-L -D -W -J to any host and port, -R on loopback ports". */
export function grantText(answers: readonly Answer[]): string {
  const open = (capability: Capability): Answer | undefined =>
    answers.find((answer) => answer.capability === capability);
  const parts: string[] = [];
  if (open("tcp-local") !== undefined)
    parts.push(`-L -D -W -J to ${destinationText(ofKind(answers, "tcp-local"))}`);
  const remote = open("tcp-remote");
  if (remote !== undefined) parts.push(`-R ${listenText(remote)}`);
  if (open("unix-local") !== undefined) parts.push("-L to a unix socket");
  if (open("unix-remote") !== undefined) parts.push("-R from a unix socket");
  if (open("tun") !== undefined) parts.push("-w, a network tunnel");
  if (open("x11") !== undefined) parts.push("-X and -Y");
  if (open("agent") !== undefined) parts.push("-A");
  return parts.join(", ");
}

function listenText(answer: Answer): string {
  const bind = BIND_TEXT[answer.listen?.bind ?? "loopback"];
  const addresses = answer.listen?.addresses ?? ["*:*"];
  return addresses.includes("*:*") ? `from any port ${bind}` : `from ${listed(addresses)} ${bind}`;
}
