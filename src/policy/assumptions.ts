/** What answers take for granted, as far as the configuration asks for it. */
import type { Config } from "../config/config.ts";
import { effectiveLines } from "../config/keyword-lines.ts";
import { usesDns } from "./deciders.ts";
import type { ReasoningOptions } from "./reasoning.ts";
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
  const users = ["allowusers", "denyusers"].flatMap((keyword) => effectiveLines(config, keyword));
  return asksFor(config, "host") || users.some(({ values }) => values?.some(namesHost) === true);
}

/** An item with a host behind its last `@` that is neither an address nor a network. */
function namesHost(item: string): boolean {
  const hosts = item.includes("@") ? item.slice(item.lastIndexOf("@") + 1).split(",") : [];
  return hosts.some((host) => !ADDRESS.test(host));
}

const ADDRESS = /^!?(?:[0-9.]+|[0-9a-f.]*:[0-9a-f.:]*)(?:\/\d+)?$/i;
