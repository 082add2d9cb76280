/** What became of a live fix of which one step failed, and the table that shows it. */
import type { Outcome } from "../../src/host/transaction.ts";

export const FAULTS = ["error", "killed", "disk full", "read-only"] as const;
export type FaultName = (typeof FAULTS)[number];

/** One fault at one effect. */
export interface Row {
  /** the step of the transaction */
  readonly step: string;
  /** the effect, in words */
  readonly what: string;
  readonly fault: FaultName;
  /** "refused", "rolled-back" …; null: the process was killed */
  readonly outcome: Outcome["kind"] | null;
  /** "before", "after" or what is wrong, when the run has ended, with the disk as it is then */
  readonly state: string;
  /** the same after the disk is mended and the next run has recovered */
  readonly recovered: string;
  /** what is not cleaned up after that */
  readonly left: readonly string[];
  readonly whole: boolean;
}

export interface Campaign {
  readonly rows: readonly Row[];
  /** something wrong from outside, instead of a fault of one effect */
  readonly troubles: readonly Row[];
}

/** Two tables in Markdown. */
export function faultTables({ rows, troubles }: Campaign): string {
  const head = [
    "step",
    "what fails",
    "an error",
    "killed right after it",
    "disk full from there",
    "read-only from there",
  ];
  const places = new Map(rows.map(({ step, what }) => [`${step}\n${what}`, { step, what }]));
  const cells = [...places.values()].map(({ step, what }) => {
    const here = rows.filter((row) => row.step === step && row.what === what);
    return [step, what, ...FAULTS.map((fault) => outcomeText(here.filter((row) => row.fault === fault)))];
  });
  const outside = troubles.map((row) => [row.step, row.what, outcomeText([row])]);
  return `${table(head, cells)}\n${table(["step", "what is wrong", "outcome"], outside)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function outcomeText(rows: readonly Row[]): string {
  return [...new Set(rows.map(oneOutcome))].sort().join(" or ");
}

function oneOutcome({ outcome, state, recovered }: Row): string {
  const end = recovered === "after" ? "as planned" : recovered === "before" ? "as before" : recovered;
  if (outcome === null) return `${end}, by the next run`;
  if (state !== recovered) return `${end}, by the next run (exit code 4)`;
  return outcome === "rolled-back" ? `${end} (exit code 4)` : end;
}
