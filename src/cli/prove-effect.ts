/** After the change: whether the host's own sshd says for the witnesses of the findings what was planned. */
import type { Account } from "../files/tree.ts";
import { keywordOf, type Plan } from "../fix/plan.ts";
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
  for (const witness of witnessesOf(plan)) {
    const specification = formatSpecification(witness);
    const said = await askSshd(machine, sshd, specification);
    const question = `sshd -T -C ${specification}`;
    if (said.kind === "nothing") return { kind: "fails", because: `${question} fails: ${said.because}` };
    const wrong = difference(plan, asSshdKnows(witness, accounts), said.settings);
    if (wrong !== null) return { kind: "fails", because: `${question} says ${wrong}` };
    const shown = keywordsOf(plan).map((keyword) => `${keyword} ${said.settings.get(keyword) ?? ""}`);
    texts.push(`${question}: ${shown.join(", ")}`);
  }
  return { kind: "holds", text: texts.join("\n") };
}

function witnessesOf({ fixed }: Plan): Connection[] {
  const found = fixed.flatMap(({ witness }) => witness ?? []);
  const bySpecification = new Map(found.map((witness) => [formatSpecification(witness), witness]));
  const witnesses = [...bySpecification.values()].slice(0, MOST_WITNESSES);
  return witnesses.length > 0 ? witnesses : [STRANGER];
}

function keywordsOf({ changes }: Plan): string[] {
  return [...new Set(changes.map(keywordOf))];
}

/** Groups cannot be told to sshd: it looks the user up (auth.c get_connection_info). */
function asSshdKnows(witness: Connection, accounts: readonly Account[]): Connection {
  const account = accounts.find(({ name }) => name === witness.user);
  return { ...witness, groups: account?.groups ?? null };
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
