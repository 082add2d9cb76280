/** A client whose name only the server knows (UseDNS): which predictions do not hold whatever it is. */
import type { Config } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import type { ProbePlace } from "./attempt.ts";
import { planAttempts } from "./attempts.ts";
import { CAPABILITIES, type Capability, type Connection } from "./connection.ts";

/**
 * Capabilities whose attempts would be others, or have other outcomes, under a name that some region of the answers is
 * about. `placeAgain` must give the same ports each time.
 */
export function dependingOnName(
  config: Config,
  answers: readonly Answer[],
  connection: Connection,
  placeAgain: () => ProbePlace,
): ReadonlySet<Capability> {
  const plans = [connection.host, ...namesOf(answers)].map((host) =>
    planAttempts(config, answers, { ...connection, host }, placeAgain()),
  );
  const isSame = (capability: Capability): boolean => {
    const texts = plans.map((plan) => JSON.stringify(plan?.filter((one) => one.capability === capability)));
    return new Set(texts).size === 1;
  };
  return new Set(CAPABILITIES.filter((capability) => !isSame(capability)));
}

/** Without UseDNS the name of each witness is its address. */
function namesOf(answers: readonly Answer[]): readonly string[] {
  const names = answers.flatMap(({ witness }) =>
    witness === null || witness.host === null || witness.host === witness.addr ? [] : [witness.host],
  );
  return [...new Set(names)];
}
