/** Which connections a probe makes: each that a region's witness names, once. */
import type { Config } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import type { Connection } from "./connection.ts";
import { locate } from "./locate.ts";

export interface Witnesses {
  readonly connections: readonly Connection[];
  /** conditions of regions that no real connection shows */
  readonly unreal: readonly string[];
}

export function witnessesOf(config: Config, answers: readonly Answer[]): Witnesses {
  const byText = new Map<string, Connection>();
  const unreal = new Set<string>();
  for (const answer of answers) {
    if (answer.witness === null) continue;
    const real = realOnes(answer.witness).find(
      (connection) => locate(config, answers, answer.capability, connection) === answer,
    );
    if (real === undefined) unreal.add(answer.condition);
    else byText.set(JSON.stringify(real), real);
  }
  return { connections: [...byText.values()], unreal: [...unreal] };
}

/** Addresses for documentation (RFC 5737, RFC 3849), for a side that a criterion leaves free. */
const ANY_CLIENT = { 4: "198.51.100.7", 6: "2001:db8::7" } as const;
const ANY_SERVER = { 4: "192.0.2.1", 6: "2001:db8::1" } as const;

/** Both ends of a connection speak the same IP; the search leaves an end that no criterion names at its default. */
function realOnes(witness: Connection): readonly Connection[] {
  const { addr, laddr } = witness;
  const [client, server] = [familyOf(addr ?? ""), familyOf(laddr ?? "")];
  if (client === server) return [witness];
  const otherClient = ANY_CLIENT[server];
  const host = witness.host === addr ? otherClient : witness.host;
  return [
    { ...witness, laddr: ANY_SERVER[client] },
    { ...witness, addr: otherClient, host },
  ];
}

function familyOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}
