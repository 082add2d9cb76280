/** Can somebody in a set of connections log in? The witness first, then the search. */
import type { Connection } from "./connection.ts";
import { allOf } from "./demand.ts";
import { type LoginAnswer, loginThrough, POSSIBLE, refusalThrough, refusesLogins } from "./login.ts";
import type { Reasoning } from "./reasoning.ts";
import { type Scope, type Searcher, search } from "./search.ts";
import { NOT_CARRIED } from "./worlds.ts";

/** Asks for a scope: can somebody in it log in? `witness` lies in it. */
export type LoginQuestion = (scope: Scope, witness: Connection | null) => LoginAnswer;

export function makeLoginQuestion(reasoning: Reasoning): LoginQuestion {
  const { config } = reasoning;
  const isFree = !refusesLogins(config);
  let searcher: Searcher | null = null;

  function ask(scope: Scope, witness: Connection): LoginAnswer {
    const refusal = refusalThrough(config, witness);
    if (refusal === null) return POSSIBLE;
    searcher ??= searcherOf(reasoning);
    const { exists, user, groups } = reasoning.admission();
    const found = search(searcher, scope, allOf(exists, user, groups));
    if (found.kind === "none") return { login: "impossible", because: refusal.because };
    // Invariant: whoever is said to log in may by the plain reading, too, which knows what ends a connection
    const isConfirmed = found.kind === "witness" && loginThrough(config, found.connection) === "possible";
    if (isConfirmed) return possibleFor(found.connection);
    const others = "whether others in this region may log in could not be settled";
    return { login: "unknown", because: `${refusal.because}; ${others}` };
  }

  const answered = new Map<Scope, { readonly answer: LoginAnswer; readonly witness: Connection }>();
  return (scope, witness) => {
    if (witness === null) return { login: "unknown", because: "no connection of this region is known" };
    if (isFree && !witness.invalidUser) return POSSIBLE;
    const known = answered.get(scope);
    if (known === undefined) {
      const answer = ask(scope, witness);
      answered.set(scope, { answer, witness });
      return answer;
    }
    // several regions have the same scope, and each its own witness
    const isAboutOther = known.answer === POSSIBLE && known.witness !== witness;
    return isAboutOther && refusalThrough(config, witness) !== null
      ? possibleFor(known.witness)
      : known.answer;
  };
}

/** With an effort of its own: what lists cost is not taken from the answers themselves. A list may have thousands of names. */
function searcherOf({ accounts, searcher }: Reasoning): Searcher {
  return { ...searcher.among(accounts), budget: { stepsPerQuestion: 20_000, stepsLeft: 200_000 } };
}

function possibleFor(person: Connection): LoginAnswer {
  const names = [person.user ?? "", ...(person.groups ?? [])];
  const isCarried = !names.some((name) => NOT_CARRIED.test(name));
  const because = `${person.user} may log in`;
  return { login: "possible", because, ...(isCarried ? { admitted: person } : {}) };
}
