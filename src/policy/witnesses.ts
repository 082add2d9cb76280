/** Which connections a probe makes: each that a region's witness names, once. */
import type { Answer } from "./answer.ts";
import type { Connection } from "./connection.ts";

export function witnessesOf(answers: readonly Answer[]): readonly Connection[] {
  const byText = new Map<string, Connection>();
  for (const { witness } of answers) if (witness !== null) byText.set(keyOf(witness), witness);
  return [...byText.values()];
}

function keyOf(connection: Connection): string {
  return JSON.stringify(connection);
}
