/**
 * Ports that an entry of the policy file wants and that only root may bind. sshd leaves it to the kernel (ip(7)); up to
 * 7.7 it refused them itself, whatever the kernel says (OpenSSH serverloop.c server_input_global_request).
 */
import { atLeast, type Release } from "../../grammar/release.ts";
import type { Criterion } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import { makeSource, placeOf } from "../source/source.ts";
import { FIRST_UNPRIVILEGED, type PortLimits } from "./capabilities.ts";
import { type Grant, portOf } from "./grant.ts";
import { isWild } from "./holding.ts";

/** Of what the grant wants to listen on; an item for any port means those that a user may have. */
export function rootOnly({ listen }: Grant, { unprivilegedPortStart }: PortLimits): readonly string[] {
  const first = unprivilegedPortStart ?? FIRST_UNPRIVILEGED;
  return (listen ?? []).filter((item) => (portOf(item) ?? first) < first);
}

export function whyRootOnly({ unprivilegedPortStart }: PortLimits, release: Release): string {
  const first = unprivilegedPortStart ?? FIRST_UNPRIVILEGED;
  return atLeast(release, "7.8")
    ? `the kernel lets only root bind a port below ${first} (net.ipv4.ip_unprivileged_port_start)`
    : `sshd up to 7.7 lets only root listen on a port below ${first}`;
}

/** Who may bind every port; where nobody knows the accounts, root alone. */
export function rootUsers(accounts: readonly Account[] | null): readonly Criterion[] {
  const names = accounts?.filter(({ uid, name }) => uid === 0 && !isWild(name)).map(({ name }) => name);
  const known = names === undefined || names.length === 0 ? ["root"] : names;
  const text = known.join(",");
  const place = placeOf(makeSource("", text), { start: 0, end: text.length });
  const items = known.map((pattern) => ({ negated: false, pattern }));
  return [{ attribute: "user", place, text, items }];
}
