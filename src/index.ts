/**
 * The library: the same answers as the command line, as data, synchronous over a tree of files. Nothing here prints,
 * exits or reads the environment.
 */
import { parseText, printText } from "../grammar/parser.ts";
import { NEWEST, type Release } from "../grammar/release.ts";
import type { GrammarProblem, Tree } from "../grammar/tree.ts";
import { decode, encode } from "./source/source.ts";

export { formatRelease, parseRelease, type Release } from "../grammar/release.ts";
export type { Line, Span, Token, Tree, Word } from "../grammar/tree.ts";
export { type CheckResult, checkConfig as check } from "./config/check.ts";
export type { Config, Directive, MatchBlock, Problem } from "./config/config.ts";
export { type LoadOptions, loadConfig } from "./config/load.ts";
export { folderTree } from "./files/folder.ts";
export type { FileTree } from "./files/tree.ts";
export type { Capability, Connection } from "./policy/connection.ts";
export { evaluate as effective } from "./policy/evaluate.ts";
export { readSpecifications } from "./policy/specification.ts";

/** Any bytes in, a tree and what sshd would refuse of its lines out; never throws. Default: the newest release. */
export function parse(
  bytes: Uint8Array,
  options: { readonly release?: Release } = {},
): { readonly tree: Tree; readonly problems: readonly GrammarProblem[] } {
  const tree = parseText(decode(bytes), options.release ?? NEWEST);
  return { tree, problems: tree.problems };
}

/** The bytes that were parsed. */
export function print(tree: Tree): Uint8Array {
  return encode(printText(tree));
}
