/** A scope in the administrator's own words: "members of group forwarders from 10.0.0.0/8, except user root". */
import { onceFor } from "../../grammar/remember.ts";
import type { Extent } from "./answer.ts";
import type { Atom, Guard } from "./atoms.ts";
import type { Scope, Searcher } from "./search.ts";

const MAX_SHOWN = 6;
/** Guards looked at for the text; the answer itself counts all of them. */
const MAX_LOOKED_AT = 40;

/** Ours: exceptions named for all extents of one search; real files have hundreds. */
const MOST_NAMED = 20_000;

interface Described {
  /** several capabilities have the same scopes; which exceptions can meet one takes a question each */
  readonly scopes: Map<Scope, string>;
  readonly atoms: Map<number, Called | null>;
  readonly extents: Map<Scope, Extent>;
  /** found for the last extent: the text of the same scope is made behind it */
  earlier: Earlier | null;
  namesLeft: number;
}

const describedBy = onceFor(
  (_: Searcher): Described => ({
    scopes: new Map(),
    atoms: new Map(),
    extents: new Map(),
    earlier: null,
    namesLeft: MOST_NAMED,
  }),
);

/** Earlier guards that may meet a scope: positions, for each of its exclusions. */
interface Earlier {
  readonly scope: Scope;
  readonly positions: readonly (readonly number[])[];
}

function earlierGuards({ met, without }: Scope, most: number): Earlier["positions"] {
  return without.map(({ sequence, end }) => sequence.meeting(met, end, most));
}

export function describeScope(searcher: Searcher, scope: Scope): string {
  const { scopes } = describedBy(searcher);
  const text = scopes.get(scope) ?? compose(searcher, scope);
  scopes.set(scope, text);
  return text;
}

export function extentOf(searcher: Searcher, scope: Scope): Extent {
  const { extents } = describedBy(searcher);
  const extent = extents.get(scope) ?? {
    who: guardText(searcher, scope.met),
    except: everyException(searcher, scope),
  };
  extents.set(scope, extent);
  return extent;
}

/** Without a question each, so that some may be named that take nobody away. */
function everyException(searcher: Searcher, scope: Scope): readonly string[] | null {
  if (scope.without.length === 0) return NO_EXCEPTIONS;
  const described = describedBy(searcher);
  if (described.namesLeft < 0) return null;
  const found = earlierGuards(scope, Math.max(MAX_LOOKED_AT, described.namesLeft) + 1);
  described.earlier = { scope, positions: found };
  const texts = new Set<string>();
  for (let index = 0; index < found.length; index++) {
    const positions = found[index] ?? [];
    described.namesLeft -= positions.length;
    if (described.namesLeft < 0) return null;
    const guards = scope.without[index]?.sequence.guards ?? [];
    for (const position of positions) texts.add(guardText(searcher, guards[position] ?? []));
  }
  return [...texts];
}

const NO_EXCEPTIONS: readonly string[] = [];

function guardText({ atoms }: Searcher, guard: Guard): string {
  const [first, ...others] = guard;
  if (first === undefined) return "";
  if (others.length === 0) return atoms.keys[first] ?? "";
  const keys = guard.map((index) => atoms.keys[index] ?? "");
  return keys.sort().join(", ");
}

function compose(searcher: Searcher, scope: Scope): string {
  const who = describeGuard(searcher, scope.met);
  const { texts, isAll } = exceptionsOf(searcher, scope);
  if (texts.length === 0) return isAll ? who : `${who}, except where an earlier block decides`;
  const shown = texts.slice(0, MAX_SHOWN);
  const more = isAll && texts.length === shown.length ? "" : " and more";
  return `${who}, except ${together(shown).join("; ")}${more}`;
}

const SIMPLE = /^(user|members of group) ([^ ,]+)$/;
const SEVERAL: Readonly<Record<string, string>> = { user: "users", "members of group": "members of groups" };

/** "user a; user b; from c" is told as "users a, b; from c". */
function together(exceptions: readonly string[]): string[] {
  const kinds = new Map<string, string[]>();
  for (const text of exceptions) {
    const [, kind = text, name] = SIMPLE.exec(text) ?? [];
    kinds.set(kind, [...(kinds.get(kind) ?? []), ...(name === undefined ? [] : [name])]);
  }
  return [...kinds].map(([kind, names]) => {
    if (names.length === 0) return kind;
    return `${names.length === 1 ? kind : (SEVERAL[kind] ?? kind)} ${names.join(", ")}`;
  });
}

interface Exceptions {
  readonly texts: readonly string[];
  /** false: not all guards were looked at */
  readonly isAll: boolean;
}

/** Earlier guards that can meet the scope at all, without what they share with it. */
function exceptionsOf(searcher: Searcher, scope: Scope): Exceptions {
  const { met, without } = scope;
  if (without.length === 0) return { texts: [], isAll: true };
  const { boxes } = searcher;
  const { earlier } = describedBy(searcher);
  const found = earlier?.scope === scope ? earlier.positions : earlierGuards(scope, MAX_LOOKED_AT + 1);
  const texts = new Set<string>();
  let looksLeft = MAX_LOOKED_AT;
  for (let index = 0; index < found.length; index++) {
    const positions = found[index] ?? [];
    const guards = without[index]?.sequence.guards ?? [];
    for (const position of positions) {
      if (looksLeft-- === 0 || texts.size > MAX_SHOWN) return { texts: [...texts], isAll: false };
      const guard = guards[position] ?? [];
      if (boxes.sample(boxes.within([...met, ...guard])).kind === "none") continue;
      const rest = guard.filter((atom) => !met.includes(atom));
      texts.add(describeGuard(searcher, rest).replace(/^everybody (?=from |to )/, ""));
    }
  }
  return { texts: [...texts], isAll: true };
}

/** A criterion and what it is called. */
interface Called {
  readonly attribute: Atom["attribute"];
  /** of the attribute, in ORDER */
  readonly rank: number;
  readonly text: string;
}

function describeGuard(searcher: Searcher, guard: Guard): string {
  const called: Called[] = [];
  for (const index of guard) {
    const one = callAtom(searcher, index);
    if (one !== null) called.push(one);
  }
  const [only] = called;
  if (only === undefined) return "everybody";
  if (called.length === 1) return only.rank >= FIRST_PLACE ? `everybody ${only.text}` : only.text;
  called.sort((a, b) => a.rank - b.rank);
  const namesUser = called.some(({ attribute }) => attribute === "user");
  const people: string[] = [];
  const places: string[] = [];
  for (const one of called) {
    if (one.rank >= FIRST_PLACE) places.push(one.text);
    else if (namesUser && one.attribute === "group") people.push(one.text.replace(/^members of /, "in "));
    else people.push(one.text);
  }
  return [people.length === 0 ? "everybody" : peopleText(people), ...places].join(" ");
}

/** Null: nothing need be said. `Match Address *` does not hold for everybody: a client may have no address (connection.ts). */
function callAtom(searcher: Searcher, index: number): Called | null {
  const { atoms } = describedBy(searcher);
  const known = atoms.get(index);
  if (known !== undefined) return known;
  const atom = searcher.atoms.list[index];
  const text = atom === undefined ? null : describeAtom(atom);
  const called =
    atom === undefined || text === null
      ? null
      : { attribute: atom.attribute, rank: ORDER.indexOf(atom.attribute), text };
  atoms.set(index, called);
  return called;
}

/** In which a sentence tells them. */
const ORDER: readonly Atom["attribute"][] = [
  "user",
  "group",
  "invalid-user",
  "address",
  "host",
  "localaddress",
  "localport",
];
const FIRST_PLACE = ORDER.indexOf("address");

/** "user deploy in group staff", "members of group staff who are members of group admins". */
function peopleText(people: readonly string[]): string {
  return people.reduce((all, text) => `${all}${text.startsWith("in ") ? " " : " who are "}${text}`);
}

function describeAtom(atom: Atom): string | null {
  switch (atom.attribute) {
    case "user":
      return listText(atom.text, { all: null, one: "user ", many: "users " });
    case "group":
      return listText(atom.text, {
        all: "members of any group",
        one: "members of group ",
        many: "members of groups ",
      });
    case "invalid-user":
      return "users that do not exist";
    case "address":
      return listText(atom.text, {
        all: "from any IP address",
        one: "from ",
        many: "from ",
        between: " or ",
      });
    case "host":
      return listText(atom.text, { all: null, one: "from host ", many: "from hosts ", between: " or " });
    case "localaddress":
      return listText(atom.text, {
        all: "to any IP address",
        one: "to address ",
        many: "to addresses ",
        between: " or ",
      });
    case "localport":
      return `to port ${atom.port}`;
  }
}

/** One item, which is all that most lists are. */
const PLAIN = /^[^,!*]+$/;

interface Wording {
  /** for a list that is `*` alone; null: nothing need be said */
  readonly all: string | null;
  readonly one: string;
  readonly many: string;
  /** default: a comma, which sets a place off from the rest of its sentence */
  readonly between?: string;
}

function listText(text: string, wording: Wording): string | null {
  if (PLAIN.test(text)) return wording.one + text;
  const named: string[] = [];
  const excluded: string[] = [];
  for (const item of text.split(",")) {
    if (item.startsWith("!")) excluded.push(item.slice(1));
    else if (item !== "") named.push(item);
  }
  // in brackets: "everybody, not root in group fwd, except …" could leave out members of fwd alone, or take root in again
  const others = excluded.length === 0 ? "" : ` (not ${excluded.join(" or ")})`;
  if (named.includes("*")) {
    if (excluded.length === 0) return wording.all;
    return `${wording.all ?? (wording.one.startsWith("from") ? "from anywhere" : "everybody")}${others}`;
  }
  const shown =
    named.length > MAX_SHOWN ? [...named.slice(0, MAX_SHOWN), `${named.length - MAX_SHOWN} more`] : named;
  return `${named.length === 1 ? wording.one : wording.many}${shown.join(wording.between ?? ", ")}${others}`;
}
