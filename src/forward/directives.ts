/** The directives of ssh_config(5) for one host, and their values by type. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Directive } from "./client-config.ts";
import { readClientLine } from "./client-keywords.ts";
import {
  KNOWN_KEYWORDS,
  type KnownKeyword,
  knownKeyword,
  parseValue,
  type ValueOf,
} from "./client-values.ts";
import { SshFailure } from "./failure.ts";

/** What -o says, a line of ssh_config(5); null: nothing. Throws an SshFailure for what is unknown, or what ssh(1) refuses. */
export function parseOption(text: string): Directive | null {
  const line = readClientLine(text, null);
  if (line === null) return null;
  const { keyword, args, refused } = line;
  if (knownKeyword(keyword) === undefined)
    throw new SshFailure(
      "configuration",
      `-o ${text}: not an option of this forwarder, which knows ${KNOWN_KEYWORDS.join(", ")}`,
    );
  if (refused !== null) throw new SshFailure("configuration", `-o ${text}: ${refused}`);
  return { keyword, args, place: "-o" };
}

/** Null, or empty, where the keyword is not set. */
export interface Reader {
  readonly has: (keyword: KnownKeyword) => boolean;
  readonly place: (keyword: KnownKeyword) => string;
  readonly first: (keyword: KnownKeyword) => string | null;
  readonly list: (keyword: KnownKeyword) => readonly string[] | null;
  readonly all: (keyword: KnownKeyword) => readonly (readonly string[])[];
  /** Throws an SshFailure ("configuration") for a value that cannot be. */
  readonly value: <K extends KnownKeyword>(keyword: K) => ValueOf<K> | null;
}

/** The first directive of a keyword counts. */
export function readDirectives(directives: readonly Directive[]): Reader {
  const all = (keyword: KnownKeyword): readonly Directive[] =>
    directives.filter((directive) => directive.keyword === lowerAscii(keyword));
  const find = (keyword: KnownKeyword): Directive | undefined => all(keyword)[0];
  const first = (keyword: KnownKeyword): string | null => find(keyword)?.args[0] ?? null;
  const place = (keyword: KnownKeyword): string => find(keyword)?.place ?? "";
  return {
    has: (keyword) => find(keyword) !== undefined,
    place,
    first,
    list: (keyword) => find(keyword)?.args ?? null,
    all: (keyword) => all(keyword).map(({ args }) => args),
    value: (keyword) => {
      const text = first(keyword);
      if (text === null) return null;
      const value = parseValue(keyword, text);
      if (value === undefined) throw wrong(place(keyword), keyword, `"${text}" is no value of it`);
      return value;
    },
  };
}

export function wrong(place: string, keyword: KnownKeyword, because: string): SshFailure {
  return new SshFailure("configuration", `${place} ${keyword}: ${because}`);
}
