/** The recorded answers in fixtures/oracle, read as they stand. See its README for what they are. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../../fixtures/oracle");

export interface GeneratedCase {
  readonly id: string;
  readonly files: Readonly<Record<string, string>>;
  readonly connections: readonly string[];
  readonly answers: readonly GeneratedAnswer[];
}

export interface GeneratedAnswer {
  readonly releases: readonly string[];
  readonly accepted: boolean;
  readonly error?: string;
  readonly settings?: readonly Readonly<Record<string, string>>[];
}

export interface EdgeCase {
  readonly name: string;
  readonly config: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly connection: string;
  readonly options: readonly string[];
  readonly keyword: string;
  readonly answers: readonly EdgeAnswer[];
}

export interface EdgeAnswer {
  readonly releases: readonly string[];
  readonly exit: number;
  readonly value?: readonly string[];
  readonly stderr?: readonly string[];
}

export function generatedCases(): GeneratedCase[] {
  return readLines<GeneratedCase>("generated.jsonl");
}

export function edgeCases(): EdgeCase[] {
  return readLines<EdgeCase>("edge-cases.jsonl");
}

/** Printed values by release and keyword. */
export function recordedDefaults(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return JSON.parse(readFileSync(join(FOLDER, "defaults.json"), "utf8"));
}

function readLines<T>(name: string): T[] {
  const text = readFileSync(join(FOLDER, name), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** In generated.jsonl these are Debian's builds, without saying so. */
const DEBIAN_IN_GENERATED: readonly string[] = ["8.4", "9.2", "10.6"];

export function generatedRelease(recorded: string): string {
  return DEBIAN_IN_GENERATED.includes(recorded) ? `${recorded}+debian` : recorded;
}
