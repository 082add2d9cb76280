/** After the change: whether the host's own sshd says for the witnesses of the findings what was planned. */

import { keywordOf } from "../config/change.ts";
import type { Account } from "../files/tree.ts";
import type { Plan } from "../fix/plan.ts";
import { askSshd } from "../host/ask-sshd.ts";
import type { Machine } from "../host/machine.ts";
import type { Proof } from "../host/transaction.ts";
import type { SshdCommand } from "../host/validate.ts";
import type { Connection } from "../policy/connection.ts";
import { evaluate, isAnswer } from "../policy/evaluate.ts";
import { STRANGER } from "../policy/samples.ts";
import { formatSpecification } from "../policy/specification.ts";

/** Each takes one run of sshd. */
const MOST_WITNESSES = 5;

export async function proveEffect(
  machine: Machine,
  sshd: SshdCommand | null,
  { plan, accounts }: { readonly plan: Plan; readonly accounts: readonly Account[] },
): Promise<Proof> {
  if (sshd === null) return { kind: "holds", text: "no sshd is here to be asked" };
  const texts: string[] = [];
  for (const witness of witnessesOf(plan, accounts)) {
    const specification = formatSpecification(witness);
    const said = await askSshd(machine, sshd, specification);
    const question = `sshd -T -C ${specification}`;
    if (said.kind === "nothing") return { kind: "fails", because: `${question} fails: ${said.because}` };
    const wrong = difference(plan, witness, said.settings);
    if (wrong !== null) return { kind: "fails", because: `${question} says ${wrong}` };
    const shown = keywordsOf(plan).map((keyword) => `${keyword} ${said.settings.get(keyword) ?? ""}`);
    texts.push(`${question}: ${shown.join(", ")}`);
  }
  return { kind: "holds", text: texts.join("\n") };
}

function witnessesOf(plan: Plan, accounts: readonly Account[]): Connection[] {
  const found = plan.fixed.flatMap(({ witness, fix }) => {
    const keywords = (fix?.changes ?? []).map(keywordOf);
    return witness === null ? [] : [realised(plan, { witness, keywords }, accounts)];
  });
  const asked = found.length > 0 ? found : [STRANGER];
  const bySpecification = new Map(asked.map((witness) => [formatSpecification(witness), witness]));
  return [...bySpecification.values()].slice(0, MOST_WITNESSES);
}

/** Beyond this many, no account is looked for. */
const MOST_ACCOUNTS = 500;

/**
 * Groups cannot be told to sshd: it looks the user up (auth.c get_connection_info). So a member of a group is asked for
 * by an account that is one, where there is any.
 */
function realised(
  plan: Plan,
  { witness, keywords }: { readonly witness: Connection; readonly keywords: readonly string[] },
  accounts: readonly Account[],
): Connection {
  const own = accounts.find(({ name }) => name === witness.user);
  const known = { ...witness, groups: own?.groups ?? null };
  if (isChanged(plan, known, keywords)) return known;
  for (const { name, groups } of accounts.slice(0, MOST_ACCOUNTS)) {
    if (witness.groups?.every((group) => groups.includes(group)) !== true) continue;
    const member = { ...witness, user: name, groups };
    if (isChanged(plan, member, keywords)) return member;
  }
  return known;
}

function isChanged(plan: Plan, connection: Connection, keywords: readonly string[]): boolean {
  const before = evaluate(plan.before, connection);
  const after = evaluate(plan.after, connection);
  if (!isAnswer(before) || !isAnswer(after)) return false;
  const textOf = (effective: typeof before, keyword: string): string | undefined =>
    effective.get(keyword)?.values.join(" ");
  return keywords.some((keyword) => textOf(before, keyword) !== textOf(after, keyword));
}

function keywordsOf({ changes }: Plan): string[] {
  return [...new Set(changes.map(keywordOf))];
}

/** A setting that sshd has otherwise than planned, as "allowtcpforwarding yes instead of no". */
function difference(
  plan: Plan,
  connection: Connection,
  settings: ReadonlyMap<string, string>,
): string | null {
  const planned = evaluate(plan.after, connection);
  if (!isAnswer(planned)) return null;
  for (const keyword of keywordsOf(plan)) {
    const expected = planned.get(keyword)?.values.join(" ") ?? "";
    const said = settings.get(keyword) ?? "";
    if (said !== expected) return `${keyword} ${said} instead of ${expected}`;
  }
  return null;
}
