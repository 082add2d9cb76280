/** Our reading of a tree, in the shape in which a real sshd answers. */
import { parseRelease, type Release } from "../../grammar/release.ts";
import { checkConfig } from "../../src/config/check.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Connection } from "../../src/policy/connection.ts";
import { type EvaluateOptions, evaluate, isAnswer } from "../../src/policy/evaluate.ts";
import { readSpecifications } from "../../src/policy/specification.ts";
import { withGroups } from "./accounts.ts";
import { memoryTree, optionsOf, type ServerTree } from "./server-tree.ts";

export const MAIN_FILE = "/etc/ssh/sshd_config";

export interface Verdict {
  readonly accepted: boolean;
  /** sshd's own first error line; null when accepted */
  readonly error: string | null;
}

/** Printed items by lower-case keyword, or why there is no answer. */
export type Settings = ReadonlyMap<string, readonly string[]> | { readonly error: string };

export function release(spec: string): Release {
  const found = parseRelease(spec);
  if (found === null) throw new Error(`no release: ${spec}`);
  return found;
}

export function load(
  tree: ServerTree,
  of: Release,
  commandLine: readonly string[] = optionsOf(tree),
): Config {
  return loadConfig(memoryTree(tree), MAIN_FILE, { release: of, commandLine });
}

export function verdictOf(config: Config): Verdict {
  const { accepted, errors } = checkConfig(config);
  return { accepted, error: errors[0]?.sshdText ?? null };
}

/** The connection of a `-C` text, with the test accounts. */
export function connectionOf(specification: string): Connection {
  const connection = readSpecifications([specification]);
  if ("error" in connection) throw new Error(connection.error);
  return withGroups(connection);
}

export function settingsOf(config: Config, connection: Connection, options: EvaluateOptions = {}): Settings {
  const effective = evaluate(config, connection, options);
  if (!isAnswer(effective)) return { error: effective.message };
  const printed = new Map<string, readonly string[]>();
  for (const [key, { keyword, values }] of effective) {
    if (keyword.print === "line") printed.set(key, values.length === 0 ? [] : [values.join(" ")]);
    else if (keyword.print === "each") printed.set(key, values);
  }
  return printed;
}
