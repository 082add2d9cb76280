/** What one account may do, from wherever it comes. */
import type { Config } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Answer } from "./answer.ts";
import type { Capability, Connection } from "./connection.ts";
import { exposure } from "./exposure.ts";
import { locate } from "./locate.ts";
import { loginThrough } from "./login.ts";
import { readerOf } from "./reader.ts";
import { asksFor } from "./specification.ts";

/** `answers`: those of everybody; closed ones may be missing. */
export interface Judged {
  readonly config: Config;
  readonly answers: readonly Answer[];
}

/**
 * The open answers, each about this account alone and with a witness that may log in, as far as is known. Null: the
 * account can log in from nowhere.
 */
export function openTo(
  judged: Judged,
  account: Account,
  capabilities: readonly Capability[],
): readonly Answer[] | null {
  const open = asksForPlaces(judged.config) ? fromAnywhere : fromOnePlace;
  return open(judged, account, capabilities);
}

/** Without such a criterion all places are alike. */
function asksForPlaces(config: Config): boolean {
  const isHosted = (values: readonly string[] | null): boolean =>
    values?.some((item) => item.includes("@")) === true;
  return (
    PLACES.some((attribute) => asksFor(config, attribute)) ||
    config.directives.some(
      ({ keyword, values }) => (keyword === "allowusers" || keyword === "denyusers") && isHosted(values),
    )
  );
}

const PLACES = ["address", "host", "localaddress", "localport", "rdomain"] as const;

type Opening = typeof openTo;

const fromAnywhere: Opening = ({ config, answers }, account, capabilities) => {
  const own = exposure(config, { accounts: [account], capabilities }).answers;
  if (own.every(({ login }) => login === "impossible")) return null;
  return own
    .filter(({ allowed, login }) => allowed !== false && login !== "impossible")
    .map((answer) => {
      const { capability, witness, extent } = answer;
      const general = witness === null ? null : locate(config, answers, capability, witness);
      // which low ports the kernel gives to whom is known there
      const { listen } = general ?? answer;
      return { ...answer, listen, extent: { ...extent, who: ownWho(account, extent.who) } };
    });
};

/** Criteria in one spelling, sorted, as in every extent. */
function ownWho({ name }: Account, who: string): string {
  const others = who.split(", ").filter((text) => text !== "" && text !== `user ${name}`);
  return [...others, `user ${name}`].sort().join(", ");
}

const fromOnePlace: Opening = ({ config, answers }, account, capabilities) => {
  const witness = connectionOf(account);
  const login = loginThrough(readerOf(config), witness, config.release);
  if (login === "impossible") return null;
  const who = `user ${account.name}`;
  return capabilities
    .flatMap((capability) => locate(config, answers, capability, witness) ?? [])
    .filter(({ allowed }) => allowed !== false)
    .map((answer) => ({ ...answer, login, witness, condition: who, extent: { who, except: NOBODY } }));
};

const NOBODY: readonly string[] = [];

function connectionOf({ name, groups }: Account): Connection {
  const addr = "198.51.100.7";
  const where = { host: addr, addr, laddr: "192.0.2.1", lport: 22, rdomain: "" };
  return { user: name, groups, ...where, invalidUser: false };
}
