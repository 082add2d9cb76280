/**
 * Policy files before a real sshd: drawn at random, made to allow exactly what is open, less one entry, or to keep what
 * an edit then closes. Excess and loss must be what sshd's values say, for the witnesses and for sampled connections.
 */
import { planChange } from "../../src/config/change.ts";
import type { Config } from "../../src/config/config.ts";
import { applyEdits } from "../../src/edit/edit.ts";
import type { Intended } from "../../src/lint/intended.ts";
import type { Intent } from "../../src/lint/intent.ts";
import type { Answer } from "../../src/policy/answer.ts";
import { requirements } from "../../src/policy/capabilities.ts";
import { CAPABILITIES, type Capability, type Connection } from "../../src/policy/connection.ts";
import type { Loss } from "../../src/policy/losses.ts";
import type { Sshd } from "../sshd/driver.ts";
import { load } from "../sshd/reading.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import {
  askAll,
  connectionsFor,
  givenItems,
  isCovered,
  isOpen,
  isSaid,
  type Printed,
  valuesAre,
  whoText,
} from "./asking.ts";
import type { DrawnCase } from "./generate.ts";
import { type Judgement, REFUSED, type Reading } from "./judge.ts";
import { makeRandom, type Random } from "./random.ts";
import { drawIntent, entryOf, intentOf, intentText, isBind, lacks, means, wanted } from "./wishes.ts";

export async function judgeIntents(
  sshd: Sshd,
  { tree, connections, draw }: DrawnCase,
  reading: Reading,
): Promise<Judgement> {
  const config = load(tree, sshd.release);
  if (!reading.verdict(config).accepted) return REFUSED;
  const wish = drawWish({ tree, config, random: makeRandom(draw) }, reading);
  const now = load(wish.tree, sshd.release);
  const intended = reading.intended(now, wish.intent);
  const witnesses = [...excessOf(intended), ...intended.losses].flatMap(({ witness }) => witness ?? []);
  const asked = connectionsFor([now], connections, [...witnesses, ...wish.witnesses]);
  const printed = await askAll(sshd, wish.tree, asked);
  const said = wish.isExact
    ? excessOf(intended).map((answer) => ({ what: "not exact", ours: answerText(answer), sshd: "" }))
    : [];
  for (const [index, connection] of asked.entries()) {
    const settings = printed[index];
    if (!isSaid(settings)) continue;
    if ("error" in settings) {
      if (intended.everything.complete)
        said.push(...missedEnds(intended, { config: now, intent: wish.intent, connection }));
      continue;
    }
    const looked: Looked = {
      sshd,
      config: now,
      intent: wish.intent,
      intended,
      connection,
      printed: settings,
    };
    said.push(...wrongExcess(looked), ...wrongLosses(looked));
    if (intended.everything.complete) said.push(...missedExcess(looked), ...missedLosses(looked));
  }
  const unknown = intended.everything.complete ? 0 : 1;
  const differences = said.map((one) => ({
    tree: wish.tree,
    connection: null,
    ...one,
    sshd: `${one.sshd} ${wish.name}: ${intentText(wish.intent)}`,
  }));
  return { pairs: asked.length, accepted: true, unknown, differences };
}

interface Wish {
  readonly name: string;
  readonly intent: Intent;
  /** what is asked of: the tree, or one that an edit closes somewhere */
  readonly tree: ServerTree;
  /** connections that the wish was made from */
  readonly witnesses: readonly Connection[];
  /** nothing is open beyond it */
  readonly isExact: boolean;
}

interface Drawing {
  readonly tree: ServerTree;
  readonly config: Config;
  readonly random: Random;
}

function drawWish(drawing: Drawing, reading: Reading): Wish {
  const { tree, config, random } = drawing;
  const { answers, complete } = reading.exposure(config);
  const open = answers.filter(({ allowed }) => allowed === true);
  const exact = { tree, witnesses: [], isExact: complete };
  const one = open.length === 0 || random.chance(40) ? null : random.pick(open);
  if (one === null) {
    if (random.chance(30)) return { ...exact, name: "exactly", intent: intentOf(open.map(entryOf), []) };
    return { name: "drawn", tree, intent: drawIntent(random), witnesses: [], isExact: false };
  }
  const witnesses = one.witness === null ? [] : [one.witness];
  const closed = random.chance(50) ? closeLine(drawing, one) : null;
  if (closed !== null)
    return {
      name: "closed",
      tree: closed,
      intent: intentOf(null, open.map(entryOf)),
      witnesses,
      isExact: false,
    };
  const less = open.filter((answer) => answer !== one);
  return { name: "less one", tree, intent: intentOf(less.map(entryOf), []), witnesses, isExact: false };
}

/** Null: no line of a file opens it. */
function closeLine({ tree, config }: Drawing, { capability, decidedBy }: Answer): ServerTree | null {
  const [decider] = decidedBy;
  const directive = decider?.directive ?? null;
  const closing = requirements(capability, config.release).find(
    ({ keyword }) => keyword === decider?.keyword,
  );
  const value = ["no", "yes", "none"].find((text) => closing?.closes([text]) === true);
  if (directive === null || value === undefined) return null;
  const planned = planChange(config, { kind: "replace-value", directive, value });
  const [edit] = planned.kind === "edits" ? planned.edits : [];
  const text = edit === undefined ? undefined : tree[edit.path];
  return edit === undefined || typeof text !== "string"
    ? null
    : { ...tree, [edit.path]: applyEdits(text, [edit]) };
}

interface Looked {
  readonly sshd: Sshd;
  readonly config: Config;
  readonly intent: Intent;
  readonly intended: Intended;
  readonly connection: Connection;
  readonly printed: Printed;
}

interface Said {
  readonly what: string;
  readonly ours: string;
  readonly sshd: string;
}

/** Open answers that rules report, whole or narrowed to what is too much. */
function excessOf({ unwanted, beyond }: Intended): readonly Answer[] {
  return [...unwanted.answers, ...beyond.map(({ answer }) => answer)].filter(
    ({ allowed }) => allowed === true,
  );
}

/** An excess whose witness is not open, or is wanted. */
function wrongExcess(looked: Looked): Said[] {
  const { sshd, intended, connection, printed } = looked;
  return excessOf(intended)
    .filter(({ witness }) => witness !== null && whoText(witness) === whoText(connection))
    .filter(
      (answer) =>
        !isOpen(printed, answer.capability, sshd) ||
        !valuesAre(printed, answer.decidedBy) ||
        !tooMuch(looked, answer.capability).some((item) => itemsOf(answer).includes(item)),
    )
    .map((answer) => ({
      what: `excess ${answer.capability}`,
      ours: answerText(answer),
      sshd: whoText(connection),
    }));
}

/** What is open for the connection and too much is in an excess with the values that sshd prints. */
function missedExcess(looked: Looked): Said[] {
  const { intended, connection, printed } = looked;
  return CAPABILITIES.flatMap((capability) => {
    const told = excessOf(intended).filter(
      (answer) => answer.capability === capability && valuesAre(printed, answer.decidedBy),
    );
    const missed = tooMuch(looked, capability).filter(
      (item) => !told.some((answer) => itemsOf(answer).includes(item)),
    );
    return missed.length === 0
      ? []
      : [
          {
            what: `missed excess ${capability}`,
            ours: told.map(answerText).join(" ⏎ "),
            sshd: `${missed.join(" ")} ${whoText(connection)}`,
          },
        ];
  });
}

/** Items of what is open that no entry wants for this connection; one empty text where there are no items. */
function tooMuch({ sshd, config, intent, connection, printed }: Looked, capability: Capability): string[] {
  if (!isOpen(printed, capability, sshd)) return [];
  const grants = [...(intent.allow ?? []), ...intent.keep]
    .map(({ grant }) => grant)
    .filter((grant) => grant.capabilities.includes(capability) && means(grant, connection, config));
  const given = givenItems(capability, printed);
  const isWide = given.some(isBind);
  const places = given.filter((item) => !isBind(item));
  return (places.length === 0 ? [""] : places).filter(
    (item) =>
      !grants.some(
        (grant) => (grant.bind === "any" || !isWide) && isCovered(wanted(grant, capability), item),
      ),
  );
}

function itemsOf({ destinations, listen }: Answer): readonly string[] {
  const items = listen?.addresses ?? destinations;
  return items.length === 0 ? [""] : items;
}

/** A loss whose witness is not meant, or gets what the entry wants. */
function wrongLosses(looked: Looked): Said[] {
  const { config, intended, connection } = looked;
  return intended.losses
    .filter(({ witness }) => witness !== null && whoText(witness) === whoText(connection))
    .filter(
      (loss) =>
        !["no-login", "refused"].includes(loss.kind) &&
        (!means(loss.grant, connection, config) ||
          (loss.kind === "needs-root" ? !needsRoot(loss) : lacks(looked, loss) === null)),
    )
    .map((loss) => ({ what: `loss ${loss.capability}`, ours: lossText(loss), sshd: whoText(connection) }));
}

/** The kernel gives a port below 1024 to root alone. */
function needsRoot({ missing, witness }: Loss): boolean {
  return (
    witness?.user !== "root" && missing.every((item) => Number(item.slice(item.lastIndexOf(":") + 1)) < 1024)
  );
}

function missedLosses(looked: Looked): Said[] {
  const { config, intent, intended, connection, printed } = looked;
  return intent.keep
    .filter(({ grant }) => means(grant, connection, config))
    .flatMap(({ grant }) => grant.capabilities.map((capability) => ({ grant, capability })))
    .flatMap(({ grant, capability }) => {
      const lacking = lacks(looked, { grant, capability });
      const isTold = intended.losses.some(
        (loss) =>
          loss.grant === grant && loss.capability === capability && valuesAre(printed, loss.decidedBy),
      );
      return lacking === null || isTold
        ? []
        : [
            {
              what: `missed loss ${capability}`,
              ours: intended.losses.map(lossText).join(" ⏎ "),
              sshd: `${lacking} ${whoText(connection)}`,
            },
          ];
    });
}

/** What sshd ends is lost. */
function missedEnds(
  intended: Intended,
  { config, intent, connection }: Pick<Looked, "config" | "intent" | "connection">,
): Said[] {
  return intent.keep
    .filter(({ grant }) => means(grant, connection, config))
    .flatMap(({ grant }) => grant.capabilities.map((capability) => ({ grant, capability })))
    .filter(({ grant, capability }) => wanted(grant, capability).length > 0)
    .filter(
      ({ grant, capability }) =>
        !intended.losses.some(
          (loss) => loss.grant === grant && loss.capability === capability && loss.kind === "no-login",
        ),
    )
    .map(({ capability }) => ({
      what: `missed end ${capability}`,
      ours: intended.losses.map(lossText).join(" ⏎ "),
      sshd: `ended ${whoText(connection)}`,
    }));
}

function answerText({ capability, condition, destinations, listen, decidedBy }: Answer): string {
  const lines = decidedBy.map(({ keyword, value }) => `${keyword} ${value}`).join(", ");
  return `${capability} ${condition} ${[...destinations, ...(listen?.addresses ?? [])].join(" ")}: ${lines}`;
}

function lossText({ kind, capability, missing, condition }: Loss): string {
  return `${kind} ${capability} ${missing.join(" ")} for ${condition}`;
}
