/** A client of whom only the server knows the name (UseDNS) or the groups: which predictions hold whatever they are? */
import type { PatternItem } from "../../grammar/patterns.ts";
import type { Config } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import type { ProbePlace } from "./attempt.ts";
import { planAttempts } from "./attempts.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";
import type { Found } from "./found.ts";
import { findGroups } from "./theory-groups.ts";
import { findName, fullEffort } from "./theory-names.ts";
import { GROUPS, HOSTS } from "./worlds.ts";

/** Ours: ways in which the lists of Match Host, or of Match Group, can hold together; real files have a few. */
const MOST_WAYS = 300;

/** What is not known of the client. */
export type Unknown = "host" | "groups";

/**
 * Capabilities whose attempts would be others, or have other outcomes, for some client; all of them where there are too
 * many clients to look at. `placeAgain` must give the same ports each time.
 */
export function dependingOn(
  unknown: readonly Unknown[],
  { config, answers, connection, placeAgain }: Asked,
): ReadonlySet<Capability> {
  const clients = clientsOf(unknown, config, connection);
  if (clients === null) return new Set(CAPABILITIES);
  return new Set(
    CAPABILITIES.filter((capability) => {
      // by itself: the ports that one capability takes move those of the next
      const own = answers.filter((answer) => answer.capability === capability);
      const plans = clients.map((client) => planAttempts(config, own, client, placeAgain()));
      return new Set(plans.map((plan) => JSON.stringify(plan))).size > 1;
    }),
  );
}

interface Asked {
  readonly config: Config;
  readonly answers: readonly Answer[];
  /** with what is known of it */
  readonly connection: Connection;
  readonly placeAgain: () => ProbePlace;
}

/** One client for each way in which the lists can hold; the first is the given one. Null: not all were found. */
function clientsOf(
  unknown: readonly Unknown[],
  config: Config,
  connection: Connection,
): readonly Connection[] | null {
  let clients: readonly Connection[] = [connection];
  for (const what of unknown) {
    const values = what === "host" ? namesOf(config) : groupsOf(config);
    if (values === null) return null;
    clients = clients.flatMap((client) => [client, ...values.map((value) => ({ ...client, ...value }))]);
    if (clients.length > MOST_WAYS) return null;
  }
  return clients;
}

function namesOf(config: Config): readonly Pick<Connection, "host">[] | null {
  const domain = { ...HOSTS, effort: fullEffort() };
  const names = waysOf(listsOf(config, "host"), (met, missed) =>
    findName(
      [
        ...met.map((items) => ({ items, wanted: [1] as const })),
        ...missed.map((items) => ({ items, wanted: [-1, 0] as const })),
      ],
      domain,
    ),
  );
  return names?.map((host) => ({ host })) ?? null;
}

function groupsOf(config: Config): readonly Pick<Connection, "groups">[] | null {
  const domain = { ...GROUPS, effort: fullEffort() };
  const sets = waysOf(listsOf(config, "group"), (met, missed) => findGroups(met, missed, domain));
  return sets?.map((groups) => ({ groups })) ?? null;
}

type Items = readonly PatternItem[];

interface Way<Value> {
  readonly met: readonly Items[];
  readonly missed: readonly Items[];
  /** null: there are no lists */
  readonly value: Value | null;
}

/** One value for each set of lists that hold together: nothing else of it counts. Null: not all were found. */
function waysOf<Value>(
  lists: readonly Items[],
  find: (met: readonly Items[], missed: readonly Items[]) => Found<Value>,
): readonly Value[] | null {
  let ways: readonly Way<Value>[] = [{ met: [], missed: [], value: null }];
  for (const items of lists) {
    const tried = ways.flatMap(({ met, missed }) =>
      [
        { met: [...met, items], missed },
        { met, missed: [...missed, items] },
      ].map((way) => ({ ...way, found: find(way.met, way.missed) })),
    );
    if (tried.some(({ found }) => found.kind === "unknown")) return null;
    ways = tried.flatMap(({ met, missed, found }) =>
      found.kind === "found" ? [{ met, missed, value: found.value }] : [],
    );
    if (ways.length > MOST_WAYS) return null;
  }
  return ways.flatMap(({ value }) => (value === null ? [] : [value]));
}

/** Each once, however many blocks have it. */
function listsOf({ matches }: Config, attribute: "host" | "group"): readonly Items[] {
  const lists = new Map<string, Items>();
  for (const { criteria } of matches)
    for (const criterion of criteria)
      if (
        (criterion.attribute === "host" || criterion.attribute === "group") &&
        criterion.attribute === attribute
      )
        lists.set(JSON.stringify(criterion.items), criterion.items);
  return [...lists.values()];
}
