/** What a grant of a policy file wants to keep, and the policy does not give. */
import type { Answer, Decider, Extent } from "./answer.ts";
import type { Guard } from "./atoms.ts";
import { describeScope, extentOf } from "./conditions.ts";
import type { Capability, Connection } from "./connection.ts";
import { leftOf, type OpenRegion, type Placed } from "./excess.ts";
import { type Asking, toAnswer } from "./exposure.ts";
import { coversItem, type Grant, itemsOf, wantedItems } from "./grant.ts";
import { refusedIn } from "./kept-logins.ts";
import { rootOnly, whyRootOnly } from "./kept-ports.ts";
import { refusingLine } from "./login.ts";
import { type Ended, eachRegion, endedIn } from "./regions.ts";
import { search, within } from "./search.ts";

/** Connections of a grant that do not get what it wants. */
export interface Loss {
  readonly grant: Grant;
  readonly capability: Capability;
  /**
   * `closed` · `narrower`: open, but not to `missing` · `no-login`: nobody of them can log in · `needs-root`: open, but
   * the kernel lets only root bind the ports of `missing` · `refused`: somebody whom the grant names cannot log in, at
   * least from somewhere · `nobody`: none can exist
   */
  readonly kind: "closed" | "narrower" | "no-login" | "needs-root" | "refused" | "nobody";
  /** what of the grant's destinations or addresses is not given; "other addresses than loopback" for a bind address */
  readonly missing: readonly string[];
  readonly condition: string;
  readonly extent: Extent;
  readonly witness: Connection | null;
  /** what closes or limits it; where a login is refused the line that refuses */
  readonly decidedBy: readonly Decider[];
  /** why they cannot log in, or bind the port */
  readonly because: string;
}

/** Guards of the people that a grant names, and of those who may bind every port. */
export interface Logins {
  readonly people: readonly Guard[];
  readonly root: readonly Guard[];
}

export function lossesOf(asking: Asking, { grant, guard }: Placed, logins: Logins): Loss[] {
  const { searcher } = asking.reasoning;
  const scope = guard === null ? null : within(searcher.everywhere, guard);
  const found = scope === null ? null : search(searcher, scope);
  if (scope === null || found === null || found.kind === "none")
    return grant.capabilities.slice(0, 1).map((capability) => ({ grant, capability, ...NOBODY }));
  const witness = found.kind === "witness" ? found.connection : null;
  const ended = endedIn(asking.reasoning, { scope, witness });
  return grant.capabilities.flatMap((capability) => {
    const losses = new Map<string, Loss>();
    eachRegion(asking.reasoning, capability, { scope, witness }, (region) => {
      const answer = toAnswer(asking, capability, region);
      const open = { region, answer };
      const loss =
        lossIn(asking, grant, answer) ??
        needsRootLoss(asking, open, grant, logins) ??
        refusedLoss(asking, open, grant, logins);
      const key = loss === null ? "" : `${loss.kind} ${loss.decidedBy.map(keyOf).join()}`;
      if (loss !== null && !losses.has(key)) losses.set(key, loss);
    });
    return [...losses.values(), ...ended.flatMap((region) => endedLoss(asking, capability, grant, region))];
  });
}

/** They lie in no region of any answer. */
function endedLoss(
  { reasoning: { searcher } }: Asking,
  capability: Capability,
  grant: Grant,
  { scope, witness, choices }: Ended,
): readonly Loss[] {
  const wanted = wantedItems(grant, capability);
  if (wanted.length === 0) return [];
  const [{ because }] = choices;
  return [
    {
      ...{ grant, capability, kind: "no-login", missing: wanted.filter((item) => item !== "") },
      ...{ condition: describeScope(searcher, scope), extent: extentOf(searcher, scope) },
      ...{ witness, decidedBy: choices, because: `sshd ends their connections (${because})` },
    },
  ];
}

const NOBODY: Omit<Loss, "grant" | "capability"> = {
  kind: "nobody",
  missing: [],
  condition: "",
  extent: { who: "", except: [] },
  witness: null,
  decidedBy: [],
  because: "",
};

function keyOf({ keyword, directive }: Decider): string {
  return `${keyword} ${directive?.order ?? "default"}`;
}

function lossIn(asking: Asking, grant: Grant, answer: Answer): Loss | null {
  const { capability, condition, extent, witness, decidedBy, loginBecause: because } = answer;
  const lost = { grant, capability, condition, extent, witness, decidedBy, because };
  const wanted = wantedItems(grant, capability);
  // its destinations may all be places of TCP, or all sockets
  if (answer.allowed === "unknown" || wanted.length === 0) return null;
  const items = wanted.filter((item) => item !== "");
  if (answer.allowed === false) return { ...lost, kind: "closed", missing: items };
  const missing = missingOf(grant, answer, wanted);
  if (missing.length > 0) return { ...lost, kind: "narrower", missing };
  if (answer.login !== "impossible") return null;
  const refusing = witness === null ? [] : refusingLine(asking.reasoning.config, witness);
  return { ...lost, kind: "no-login", missing: items, decidedBy: refusing.length > 0 ? refusing : decidedBy };
}

/** Open, but for ports that some of them who can log in may not bind. */
function needsRootLoss(
  asking: Asking,
  { region, answer: { allowed, capability } }: OpenRegion,
  grant: Grant,
  { root }: Logins,
): Loss | null {
  const { ports, reasoning } = asking;
  const missing = capability === "tcp-remote" ? rootOnly(grant, ports) : [];
  const left = allowed === true && missing.length > 0 ? leftOf(asking, region, root) : null;
  if (left === null) return null;
  const answer = toAnswer(asking, capability, left);
  if (answer.allowed !== true || answer.login === "impossible") return null;
  const { condition, extent, witness, decidedBy } = answer;
  const because = whyRootOnly(ports, reasoning.config.release);
  return { grant, capability, kind: "needs-root", missing, condition, extent, witness, decidedBy, because };
}

/** Open for somebody whom the grant names, who cannot log in, at least from somewhere. */
function refusedLoss(
  { limits, reasoning }: Asking,
  { region, answer }: OpenRegion,
  grant: Grant,
  { people }: Logins,
): Loss | null {
  const { allowed, capability, condition, extent } = answer;
  const missing = wantedItems(grant, capability);
  if (allowed !== true || missing.length === 0) return null;
  for (const person of people) {
    const found = refusedIn(reasoning, within(region.scope, person));
    if (found === "unsettled") limits.add("whether everybody to be kept can log in could not be settled");
    if (found === null || found === "unsettled") continue;
    const { connection: witness, refusal } = found;
    const decidedBy = refusingLine(reasoning.config, witness);
    const lost = { grant, capability, condition, extent, witness, decidedBy, because: refusal.because };
    return { ...lost, kind: "refused", missing: missing.filter((item) => item !== "") };
  }
  return null;
}

function missingOf(grant: Grant, answer: Answer, wanted: readonly string[]): string[] {
  const given = itemsOf(answer);
  const items = wanted.filter((item) => item !== "" && !coversItem(given, item, answer.capability));
  const needsWide = grant.bind === "any" && answer.listen?.bind === "loopback";
  return needsWide ? [...items, "other addresses than loopback"] : items;
}
