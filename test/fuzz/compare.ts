/**
 * `compare` of one tree and a changed or rewritten one, before a real sshd: each change's witness moved as it says, and
 * each sampled connection that sshd treats differently lies in a change that names the values it got.
 */
import type { Comparison, PolicyChange } from "../../src/policy/compare.ts";
import { CAPABILITIES, type Capability } from "../../src/policy/connection.ts";
import { usesDns } from "../../src/policy/deciders.ts";
import type { Sshd } from "../sshd/driver.ts";
import { load, type Settings } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import {
  askAll,
  connectionsFor,
  givenItems,
  isCovered,
  isOpen,
  isSaid,
  type Printed,
  printedValue,
  valuesAre,
  whatSshdSays,
  whoText,
} from "./asking.ts";
import type { Judge } from "./campaign.ts";
import { changeTree, type DrawnCase } from "./generate.ts";
import { type Judgement, REFUSED, type Reading } from "./judge.ts";
import { makeRandom } from "./random.ts";
import { rewrite } from "./rewrite.ts";

export async function judgeComparison(
  sshd: Sshd,
  { tree, connections, draw }: DrawnCase,
  reading: Reading,
): Promise<Judgement> {
  const random = makeRandom(draw);
  const other = random.chance(50) ? rewrite(tree, random) : changeTree(tree, sshd.release, random);
  const pair = { before: { tree, sshd }, after: { tree: other, sshd }, connections };
  return judgePair(pair, reading);
}

/** What another sshd makes of the same tree: an upgrade from the first to it. */
export function upgradeTo(newer: Sshd): Judge {
  return (sshd, { tree, connections }, reading) =>
    judgePair({ before: { tree, sshd }, after: { tree, sshd: newer }, connections }, reading);
}

interface Side {
  readonly tree: ServerTree;
  readonly sshd: Sshd;
}

interface Pair {
  readonly before: Side;
  readonly after: Side;
  /** texts for `sshd -C` */
  readonly connections: readonly string[];
}

async function judgePair({ before, after, connections }: Pair, reading: Reading): Promise<Judgement> {
  const [old, now] = [load(before.tree, before.sshd.release), load(after.tree, after.sshd.release)];
  if (!reading.verdict(old).accepted || !reading.verdict(now).accepted) return REFUSED;
  const comparison = reading.compare(old, now);
  const witnesses = comparison.changes.map(({ witness }) => witness);
  const isSameWorld = usesDns(old) === usesDns(now);
  const asked = connectionsFor([old, now], isSameWorld ? connections : [], witnesses);
  const was = await askAll(before.sshd, before.tree, asked);
  const is = await askAll(after.sshd, after.tree, asked);
  const differences: { what: string; ours: string; sshd: string }[] = [];
  for (const [index, connection] of asked.entries()) {
    const moving = movingOf([before.sshd, was[index]], [after.sshd, is[index]]);
    if (moving === null) continue;
    const who = whoText(connection);
    const told = comparison.changes.filter(({ witness }) => whoText(witness) === who);
    for (const change of told.filter((one) => !isTrue(one, moving)))
      differences.push({
        what: `${change.change} ${change.capability}`,
        ours: changeText(change),
        sshd: `${saidText(moving, change.capability)} ${who}`,
      });
    if (!comparison.complete || !isSameWorld) continue;
    for (const capability of CAPABILITIES) {
      const missed = missedBy(comparison, capability, moving);
      if (missed !== null)
        differences.push({
          what: `missed ${capability}`,
          ours: comparison.changes.map(changeText).join(" ⏎ ") || "equal",
          sshd: `${missed} ${who}`,
        });
    }
  }
  return {
    pairs: asked.length * 2,
    accepted: true,
    unknown: comparison.complete ? 0 : 1,
    differences: differences.map((one) => ({
      tree: before.tree,
      connection: null,
      ...one,
      sshd: `${one.sshd} after: ${JSON.stringify(after.tree)}`,
    })),
  };
}

/** What an sshd printed for one connection; null: it ended it, and so all is closed. */
interface Said {
  readonly printed: Printed | null;
  readonly sshd: Sshd;
}

interface Moving {
  readonly was: Said;
  readonly is: Said;
}

type Told = readonly [sshd: Sshd, settings: Settings | undefined];

/** Null: both ended the connection, or one was not asked or cannot say. */
function movingOf([before, was]: Told, [after, is]: Told): Moving | null {
  if (!isSaid(was) || !isSaid(is)) return null;
  const moving = {
    was: { printed: printedIn(was), sshd: before },
    is: { printed: printedIn(is), sshd: after },
  };
  return moving.was.printed === null && moving.is.printed === null ? null : moving;
}

function printedIn(settings: Settings): Printed | null {
  return "error" in settings ? null : settings;
}

function isOpenTo({ printed, sshd }: Said, capability: Capability): boolean {
  return printed !== null && isOpen(printed, capability, sshd);
}

function isTrue({ capability, change, grants }: PolicyChange, moving: Moving): boolean {
  const [from, to] = change === "gained" ? [moving.was, moving.is] : [moving.is, moving.was];
  if (!isOpenTo(to, capability)) return false;
  if (grants.length === 0) return !isOpenTo(from, capability);
  const gained = gainedItems(capability, from, to);
  return isOpenTo(from, capability) && grants.every((grant) => gained.includes(grant));
}

/** Null: sshd treats the connection alike, or a change tells it with the values that sshd prints. */
function missedBy({ changes }: Comparison, capability: Capability, moving: Moving): string | null {
  for (const change of ["gained", "lost"] as const) {
    const [from, to] = change === "gained" ? [moving.was, moving.is] : [moving.is, moving.was];
    if (!isOpenTo(to, capability)) continue;
    const isWhole = !isOpenTo(from, capability);
    const items = isWhole ? [] : gainedItems(capability, from, to);
    if (!isWhole && items.length === 0) continue;
    const isTold = changes.some(
      (one) =>
        one.capability === capability &&
        one.change === change &&
        items.every((item) => one.grants.includes(item)) &&
        (one.grants.length === 0) === isWhole &&
        isDecidedBy(moving.was, one.before) &&
        isDecidedBy(moving.is, one.after),
    );
    if (!isTold) return `${change} ${items.join(" ")}`;
  }
  return null;
}

function isDecidedBy({ printed }: Said, deciders: PolicyChange["before"]): boolean {
  return printed === null || valuesAre(printed, deciders);
}

/** Items that only the second side gives, as sshd compares them (channels.c open_match). */
function gainedItems(capability: Capability, from: Said, to: Said): string[] {
  const [old, now] = [from, to].map(({ printed }) => {
    if (printed === null) return [];
    return capability === "tun" ? modesOf(printed) : givenItems(capability, printed);
  });
  return (now ?? []).filter((item) => !isCovered(old ?? [], item));
}

function modesOf(printed: Printed): readonly string[] {
  const value = printedValue(printed, "permittunnel");
  return value === "yes" ? ["point-to-point", "ethernet"] : [value];
}

function changeText({ change, capability, condition, grants, before, after }: PolicyChange): string {
  const [was, is] = [before, after].map((lines) =>
    lines.map(({ keyword, value }) => `${keyword} ${value}`).join(", "),
  );
  return `${change} ${capability} ${grants.join(" ")} for ${condition}: ${was} -> ${is}`;
}

function saidText({ was, is }: Moving, capability: Capability): string {
  return [was, is]
    .map(({ printed, sshd }) => (printed === null ? "ended" : whatSshdSays(printed, { capability }, sshd)))
    .join(" -> ");
}
