/**
 * One tree's regions before a real sshd: the witness of each, whose account is made for it, and sampled connections,
 * each in the region in which it lies.
 */
import type { Config } from "../../src/config/config.ts";
import type { Answer } from "../../src/policy/answer.ts";
import { requirements } from "../../src/policy/capabilities.ts";
import { CAPABILITIES, type Capability, NOT_OVER_IP } from "../../src/policy/connection.ts";
import { locate } from "../../src/policy/locate.ts";
import { usesDns } from "../../src/policy/reasoning.ts";
import { formatSpecification } from "../../src/policy/specification.ts";
import { GROUPS_OF } from "../sshd/accounts.ts";
import { HOST_KEY, type Sshd } from "../sshd/driver.ts";
import { connectionOf, load, type Settings } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import type { FuzzCase } from "./generate.ts";
import { type Difference, type Judgement, NAME_RESOLUTION, printedSettings, type Reading } from "./judge.ts";

export async function judgeRegions(
  sshd: Sshd,
  { tree, connections }: FuzzCase,
  reading: Reading,
): Promise<Judgement> {
  const config = load(tree, sshd.release);
  if (!reading.verdict(config).accepted) return { pairs: 0, accepted: false, unknown: 0, differences: [] };
  sshd.place(tree);
  const asking: Asking = { sshd, tree, config, answers: reading.exposure(config).answers };
  const differences: Difference[] = [];
  const { asked, unknown } = await judgeWitnesses(asking, differences);
  const samples = await judgeSamples(asking, connections, differences);
  return { pairs: asked + samples, accepted: true, unknown, differences };
}

interface Asking {
  readonly sshd: Sshd;
  readonly tree: ServerTree;
  readonly config: Config;
  readonly answers: readonly Answer[];
}

async function judgeWitnesses(
  { sshd, tree, config, answers }: Asking,
  differences: Difference[],
): Promise<{ readonly asked: number; readonly unknown: number }> {
  const printed = new Map<string, Settings>();
  let unknown = 0;
  for (const answer of answers) {
    const { witness, allowed, capability } = answer;
    if (witness === null || allowed === "unknown") {
      // unknown is honest; it is counted. sshd may also end every connection of the region in its second pass
      if (config.later.length === 0) unknown += 1;
      continue;
    }
    // only the machine knows its interfaces
    if (/%(?!lo$)/.test(witness.addr ?? "")) continue;
    // no line of passwd or group begins so (nss_files); a directory has such names
    if (
      witness.groups !== null &&
      [witness.user ?? "", ...witness.groups].some((name) => /^[ #+-]/.test(name))
    )
      continue;
    const specification = formatSpecification(witness);
    const key = `${specification} ${witness.groups?.join(" ") ?? "-"}`;
    if (!printed.has(key)) {
      sshd.admit({ name: witness.user ?? "", groups: witness.invalidUser ? null : witness.groups });
      printed.set(key, await ask(sshd, specification));
    }
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

/** docs/known-differences.md: names that do not resolve, and OpenSSH bug 3906 */
function isOfMachine(error: string): boolean {
  return NAME_RESOLUTION.test(error) || error === "sshd crashes";
}

async function judgeSamples(
  { sshd, tree, config, answers }: Asking,
  connections: readonly string[],
  differences: Difference[],
): Promise<number> {
  sshd.admit(null);
  let asked = 0;
  for (const connection of connections) {
    const specification = asAssumed(config, connection);
    const printed = await ask(sshd, specification);
    if ("error" in printed) continue;
    asked += 1;
    for (const capability of CAPABILITIES) {
      const answer = locate(config, answers, capability, connectionOf(specification));
      if (answer?.allowed === "unknown") continue;
      const ours = answer === null ? "no region" : whatWeSay(answer);
      const said = answer === null ? "" : whatSshdSays(printed, answer, sshd);
      if (said !== ours)
        differences.push({ tree, connection, what: `region of ${capability}`, ours, sshd: said });
    }
  }
  return asked;
}

/**
 * As the regions assume: no routing domain without a VRF, link-local peers have a zone, mapped ones are IPv4 (canohost.c),
 * with UseDNS no the host is the text of the address, and a client without one arrives at none.
 */
function asAssumed(config: Config, connection: string): string {
  const zoned = connection
    .replace(/(^|,)addr=fe80::1(?=,|$)/, "$1addr=fe80::1%lo")
    .replace(/(^|,)addr=::ffff:(?=[0-9.]+(?:,|$))/, "$1addr=");
  const addr = /(?:^|,)addr=([^,]*)/.exec(zoned)?.[1] ?? "";
  const isApart = addr === NOT_OVER_IP.addr;
  const arrived = isApart
    ? zoned.replace(/laddr=[^,]*/, `laddr=${addr}`).replace(/lport=\d+/, `lport=${NOT_OVER_IP.lport}`)
    : zoned;
  const placed = usesDns(config) && !isApart ? arrived : arrived.replace(/(^|,)host=[^,]*/, `$1host=${addr}`);
  return `${existing(placed).replace(/,rdomain=[^,]*/, "")},rdomain=`;
}

/** sshd itself never calls a user invalid who has an account; `-C` can, and then looks the groups up all the same. */
function existing(connection: string): string {
  const user = /(?:^|,)user=([^,]*)/.exec(connection)?.[1] ?? "";
  return user in GROUPS_OF ? connection.replace(/(^|,)invalid-user(?=,|$)/, "") : connection;
}

/** What sshd prints for a connection. */
export async function ask(sshd: Sshd, specification: string): Promise<Settings> {
  return printedSettings(await sshd.run(["-T", ...HOST_KEY, "-C", specification]));
}

/** "closed", or "open" with the values of all keywords that play a part. */
function whatWeSay({ allowed, decidedBy }: Answer): string {
  if (allowed !== true) return "closed";
  return ["open", ...decidedBy.map(({ keyword, value }) => `${keyword} ${value}`)].join(" ");
}

/** The same from what sshd prints. */
export function whatSshdSays(
  printed: Settings | undefined,
  { capability }: Pick<Answer, "capability">,
  sshd: Sshd,
): string {
  if (printed === undefined || "error" in printed) return `no answer: ${printed?.error ?? "not asked"}`;
  return isOpen(printed, capability, sshd)
    ? [
        "open",
        ...requirements(capability, sshd.release).map(
          ({ keyword }) => `${keyword} ${joinedValues(printed, keyword)}`,
        ),
      ].join(" ")
    : "closed";
}

function isOpen(
  printed: ReadonlyMap<string, readonly string[]>,
  capability: Capability,
  sshd: Sshd,
): boolean {
  return requirements(capability, sshd.release).every(
    ({ keyword, closes }) => !closes(joinedValues(printed, keyword).split(" ")),
  );
}

function joinedValues(printed: ReadonlyMap<string, readonly string[]>, keyword: string): string {
  return (printed.get(keyword) ?? []).join(" ");
}
