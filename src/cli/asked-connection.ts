/** Connections that `-C` names: what they say, and the groups that a known account adds. */
import type { Connection } from "../policy/connection.ts";
import { asksFor, readSpecifications } from "../policy/specification.ts";
import { latin1 } from "./paths.ts";
import type { Target } from "./target.ts";

/** As sshd looks them up, groups that are not given are those of the account, where the target's accounts are known. */
export function askedConnection(
  target: Pick<Target, "accounts" | "world">,
  text: string,
): Connection | { readonly error: string } {
  const connection = readSpecifications([latin1(text)]);
  if ("error" in connection || connection.groups !== null || connection.invalidUser) return connection;
  const account = (target.world ?? target.accounts)?.find(({ name }) => name === connection.user);
  return { ...connection, groups: account?.groups ?? null };
}

/** What is assumed where nobody says whether the user is in a group that a block asks for; null where nothing is. */
export function assumedOf(
  { config, world }: Pick<Target, "config" | "world">,
  asked: Connection,
): string | null {
  const { groups, invalidUser } = asked;
  if (groups !== null || invalidUser || world !== null || !asksFor(config, "group")) return null;
  return "it is in no group, as no group= was given";
}
