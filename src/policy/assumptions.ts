/** What answers take for granted, as far as the configuration asks for it. */
import type { Config } from "../config/config.ts";
import { effectiveLines } from "./deciders.ts";
import { type ReasoningOptions, usesDns } from "./reasoning.ts";
import { asksFor } from "./specification.ts";

export function assumptionsOf(config: Config, { accounts = null }: ReasoningOptions): string[] {
  return [
    accounts !== null ? "nobody but the known accounts exists" : "any user with any groups may exist",
    ...networkAssumptions(config),
  ];
}

/** What is taken for granted of clients' networks, as far as the configuration asks for it. */
export function networkAssumptions(config: Config): string[] {
  return [
    ...(asksForHostNames(config) ? ["a client's address may resolve to any host name"] : []),
    ...(asksFor(config, "rdomain") ? ["there are no routing domains (no VRF)"] : []),
  ];
}

/** `Match Host`, or `user@host` in a list of who may log in, where sshd looks names up. */
function asksForHostNames(config: Config): boolean {
  if (!usesDns(config)) return false;
  const lines = effectiveLines(config);
  const users = ["allowusers", "denyusers"].flatMap((keyword) => lines.get(keyword) ?? []);
  return (
    asksFor(config, "host") ||
    users.some(({ values }) => values?.some((pattern) => HOST_NAME.test(pattern)) === true)
  );
}

/** Behind the last `@` more than an address or a network. */
const HOST_NAME = /@[^@]*[^@0-9a-f.:/]/i;
