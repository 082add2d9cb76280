/** What all questions about one configuration share. */
import type { Config, Criterion } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Connection } from "./connection.ts";
import { type KeywordLines, keywordLines, type Partition, partition, usesDns } from "./deciders.ts";
import { type Endings, endingSets, endingsOf } from "./endings.ts";
import type { GuardSequence } from "./guard-sequence.ts";
import { type Admission, admissionOf, loginLists } from "./login-demand.ts";
import { type Reader, readerOf } from "./reader.ts";
import { makeSearcher, type Scope, type Searcher } from "./search.ts";

export interface ReasoningOptions {
  /** null: anybody may exist, with any groups (the default); else nobody but these */
  readonly accounts?: readonly Account[] | null;
  /** further sets of connections that questions are about */
  readonly sets?: readonly (readonly Criterion[])[];
}

export interface Reasoning {
  readonly config: Config;
  readonly accounts: readonly Account[] | null;
  readonly searcher: Searcher;
  readonly reader: Reader;
  linesOf(keyword: string): KeywordLines;
  /** empty: sshd serves all connections */
  readonly endings: readonly Endings[];
  admission(): Admission;
  /** who decides inside the scope; `known`: a connection in it. Keywords with lines in the same blocks share it. */
  partitionOf(lines: Pick<KeywordLines, "sequence">, scope: Scope, known: Connection | null): Partition;
}

/** The last one: a run asks several questions about one configuration after the other, of one account after the other, too. */
let last: Reasoning | null = null;

export function startReasoning(config: Config, options: ReasoningOptions = {}): Reasoning {
  const { accounts = null, sets = [] } = options;
  const known = sets.length === 0 && last?.config === config ? last : null;
  if (known !== null && known.accounts === accounts) return known;
  if (known === null) {
    const all = [...sets, ...endingSets(config), ...loginLists(config).sets];
    const searcher = makeSearcher([config], { accounts, namedHosts: usesDns(config) }, all);
    last = reasonWith(searcher, config, accounts);
  } else {
    // the criteria are the same, whoever exists
    const { linesOf, admission } = known;
    last = { ...reasonWith(known.searcher.among(accounts), config, accounts), linesOf, admission };
  }
  return last;
}

/** For the last question about a configuration: nothing is kept, which for a long file is a fifth of the memory. */
export function endReasoning(config: Config, options: ReasoningOptions = {}): Reasoning {
  const reasoning = startReasoning(config, options);
  last = null;
  return reasoning;
}

/** With a searcher that knows the criteria of this configuration, and perhaps those of another one. */
export function reasonWith(
  searcher: Searcher,
  config: Config,
  accounts: readonly Account[] | null,
): Reasoning {
  const known = new Map<string, KeywordLines>();
  const partitions = new Map<GuardSequence, Map<Scope, Partition>>();
  const linesOf = (keyword: string): KeywordLines => {
    const lines = known.get(keyword) ?? keywordLines(config, keyword, searcher);
    known.set(keyword, lines);
    return lines;
  };
  let admission: Admission | null = null;
  return {
    config,
    accounts,
    searcher,
    reader: readerOf(config),
    linesOf,
    endings: endingsOf(config, searcher),
    admission: () => {
      admission ??= admissionOf({ config, linesOf, searcher });
      return admission;
    },
    partitionOf: ({ sequence }, scope, connection) => {
      if (sequence.guards.length === 0) return partition(searcher, sequence, scope, connection);
      const byScope = partitions.get(sequence) ?? new Map<Scope, Partition>();
      partitions.set(sequence, byScope);
      const found = byScope.get(scope) ?? partition(searcher, sequence, scope, connection);
      byScope.set(scope, found);
      return found;
    },
  };
}
