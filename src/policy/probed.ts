/** What was seen beside what was predicted. */
import type { Attempt } from "./attempt.ts";
import type { Connection } from "./connection.ts";

/** One attempt as a real server answered it. */
export interface Observation {
  /** null: it could not be tried, or the machine lacks what it needs */
  readonly observed: "open" | "refused" | null;
  /** listen-tcp, listen-socks: the dialled addresses at which the listener answered, and all that could be dialled */
  readonly answeredAt: readonly string[];
  readonly dialled: readonly string[];
  /** for people; empty where there is nothing to say */
  readonly detail: string;
  /** "left-out": on a live server only what is harmless is tried */
  readonly why: "observed" | "needs" | "untried" | "no-login" | "left-out";
}

export interface ProbedAttempt {
  readonly connection: Connection;
  readonly attempt: Attempt;
  readonly observation: Observation;
}

/** Prediction and observation contradict each other. */
export function differs({ attempt, observation }: ProbedAttempt): boolean {
  const { observed, answeredAt, dialled } = observation;
  if (observed === null) return false;
  if (observed !== attempt.predicted) return true;
  if (observed === "refused" || attempt.listensAt === null) return false;
  const expected = attempt.listensAt.filter((address) => dialled.includes(address));
  return expected.join() !== dialled.filter((address) => answeredAt.includes(address)).join();
}
