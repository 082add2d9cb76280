/** What all questions about one configuration share. */
import type { Config, Criterion } from "../config/config.ts";
import type { Account } from "../files/tree.ts";
import type { Connection } from "./connection.ts";
import { type Decision, decisions, effectiveLines, type KeywordLines, keywordLines } from "./deciders.ts";
import { makeReader, type Reader } from "./reader.ts";
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
  /** who decides the keyword inside the scope; `known`: a connection in it */
  decisionsOf(keyword: string, scope: Scope, known: Connection | null): readonly Decision[];
}

export function startReasoning(config: Config, options: ReasoningOptions = {}): Reasoning {
  const accounts = options.accounts ?? null;
  return reasonWith(
    makeSearcher([config], { accounts, namedHosts: usesDns(config) }, options.sets),
    config,
    accounts,
  );
}

/** With a searcher that knows the criteria of this configuration, and perhaps those of another one. */
export function reasonWith(
  searcher: Searcher,
  config: Config,
  accounts: readonly Account[] | null,
): Reasoning {
  const known = new Map<string, KeywordLines>();
  const everywhere = new Map<string, readonly Decision[]>();
  const linesOf = (keyword: string): KeywordLines => {
    const lines = known.get(keyword) ?? keywordLines(config, keyword, searcher);
    known.set(keyword, lines);
    return lines;
  };
  return {
    config,
    accounts,
    searcher,
    reader: makeReader(config),
    linesOf,
    decisionsOf: (keyword, scope, connection) => {
      if (scope !== searcher.everywhere) return decisions(searcher, linesOf(keyword), scope, connection);
      const found = everywhere.get(keyword) ?? decisions(searcher, linesOf(keyword), scope, connection);
      everywhere.set(keyword, found);
      return found;
    },
  };
}

/** Global only, first value wins; the default is no in every release from 7.4 on. */
export function usesDns(config: Config): boolean {
  const line = effectiveLines(config)
    .get("usedns")
    ?.find(({ atStart }) => atStart);
  return line?.values?.[0] === "yes";
}
