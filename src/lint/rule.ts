/** Rules, findings and fixes. A rule imports this file only. */
import type { Change } from "../config/change.ts";
import type {
  Config,
  ConfigFile,
  Criterion,
  Directive,
  IncludeLine,
  MatchBlock,
  Problem,
} from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Answer, Decider, Exposure, Extent, LineUse } from "../policy/answer.ts";
import type { Capability, Connection } from "../policy/connection.ts";
import type { Loss } from "../policy/losses.ts";
import type { Place } from "../source/source.ts";
import type { HostFacts } from "../start/host-facts.ts";
import type { Fix } from "./fixes.ts";
import type { Intended } from "./intended.ts";
import type { IntentEntry } from "./intent.ts";
import type { AllowedForwarding } from "./openings.ts";

export { globalLine, linesOf } from "../config/keyword-lines.ts";
export { comparedItem, isOutOfReach } from "../policy/capabilities.ts";
export { CAPABILITIES } from "../policy/connection.ts";
export { endpointOf } from "../policy/endpoint.ts";
export { keyOptionsOf } from "../policy/key-options.ts";
export { decode, makeSource, placeOf } from "../source/source.ts";
export { explainProblem, introducedIn } from "./advice.ts";
export { affectedBy, opened } from "./affected.ts";
export { type Fix, safeFix, setWhereDecided, unsafeFix } from "./fixes.ts";
export { hasNobody, vainItems, whyNeverMatching, whyNobodyMeant } from "./never-matching.ts";
export { becauseOf, nobodyLogsIn, type Opening, openingDrafts, unmeant } from "./opening-drafts.ts";
export {
  type AllowedForwarding,
  bothAllow,
  closes,
  deciderOf,
  escapesDisable,
  groupBy,
  isMeant,
  isNone,
  isOwnHost,
  listeningLines,
  listenPort,
  openAnswers,
  reopenedBy,
  TWO_WAY,
} from "./openings.ts";
export { atFile, atTop, type Pointed, pointAt, stockComment } from "./places.ts";
export {
  forwards,
  grantText,
  isUnlimited,
  limitOfPlaces,
  lineText,
  listed,
  quoted,
  whoText,
} from "./wording.ts";
export type {
  Account,
  Answer,
  Capability,
  Change,
  Config,
  ConfigFile,
  Connection,
  Criterion,
  Decider,
  Directive,
  Exposure,
  HostFacts,
  IncludeLine,
  Intended,
  IntentEntry,
  LineUse,
  Loss,
  MatchBlock,
  Place,
  Problem,
};

/** `error`: sshd refuses the file. */
export type Severity = "error" | "high" | "medium" | "low" | "info";

/** In `about`: something that sshd refuses, warns of or misreads. */
export const PROBLEMS = "a problem";
/** In `about`: a line that never counts, because another one comes first or nobody is in its block. */
export const DEAD_LINES = "a dead line";

export interface Rule {
  /** names the thing flagged and reads well after "allow": file name = id = fixture folder = documentation anchor */
  readonly id: string;
  readonly title: string;
  /** of a usual finding; a finding may weigh differently */
  readonly severity: Severity;
  /**
   * What a configuration must hold for the rule to find anything, one of these: keywords in lower case (`match` and
   * `include`, too), PROBLEMS, DEAD_LINES. Left out: it looks at every configuration.
   */
  readonly about?: readonly string[];
  readonly docs: RuleDocs;
  readonly references: readonly string[];
  /** true: for --profile strict only */
  readonly strict?: true;
  /** true: runs after the others and sees what suppressions did to their findings */
  readonly late?: true;
  readonly check: (audit: Audit) => readonly Draft[];
}

/** Markdown, except the examples, which are configurations that a test executes. */
export interface RuleDocs {
  readonly what: string;
  readonly why: string;
  readonly who: string;
  /** the policy file of the examples */
  readonly policy?: string;
  /** by which the examples are judged; left out: Debian 12's 9.2 */
  readonly release?: string;
  /** the rule fires on it */
  readonly bad: string;
  /** the rule is silent on it */
  readonly good: string;
  readonly fix: string;
  readonly allowWhen: string;
}

/** What a rule may look at. Rules know neither bytes nor machine. */
export interface Audit {
  readonly config: Config;
  /** of the open answers only those of which the policy file, where there is one, allows nothing */
  readonly exposure: Exposure;
  /** all open answers, whatever is wanted; closed ones may be missing */
  readonly everything: Exposure;
  /** what the policy file wants; null without one, or where it says nothing of what is allowed */
  readonly intended: Intended | null;
  /** lines that set a forwarding keyword or another first-value keyword, with what is known of their effect */
  readonly lineUses: readonly LineUse[];
  /** forwarding that is meant to be open: `local` covers TCP and unix sockets outward, `remote` inward */
  readonly allowed: AllowedForwarding;
  /** the answer in which a connection lies; null where that is closed, or sshd has none for it */
  readonly at: (capability: Capability, connection: Connection) => Answer | null;
  /** the line that closes the capability for a connection; null where none does, or the default */
  readonly closing: (capability: Capability, connection: Connection) => Directive | null;
  /** what is open to an account, from wherever it comes, or from where its key lets in; null: it can log in from nowhere */
  readonly openTo: (
    account: Account,
    capabilities: readonly Capability[],
    from?: string | null,
  ) => readonly Answer[] | null;
  /** whether the configuration lets this connection log in at all */
  readonly login: (connection: Connection) => Answer["login"];
  /** null where no accounts of the target are known */
  readonly accounts: readonly Account[] | null;
  /** nobody but these may exist; null: anybody may */
  readonly world: readonly Account[] | null;
  /** what the target's tree tells beside the configuration; null where it is not a server's own */
  readonly facts: HostFacts | null;
  /** how a path inside the tree is shown to people */
  readonly shownAs: (path: string) => string;
  /** what is wrong with suppressions themselves; empty for a rule that is not late */
  readonly complaints: readonly Draft[];
}

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** who is affected and what decides; quotes the source, lower case, no full stop, one line */
  readonly message: string;
  readonly place: Place;
  /** what the excerpt's carets say: "a comment, it sets nothing" */
  readonly label: string;
  /** it is about owner and mode of what lies at this path of the tree; null: about a text */
  readonly permissionsOf: string | null;
  readonly related: readonly { readonly place: Place; readonly note: string }[];
  readonly witness: Connection | null;
  /** what the witness may do, in a client's options: "-L -D -W -J to any host and port" */
  readonly grant: string;
  readonly capability: Capability | null;
  readonly login: Answer["login"] | null;
  /** who may do what, complete where the message is cut short; empty: the finding is about no opening */
  readonly affected: readonly Affected[];
  /** further lines for people: what to do, what to keep in mind */
  readonly notes: readonly string[];
  readonly fix: Fix | null;
  /** what clients lose by the fix: "ssh -R: ports that listen on this server"; null: nothing known by name */
  readonly breaks: string | null;
}

export interface Affected extends Extent {
  readonly capability: Capability;
  /** capability, then destinations, or the addresses to listen on and how they are bound */
  readonly grant: string;
}

/** What a rule returns: its id, its usual severity and empty parts are filled in by `audit`. */
export type Draft = Pick<Finding, "message" | "place"> & Partial<Omit<Finding, "rule" | "breaks">>;
