/** A found case as it is kept: the tree, the connection, and what the real sshd said. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatRelease, type Release } from "../../grammar/release.ts";
import type { ServerTree } from "../sshd/server-tree.ts";
import type { Difference } from "./judge.ts";

export interface FuzzFixture {
  readonly release: string;
  readonly tree: ServerTree;
  readonly connection: string | null;
  /** `verdict`, `messages`, `answer`, or a keyword */
  readonly what: string;
  /** the first error line or `accepted` · what is printed · the reason without an answer · the printed values, one a line */
  readonly sshd: string;
}

export function fixtureOf(release: Release, { tree, connection, what, sshd }: Difference): FuzzFixture {
  return { release: formatRelease(release), tree, connection, what, sshd };
}

const FOLDER = join(import.meta.dirname, "../../fixtures/fuzz");

export function fuzzFixtures(): (FuzzFixture & { readonly name: string })[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ name, ...JSON.parse(readFileSync(join(FOLDER, name), "utf8")) }));
}
