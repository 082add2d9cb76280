/**
 * One tree's regions before a real sshd: the witness of each, whose account is made for it, and sampled connections,
 * each in the region in which it lies.
 */
import type { Config } from "../../src/config/config.ts";
import type { Answer, EndedPart } from "../../src/policy/answer.ts";
import { BOUND_KEYWORDS } from "../../src/policy/capabilities.ts";
import { CAPABILITIES } from "../../src/policy/connection.ts";
import { locate } from "../../src/policy/locate.ts";
import { formatSpecification } from "../../src/policy/specification.ts";
import type { Sshd } from "../sshd/driver.ts";
import { connectionOf, load, type Settings } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import { asAssumed, ask, askAs, isOfMachine, isSayable, isServed, whatSshdSays, whoText } from "./asking.ts";
import type { FuzzCase } from "./generate.ts";
import { type Difference, type Judgement, REFUSED, type Reading } from "./judge.ts";

export async function judgeRegions(
  sshd: Sshd,
  { tree, connections }: FuzzCase,
  reading: Reading,
): Promise<Judgement> {
  const config = load(tree, sshd.release);
  if (!reading.verdict(config).accepted) return REFUSED;
  sshd.place(tree);
  const { answers, ended } = reading.exposure(config);
  const asking: Asking = { sshd, tree, config, answers };
  const differences: Difference[] = [];
  const { asked, unknown } = await judgeWitnesses(asking, differences);
  const cutOff = await judgeEnded(asking, ended, differences);
  const samples = await judgeSamples(asking, connections, differences);
  return { pairs: asked + cutOff + samples, accepted: true, unknown, differences };
}

interface Asking {
  readonly sshd: Sshd;
  readonly tree: ServerTree;
  readonly config: Config;
  readonly answers: readonly Answer[];
}

async function judgeWitnesses(
  { sshd, tree, answers }: Asking,
  differences: Difference[],
): Promise<{ readonly asked: number; readonly unknown: number }> {
  const printed = new Map<string, Settings>();
  let unknown = 0;
  for (const answer of answers) {
    const { witness, allowed, capability } = answer;
    if (witness === null || allowed === "unknown") {
      // unknown is honest; it is counted
      unknown += 1;
      continue;
    }
    if (!isSayable(witness)) continue;
    const key = whoText(witness);
    if (!printed.has(key)) printed.set(key, await askAs(sshd, witness));
    const settings = printed.get(key);
    if (settings !== undefined && "error" in settings && isOfMachine(settings.error)) continue;
    const said = whatSshdSays(settings, answer, sshd);
    const ours = whatWeSay(answer);
    if (said !== ours)
      differences.push({
        tree,
        connection: null,
        what: `witness ${capability}`,
        ours,
        sshd: `${said} ${key}`,
      });
  }
  return { asked: printed.size, unknown };
}

/** sshd has no answer for whom it ends. */
async function judgeEnded(
  { sshd, tree }: Asking,
  ended: readonly EndedPart[],
  differences: Difference[],
): Promise<number> {
  const shown = ended.flatMap(({ witness, because }) =>
    witness !== null && isSayable(witness) ? [{ witness, because }] : [],
  );
  for (const { witness, because } of shown)
    if (!("error" in (await askAs(sshd, witness))))
      differences.push({
        ...{ tree, connection: null, what: "ended" },
        ...{ ours: because, sshd: `an answer for ${whoText(witness)}` },
      });
  return shown.length;
}

async function judgeSamples(
  { sshd, tree, config, answers }: Asking,
  connections: readonly string[],
  differences: Difference[],
): Promise<number> {
  sshd.admit(null);
  let asked = 0;
  for (const connection of connections) {
    const assumed = asAssumed(config, connectionOf(connection));
    if (!isServed([config], assumed)) continue;
    const printed = await ask(sshd, formatSpecification(assumed));
    if ("error" in printed) continue;
    asked += 1;
    for (const capability of CAPABILITIES) {
      const answer = locate(config, answers, capability, assumed);
      if (answer?.allowed === "unknown") continue;
      const ours = answer === null ? "no region" : whatWeSay(answer);
      const said = answer === null ? "" : whatSshdSays(printed, answer, sshd);
      if (said !== ours)
        differences.push({ tree, connection, what: `region of ${capability}`, ours, sshd: said });
    }
  }
  return asked;
}

/** "closed", or "open" with the values of all keywords that say how much. */
function whatWeSay({ allowed, decidedBy }: Answer): string {
  if (allowed !== true) return "closed";
  const saying = decidedBy.filter(({ keyword }) => !BOUND_KEYWORDS.has(keyword));
  return ["open", ...saying.map(({ keyword, value }) => `${keyword} ${value}`)].join(" ");
}
