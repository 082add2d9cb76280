/**
 * The plain reading for many connections and a few keywords: the same walk as `evaluate`, without the keywords and
 * blocks that are not asked for. Like it, it shares nothing with the search.
 */
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { atLeast } from "../../grammar/release.ts";
import type { Config, Directive, MatchBlock } from "../config/config.ts";
import type { Connection } from "./connection.ts";
import { criterionHolds, evaluate, isAnswer, takesMatch } from "./evaluate.ts";
import { chooseValues } from "./first-value.ts";

export interface ReadSetting {
  readonly values: readonly string[];
  /** the lines that give the values; empty: the default */
  readonly decidedBy: readonly Directive[];
}

export interface Reader {
  /** null: sshd has no answer for the connection, it ends it; or the keyword is unknown to the release */
  read(connection: Connection, keyword: string): ReadSetting | null;
}

export function makeReader(config: Config): Reader {
  // only these can end a connection in the second pass, and then the order of all lines counts
  const mayEnd = config.later.length > 0 || !atLeast(config.release, "8.4");
  return mayEnd ? fullReader(config) : quickReader(config);
}

function fullReader(config: Config): Reader {
  const known = new WeakMap<Connection, ReturnType<typeof evaluate>>();
  return {
    read: (connection, keyword) => {
      const effective = known.get(connection) ?? evaluate(config, connection);
      known.set(connection, effective);
      return isAnswer(effective) ? (effective.get(keyword) ?? null) : null;
    },
  };
}

function quickReader(config: Config): Reader {
  const byKeyword = new Map<string, Directive[]>();
  for (const directive of config.directives) {
    if (directive.values === null || directive.values.length === 0) continue;
    const lines = byKeyword.get(directive.keyword);
    if (lines === undefined) byKeyword.set(directive.keyword, [directive]);
    else lines.push(directive);
  }
  const asked = blocksOf(config);
  return {
    read: (connection, key) => {
      const { keyword } = lookUpKeyword(key, config.release);
      if (keyword == null) return null;
      const lines = byKeyword.get(key) ?? [];
      const firstOnly = keyword.sets === "first" || keyword.sets === "first-line";
      const matching: Directive[] = [];
      for (const line of takesMatch(keyword, config.release) ? lines : []) {
        if (line.guards.length === 0 || !line.guards.every((block) => asked(block, connection))) continue;
        matching.push(line);
        if (firstOnly) break;
      }
      const global = firstOnly && matching.length > 0 ? [] : lines.filter(({ atStart }) => atStart);
      return chooseValues(keyword, matching, global) ?? { values: keyword.defaults ?? [], decidedBy: [] };
    },
  };
}

/** Whether a block holds; remembered while the same connection is asked about. */
function blocksOf(config: Config): (block: MatchBlock, connection: Connection) => boolean {
  const marks = new Int32Array(config.matches.length);
  let current: Connection | null = null;
  let mark = 0;
  return (block, connection) => {
    if (current !== connection) {
      current = connection;
      mark += 2;
    }
    const known = marks[block.order];
    if (known === mark || known === mark + 1) return known === mark + 1;
    const holds =
      !block.lost &&
      block.criteria.length > 0 &&
      block.criteria.every((criterion) => criterionHolds(criterion, connection, config.release) === true);
    marks[block.order] = holds ? mark + 1 : mark;
    return holds;
  };
}
