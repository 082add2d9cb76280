/** A configuration as sshd sees it: the main file with its Includes, flattened in the order of reading. */

import type { AddressItem } from "../../grammar/addresses.ts";
import type { PatternItem } from "../../grammar/patterns.ts";
import type { Release } from "../../grammar/release.ts";
import type { DirectiveLine, Tree, Word } from "../../grammar/tree.ts";
import type { Place, Source } from "../source/source.ts";

export interface Config {
  readonly release: Release;
  /** the main file first, then each included file once, in the order of first reading */
  readonly files: readonly ConfigFile[];
  /**
   * every line that sets a keyword, in sshd's order, `-o` options first. A file that is included twice contributes
   * twice. Lines with a problem that makes sshd refuse the file have `values: null`.
   */
  readonly directives: readonly Directive[];
  /** every Match line met, in sshd's order, also those that guard nothing */
  readonly matches: readonly MatchBlock[];
  readonly includes: readonly IncludeLine[];
  /** in the order in which sshd would meet them; none that is fatal or counted means `sshd -t` accepts */
  readonly problems: readonly Problem[];
  /** what sshd meets only when it reads the file for a connection, in the order of reading: `sshd -t` is silent on it */
  readonly later: readonly LaterProblem[];
  /** why reading stopped early, a limit of ours; empty when everything was read */
  readonly limits: readonly string[];
}

export interface ConfigFile {
  readonly source: Source;
  readonly tree: Tree;
  /** absolute path inside the FileTree, after links */
  readonly realPath: string;
  /** null for the main file */
  readonly includedBy: IncludeLine | null;
  readonly depth: number;
}

export interface Directive {
  /** lower case, aliases resolved: "allowtcpforwarding" */
  readonly keyword: string;
  readonly args: readonly Word[];
  readonly line: DirectiveLine;
  readonly place: Place;
  /** the arguments alone, for a caret under the value */
  readonly valuePlace: Place;
  /**
   * the values as `sshd -T` prints them, one string a printed item (`yes`; PermitOpen: `["db:5432", "cache:6379"]`).
   * null where sshd refuses the line.
   */
  readonly values: readonly string[] | null;
  /** Match blocks on the path, outermost first: all must hold. Empty: a global line */
  readonly guards: readonly MatchBlock[];
  /** position in `Config.directives` */
  readonly order: number;
  /**
   * true when sshd's first pass, which knows no connection, takes the value: no Match on the path, or only ones that
   * hold without a connection (`Match all`, `Match Version …`). It then counts as a global value, behind any value
   * of a matching block.
   */
  readonly atStart: boolean;
  readonly origin: "file" | "option";
}

/** sshd ends the connection, or `sshd -T -C`, where this applies. */
export interface LaterProblem {
  /** null: it needs no line that takes effect (an Include that leads back to itself) */
  readonly directive: Directive | null;
  /**
   * "always" · "active": its line is in a block that holds · "first": no earlier line in a block that holds has set the
   * keyword · "active-first": both · "again": an earlier one has
   */
  readonly when: "always" | "active" | "first" | "active-first" | "again";
  readonly place: Place;
  /** the line that sshd prints */
  readonly sshdText: string;
  /** how many Match lines are read before it */
  readonly matchesBefore: number;
}

export interface MatchBlock {
  readonly criteria: readonly Criterion[];
  readonly line: DirectiveLine;
  readonly place: Place;
  /** blocks around the Include that brought this file in, outermost first */
  readonly outer: readonly MatchBlock[];
  /** true when it holds without a connection (`all`, a matching Version), so that the first pass enters it too */
  readonly static: boolean;
  /** true when no connection ever enters it: 8.2 and 8.3 lose the Match blocks of a file included globally */
  readonly lost: boolean;
  /** position in `Config.matches` */
  readonly order: number;
}

/** All criteria of a Match line are ANDed. `items` are in the order written. */
export type Criterion = {
  readonly [Attribute in CriterionAttribute]: CriterionOf<Attribute>;
}[CriterionAttribute];

export type CriterionAttribute =
  | NameAttribute
  | "address"
  | "localaddress"
  | "localport"
  | "all"
  | "invalid-user";

type CriterionOf<Attribute extends CriterionAttribute> = {
  readonly attribute: Attribute;
  readonly place: Place;
} & (Attribute extends NameAttribute
  ? { readonly text: string; readonly items: readonly PatternItem[] }
  : Attribute extends "address" | "localaddress"
    ? { readonly text: string; readonly items: readonly AddressItem[] }
    : Attribute extends "localport"
      ? { readonly text: string; readonly port: number }
      : unknown);

export type NameAttribute = "user" | "group" | "host" | "rdomain" | "version";

export interface IncludeLine {
  readonly line: DirectiveLine;
  readonly place: Place;
  readonly guards: readonly MatchBlock[];
  readonly targets: readonly IncludeTarget[];
}

/** One pattern of an Include line with what it matched, in order. */
export interface IncludeTarget {
  readonly pattern: string;
  readonly place: Place;
  /** where the pattern was looked for inside the tree */
  readonly lookedFor: string;
  readonly matched: readonly string[];
}

/**
 * What sshd refuses or warns of. weight: `fatal` ends reading at once, `counted` at the end of that file,
 * `warning` is printed and accepted, `silent` prints nothing (vanished and hidden lines).
 */
export interface Problem {
  readonly code: string;
  readonly weight: "fatal" | "counted" | "warning" | "silent";
  /** the whole line that sshd prints, with its position, as that release words it */
  readonly sshdText: string;
  /** what is wrong and what would be right, in our words */
  readonly message: string;
  readonly place: Place;
  /** the line number that sshd prints where it differs from the editor's; else equal to it */
  readonly sshdLine: number;
}
