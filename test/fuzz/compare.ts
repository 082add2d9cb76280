/**
 * `compare` of one tree and a changed or rewritten one, before a real sshd: each change's witness moved as it says, and
 * each sampled connection that sshd treats differently lies in a change that names the values it got.
 */
import type { Comparison, PolicyChange } from "../../src/policy/compare.ts";
import { CAPABILITIES, type Capability } from "../../src/policy/connection.ts";
import { usesDns } from "../../src/policy/reasoning.ts";
import type { Sshd } from "../sshd/driver.ts";
import { load, type Settings } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import {
  askAll,
  connectionsFor,
  givenItems,
  isCovered,
  isOpen,
  type Printed,
  valuesAre,
  whatSshdSays,
  whoText,
} from "./asking.ts";
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
  return judgePair(sshd, { before: tree, after: other, connections }, reading);
}

export interface Pair {
  readonly before: ServerTree;
  readonly after: ServerTree;
  /** texts for `sshd -C` */
  readonly connections: readonly string[];
}

export async function judgePair(
  sshd: Sshd,
  { before, after, connections }: Pair,
  reading: Reading,
): Promise<Judgement> {
  const [old, now] = [load(before, sshd.release), load(after, sshd.release)];
  if (!reading.verdict(old).accepted || !reading.verdict(now).accepted) return REFUSED;
  const comparison = reading.compare(old, now);
  const witnesses = comparison.changes.map(({ witness }) => witness);
  const isSameWorld = usesDns(old) === usesDns(now);
  const asked = connectionsFor([old, now], isSameWorld ? connections : [], witnesses);
  const was = await askAll(sshd, before, asked);
  const is = await askAll(sshd, after, asked);
  const differences: { what: string; ours: string; sshd: string }[] = [];
  for (const [index, connection] of asked.entries()) {
    const moving = movingOf(was[index], is[index]);
    if (moving === null) continue;
    const who = whoText(connection);
    const told = comparison.changes.filter(({ witness }) => whoText(witness) === who);
    for (const change of told.filter((one) => !isTrue(one, moving, sshd)))
      differences.push({
        what: `${change.change} ${change.capability}`,
        ours: changeText(change),
        sshd: `${saidText(moving, change.capability, sshd)} ${who}`,
      });
    if (!comparison.complete || !isSameWorld) continue;
    for (const capability of CAPABILITIES) {
      const missed = missedBy(comparison, { capability, moving, sshd });
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
      tree: before,
      connection: null,
      ...one,
      sshd: `${one.sshd} after: ${JSON.stringify(after)}`,
    })),
  };
}

/** What sshd printed for one connection under either tree. */
interface Moving {
  readonly was: Printed;
  readonly is: Printed;
}

/** Null: the connection is ended, which is neither open nor closed. */
function movingOf(was: Settings | undefined, is: Settings | undefined): Moving | null {
  if (was === undefined || is === undefined || "error" in was || "error" in is) return null;
  return { was, is };
}

function isTrue({ capability, change, grants }: PolicyChange, moving: Moving, sshd: Sshd): boolean {
  const [from, to] = change === "gained" ? [moving.was, moving.is] : [moving.is, moving.was];
  if (!isOpen(to, capability, sshd)) return false;
  if (grants.length === 0) return !isOpen(from, capability, sshd);
  const gained = gainedItems(capability, from, to);
  return isOpen(from, capability, sshd) && grants.every((grant) => gained.includes(grant));
}

interface Sample {
  readonly capability: Capability;
  readonly moving: Moving;
  readonly sshd: Sshd;
}

/** Null: sshd treats the connection alike, or a change tells it with the values that sshd prints. */
function missedBy({ changes }: Comparison, { capability, moving, sshd }: Sample): string | null {
  for (const change of ["gained", "lost"] as const) {
    const [from, to] = change === "gained" ? [moving.was, moving.is] : [moving.is, moving.was];
    if (!isOpen(to, capability, sshd)) continue;
    const isWhole = !isOpen(from, capability, sshd);
    const items = isWhole ? [] : gainedItems(capability, from, to);
    if (!isWhole && items.length === 0) continue;
    const isTold = changes.some(
      (one) =>
        one.capability === capability &&
        one.change === change &&
        items.every((item) => one.grants.includes(item)) &&
        (one.grants.length === 0) === isWhole &&
        valuesAre(moving.was, one.before) &&
        valuesAre(moving.is, one.after),
    );
    if (!isTold) return `${change} ${items.join(" ")}`;
  }
  return null;
}

/** Items that only the second side gives, as sshd compares them (channels.c open_match). */
function gainedItems(capability: Capability, from: Printed, to: Printed): string[] {
  const old = givenItems(capability, from);
  return givenItems(capability, to).filter((item) => !isCovered(old, item));
}

function changeText({ change, capability, condition, grants, before, after }: PolicyChange): string {
  const [was, is] = [before, after].map((lines) =>
    lines.map(({ keyword, value }) => `${keyword} ${value}`).join(", "),
  );
  return `${change} ${capability} ${grants.join(" ")} for ${condition}: ${was} -> ${is}`;
}

function saidText({ was, is }: Moving, capability: Capability, sshd: Sshd): string {
  return [was, is].map((settings) => whatSshdSays(settings, { capability }, sshd)).join(" -> ");
}
