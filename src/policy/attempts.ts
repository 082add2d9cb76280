/**
 * What a probe tries on one connection, and what the policy says will happen: every kind of forwarding, with
 * destinations and listen addresses that are allowed and that are not (semantics 7: measured on live sshds).
 */
import type { Config } from "../config/config.ts";
import type { Answer } from "./answer.ts";
import { type Attempt, attempt, type Planning, type ProbePlace, type TunMode } from "./attempt.ts";
import { CAPABILITIES, type Connection } from "./connection.ts";
import { evaluate, isAnswer } from "./evaluate.ts";
import { listenSocket, listenTcp } from "./listen-attempts.ts";
import { locate } from "./locate.ts";
import { openSocket, openTcp } from "./open-attempts.ts";

/** Null where sshd has no answer for the connection: it ends it. */
export function planAttempts(
  config: Config,
  answers: readonly Answer[],
  connection: Connection,
  place: ProbePlace,
): readonly Attempt[] | null {
  const effective = evaluate(config, connection);
  if (!isAnswer(effective)) return null;
  const values = (keyword: string): readonly string[] => effective.get(keyword)?.values ?? [];
  const planning: Planning = { place, release: config.release, connection, values };
  return CAPABILITIES.flatMap((capability) => {
    const answer = locate(config, answers, capability, connection);
    // what the search could not settle has no prediction; the exposure says that it is not complete
    return answer === null || answer.allowed === "unknown" ? [] : attemptsOf(planning, answer);
  });
}

function attemptsOf(planning: Planning, answer: Answer): readonly Attempt[] {
  switch (answer.capability) {
    case "tcp-local":
      return openTcp(planning, answer);
    case "tcp-remote":
      return listenTcp(planning, answer);
    case "unix-local":
      return openSocket(planning, answer);
    case "unix-remote":
      return [listenSocket(planning.place, answer)];
    case "tun":
      return tunnels(planning, answer);
    default:
      return [
        attempt(
          answer,
          { kind: answer.capability },
          answer.allowed === true &&
            planning.place.key[answer.capability === "x11" ? "x11Forwarding" : "agentForwarding"],
        ),
      ];
  }
}

const MODES: readonly TunMode[] = ["point-to-point", "ethernet"];

function tunnels({ place, values }: Planning, answer: Answer): readonly Attempt[] {
  const permitted = values("permittunnel")[0] ?? "no";
  const unit = place.key.tunnel;
  const isMadeForUser = place.kind === "sandbox" && (unit !== "any" || place.asRoot);
  const needs = isMadeForUser ? null : "a root login, or a tun device that belongs to the user";
  const untried = place.kind === "server" ? "it would make a device on the server" : null;
  return MODES.map((mode) => ({
    ...attempt(
      answer,
      { kind: "tun", mode, unit },
      answer.allowed === true && (permitted === "yes" || permitted === mode),
    ),
    needs,
    untried,
  }));
}
