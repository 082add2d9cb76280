/**
 * Who may forward what: for each capability a partition of all connections into answers, one a set of deciding lines,
 * each with a witness that the plain reading confirms.
 */
import { atLeast } from "../../grammar/release.ts";
import type { Config, Criterion } from "../config/config.ts";
import type { Answer, Decider, EndedPart, Exposure } from "./answer.ts";
import { assumptionsOf } from "./assumptions.ts";
import {
  listenGrant,
  needsOf,
  openDestinations,
  type PortLimits,
  repairDoubts,
  socketPaths,
} from "./capabilities.ts";
import { describeScope, extentOf } from "./conditions.ts";
import { CAPABILITIES, type Capability, type Connection, NOT_OVER_IP } from "./connection.ts";
import { closingLine } from "./locate.ts";
import type { LoginAnswer } from "./login.ts";
import { makeLoginQuestion } from "./login-question.ts";
import { type Reasoning, type ReasoningOptions, startReasoning } from "./reasoning.ts";
import { eachRegion, endedIn, everywhere, type Region, regionsOf, type Start } from "./regions.ts";
import { type Scope, search, within } from "./search.ts";

export interface ExposureOptions extends ReasoningOptions {
  readonly capabilities?: readonly Capability[];
  /** only connections that fulfil all of these; default: all connections */
  readonly inside?: readonly Criterion[];
  /**
   * `open`: regions that are closed for certain become no answers, as nobody asks about them; in a long file they are
   * most. Their witnesses go through the plain reading all the same. Default: all
   */
  readonly answers?: "all" | "open";
  /** the target's net.ipv4.ip_unprivileged_port_start; null: the kernel's 1024 */
  readonly unprivilegedPortStart?: number | null;
}

/** What the answers of one run need beside the reasoning. */
export interface Asking {
  readonly reasoning: Reasoning;
  readonly login: (scope: Scope, witness: Connection | null) => LoginAnswer;
  readonly ports: PortLimits;
  readonly limits: Set<string>;
}

export function exposure(config: Config, options: ExposureOptions = {}): Exposure {
  const { inside } = options;
  const asking = startAsking(config, inside === undefined ? options : { ...options, sets: [inside] });
  const start = inside === undefined ? everywhere(asking.reasoning) : startInside(asking, inside);
  const answersOf = options.answers === "open" ? openAnswers : allAnswers;
  const answers = (options.capabilities ?? CAPABILITIES).flatMap((capability) =>
    start === null ? [] : answersOf(asking, capability, start),
  );
  return toExposure(asking, { answers, ended: start === null ? [] : endedFrom(asking, start) }, options);
}

function allAnswers(asking: Asking, capability: Capability, start: Start): readonly Answer[] {
  return regionsOf(asking.reasoning, capability, start).map((region) => toAnswer(asking, capability, region));
}

/** A closed region is dropped when its witness is confirmed: what else its line closes is closed, too. */
function openAnswers(asking: Asking, capability: Capability, start: Start): readonly Answer[] {
  const answers: Answer[] = [];
  let isSure = true;
  eachRegion(asking.reasoning, capability, start, (region) => {
    if (region.allowed) answers.push(toAnswer(asking, capability, region));
    else if (isSure) isSure = confirmed(asking.reasoning, region) !== null;
  });
  if (isSure) return answers;
  return allAnswers(asking, capability, start).filter(({ allowed }) => allowed !== false);
}

export function startAsking(config: Config, options: ExposureOptions): Asking {
  const reasoning = startReasoning(config, options);
  return {
    reasoning,
    login: makeLoginQuestion(reasoning),
    ports: portLimits(reasoning, options),
    limits: new Set(),
  };
}

/** Root is out where PermitRootLogin is no for everybody; up to 7.7 sshd asks for root itself, not the kernel. */
export function portLimits({ config, linesOf }: Reasoning, options: ExposureOptions): PortLimits {
  const { guarded, otherwise } = linesOf("permitrootlogin");
  return {
    unprivilegedPortStart: atLeast(config.release, "7.8") ? (options.unprivilegedPortStart ?? null) : null,
    root: guarded.length > 0 || otherwise.values[0] !== "no",
  };
}

/** Null: no connection lies in the set. */
function startInside(
  { reasoning: { searcher }, limits }: Asking,
  inside: readonly Criterion[],
): Start | null {
  const guard = searcher.atoms.guardOfSet(inside);
  if (guard === null) return null;
  const scope = within(searcher.everywhere, guard);
  const found = search(searcher, scope);
  if (found.kind === "none") return null;
  if (found.kind === "unknown") limits.add("whether any connection is meant could not be settled");
  return { scope, witness: found.kind === "witness" ? found.connection : null };
}

/** What sshd ends of the connections there. */
export function endedFrom({ reasoning }: Asking, start: Start): readonly EndedPart[] {
  return endedIn(reasoning, start).map(({ scope, witness, choices: [{ because, keyword, place }] }) => {
    const condition = describeScope(reasoning.searcher, scope);
    return { because, keyword, place, condition, witness };
  });
}

/** With the limits that were met up to now. */
export function toExposure(
  { reasoning: { config }, limits: met }: Asking,
  { answers, ended }: Pick<Exposure, "answers" | "ended">,
  options: ExposureOptions,
): Exposure {
  const open = new Set(answers.flatMap(({ capability, allowed }) => (allowed === false ? [] : [capability])));
  const doubts = [...open].flatMap((capability) => repairDoubts(config, capability).map(({ text }) => text));
  const limits = [...config.limits, ...met, ...doubts];
  const assumptions = assumptionsOf(config, options);
  return { answers, ended, complete: limits.length === 0, limits, assumptions };
}

/** One region as an answer; its witness goes through the plain reading. */
export function toAnswer(asking: Asking, capability: Capability, region: Region): Answer {
  const { searcher } = asking.reasoning;
  const found = confirmed(asking.reasoning, region);
  const unknownBecause = found === null ? unknownReason(asking, region) : null;
  const login = asking.login(region.scope, found);
  // one that can log in shows more
  const { admitted } = login;
  const isShown =
    admitted !== undefined &&
    agreesWith(asking.reasoning, region, admitted) &&
    isClosedFirst(asking.reasoning, { capability, region, connection: admitted });
  const witness = isShown ? admitted : found;
  const { destinations, listen } = grantOf(asking.ports, capability, region);
  const needs = region.allowed ? needsOf(capability, listen, asking.ports) : NO_DESTINATIONS.destinations;
  // what is looked up for the extent serves the text, too
  const extent = extentOf(searcher, region.scope);
  return {
    capability,
    allowed: unknownBecause === null ? region.allowed : "unknown",
    unknownBecause,
    condition: describeScope(searcher, region.scope),
    extent,
    destinations,
    listen,
    witness,
    decidedBy: decidersOf(region),
    login: login.login,
    loginBecause: login.because,
    needs: witness?.addr === NOT_OVER_IP.addr ? [APART, ...needs] : needs,
  };
}

const APART = "a connection that is not over IP: sshd -i on a unix or vsock socket, or on a pipe";

/** Invariant: every witness goes through the plain reading, which shares no code with the search. */
export function confirmed(reasoning: Reasoning, region: Region): Connection | null {
  const witness = region.witness ?? anybody(region, reasoning.searcher);
  return witness !== null && agreesWith(reasoning, region, witness) ? witness : null;
}

/** Several lines may close a capability for one connection; the first that is asked names its region. */
function isClosedFirst(
  { config }: Reasoning,
  { capability, region, connection }: { capability: Capability; region: Region; connection: Connection },
): boolean {
  return (
    region.allowed ||
    closingLine(config, capability, connection) === (region.choices.at(-1)?.directive ?? null)
  );
}

/** The plain reading gives the connection the same deciding lines. */
function agreesWith({ reader }: Reasoning, { choices }: Region, connection: Connection): boolean {
  for (const { keyword, directive } of choices) {
    const setting = reader.read(connection, keyword);
    if (setting === null || (setting.decidedBy[0] ?? null) !== directive) return false;
  }
  return true;
}

/** Without any Match there was no search. */
function anybody({ scope }: Region, searcher: Reasoning["searcher"]): Connection | null {
  if (scope !== searcher.everywhere) return null;
  const sampled = searcher.boxes.sample(searcher.boxes.within(scope.met));
  return sampled.kind === "found" ? sampled.value : null;
}

function unknownReason({ limits }: Asking, { choices }: Region): string {
  const line = choices.findLast(({ directive }) => directive !== null)?.directive;
  const where = line == null ? "the default" : `${line.place.source.path}:${line.line.number}`;
  const reason = `whether any connection is decided by ${where} could not be settled within the effort limit`;
  limits.add(reason);
  return reason;
}

function valuesOf({ choices }: Region, keyword: string): readonly string[] {
  return choices.find((choice) => choice.keyword === keyword)?.values ?? [];
}

export function grantOf(
  ports: PortLimits,
  capability: Capability,
  region: Region,
): Pick<Answer, "destinations" | "listen"> {
  if (!region.allowed) return NO_DESTINATIONS;
  switch (capability) {
    case "tcp-local":
      return { destinations: openDestinations(valuesOf(region, "permitopen")), listen: null };
    case "unix-local":
      return { destinations: socketPaths(valuesOf(region, "permitopen")), listen: null };
    case "unix-remote":
      return ANY_SOCKET;
    case "tcp-remote": {
      const listen = valuesOf(region, "permitlisten");
      const gateway = valuesOf(region, "gatewayports");
      return { destinations: NO_DESTINATIONS.destinations, listen: listenGrant(listen, gateway, ports) };
    }
    default:
      return NO_DESTINATIONS;
  }
}

// one for all answers: there may be a hundred thousand
const ANY_SOCKET: Pick<Answer, "destinations" | "listen"> = { destinations: ["*"], listen: null };
const NO_DESTINATIONS: Pick<Answer, "destinations" | "listen"> = { destinations: [], listen: null };

export function decidersOf({ allowed, choices }: Region): readonly Decider[] {
  return allowed ? choices : choices.slice(-1);
}
