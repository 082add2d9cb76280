/** What a probe saw beside what the policy says: a table for people, and JSON. */
import type { ChalkInstance } from "chalk";
import type { Request } from "../policy/attempt.ts";
import type { Capability, Connection } from "../policy/connection.ts";
import { differs, type ProbedAttempt } from "../policy/probed.ts";
import { formatSpecification } from "../policy/specification.ts";
import { CELL_COLUMNS } from "./exposure.ts";
import { connectionJson, jsonPieces, pathText } from "./json.ts";
import { counted, shellWord, visible } from "./text.ts";

export interface ProbeReport {
  /** the configuration as the user named it */
  readonly path: string;
  /** "OpenSSH 9.2p1 (/usr/sbin/sshd)", or the banner of a live server */
  readonly sshd: string;
  readonly attempts: readonly ProbedAttempt[];
  /** what the throw-away sshd has that the configuration has not, a sentence each */
  readonly changes: readonly string[];
  /** why the answer is not complete; empty where it is */
  readonly limits: readonly string[];
  /** what the prediction takes for granted, so that nothing else was tried */
  readonly assumptions: readonly string[];
}

export function probeJson({
  path,
  sshd,
  attempts,
  changes,
  limits,
  assumptions,
}: ProbeReport): Iterable<string> {
  return jsonPieces({
    version: 1,
    path: pathText(path),
    sshd,
    complete: limits.length === 0 && attempts.every(({ observation }) => observation.why !== "untried"),
    limits,
    assumptions,
    changes,
    attempts: attempts.map(attemptJson),
  });
}

/** Also the shape of an event. */
export function attemptJson(probed: ProbedAttempt): object {
  const { connection, attempt, observation } = probed;
  const { listensAt } = attempt;
  return {
    capability: attempt.capability,
    connection: connectionJson(connection),
    target: targetText(attempt.request),
    predicted: attempt.predicted,
    observed: observation.observed,
    ...(listensAt === null ? {} : { listensAt, answeredAt: observation.answeredAt }),
    differs: differs(probed),
    why: observation.why,
    detail: observation.detail,
  };
}

/** "db:5432", "*:9000", "/run/db.sock", "point-to-point"; empty where there is nothing to name. */
export function targetText(request: Request): string {
  switch (request.kind) {
    case "open-tcp":
      return `${bracketed(request.host)}:${request.port}`;
    case "listen-tcp":
    case "listen-socks":
      return `${request.host === "" ? "*" : bracketed(request.host)}:${request.port}`;
    case "open-socket":
    case "listen-socket":
      return request.path;
    case "tun":
      return request.mode;
    default:
      return "";
  }
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

const WIDTH = 13;

export function probeTable(report: ProbeReport, paint: ChalkInstance): string {
  const { path, sshd, attempts, changes, limits, assumptions } = report;
  const connections = byConnection(attempts);
  const columns = CELL_COLUMNS.filter(([capability]) =>
    attempts.some(({ attempt }) => attempt.capability === capability),
  );
  const names = [...connections.keys()];
  const width = Math.min(60, Math.max(0, ...names.map((name) => name.length)));
  const lines = [
    `${paint.bold(visible(path))}: what a real sshd does`,
    `${visible(sshd)}; ${counted(attempts.length, "attempt")} on ${counted(connections.size, "connection")}`,
    "",
    ...(attempts.length === 0
      ? []
      : [
          paint.dim(
            `  ${"".padEnd(width)}  ${columns.map(([, title]) => title.padEnd(WIDTH)).join("")}`.trimEnd(),
          ),
          ...[...connections].flatMap(([name, tried]) => rowLines(name, tried, { width, columns })),
          "",
        ]),
    ...differenceLines(attempts, paint),
    ...remarks(attempts, "needs", "not seen, it needs"),
    ...remarks(attempts, "no-login", "not tried"),
    ...remarks(attempts, "untried", "not tried"),
    ...remarks(attempts, "left-out", "left out"),
    ...limits.map((limit) => `not complete: ${visible(limit)}`),
    ...assumptions.map((assumption) => `taken for granted: ${visible(assumption)}`),
    ...changes.map((change) => paint.dim(`changed: ${visible(change)}`)),
    verdict(report),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function byConnection(attempts: readonly ProbedAttempt[]): ReadonlyMap<string, readonly ProbedAttempt[]> {
  const grouped = new Map<string, ProbedAttempt[]>();
  for (const probed of attempts) {
    const name = connectionText(probed.connection);
    const known = grouped.get(name);
    if (known === undefined) grouped.set(name, [probed]);
    else known.push(probed);
  }
  return grouped;
}

function connectionText(connection: Connection): string {
  const { user, groups, host, addr, laddr, lport } = connection;
  const members = groups === null || groups.length === 0 ? "" : ` (${groups.join(",")})`;
  const name = host === addr ? "" : ` (${host})`;
  return visible(`${user}${members} ${addr}${name} to ${laddr}:${lport}`);
}

interface Columns {
  readonly width: number;
  readonly columns: readonly (readonly [Capability, string])[];
}

/** A row, and below it which of several attempts were let through, where not all were. */
function rowLines(name: string, tried: readonly ProbedAttempt[], { width, columns }: Columns): string[] {
  const seen = columns.map(([capability, title]) => ({
    title,
    ...outcomes(tried.filter(({ attempt }) => attempt.capability === capability)),
  }));
  const row = seen.map((cell) => cellText(cell).padEnd(WIDTH - 1)).join(" ");
  const lines =
    name.length <= width
      ? [`  ${name.padEnd(width)}  ${row}`.trimEnd()]
      : [`  ${name}`, `  ${"".padEnd(width)}  ${row}`.trimEnd()];
  return [...lines, ...seen.flatMap(whichLines)];
}

/** Attempts of one kind that were answered. */
interface Outcomes {
  readonly open: readonly ProbedAttempt[];
  readonly refused: readonly ProbedAttempt[];
}

function outcomes(tried: readonly ProbedAttempt[]): Outcomes {
  const seen = (outcome: "open" | "refused"): readonly ProbedAttempt[] =>
    tried.filter(({ observation }) => observation.observed === outcome);
  return { open: seen("open"), refused: seen("refused") };
}

/** "open", "refused", "2 of 5 open", "-" where nothing was seen, with ! where the policy says otherwise. */
function cellText({ open, refused }: Outcomes): string {
  const all = [...open, ...refused];
  const mark = all.some(differs) ? " !" : "";
  if (all.length === 0) return "-";
  if (open.length === 0) return `refused${mark}`;
  return `${refused.length === 0 ? "open" : `${open.length} of ${all.length} open`}${mark}`;
}

const MOST_TARGETS = 4;

/** "TCP out  db:5432, 10.0.0.1:80"; where these are many, the refused ones if they are fewer. */
function whichLines({ title, open, refused }: Outcomes & { readonly title: string }): string[] {
  if (open.length === 0 || refused.length === 0) return [];
  const isShort = open.length <= Math.max(MOST_TARGETS, refused.length);
  const [word, named] = isShort ? ["", open] : ["all but ", refused];
  const targets = [...new Set(namesFirst(named.map(({ attempt }) => targetText(attempt.request))))];
  const more = targets.length > MOST_TARGETS ? ` and ${targets.length - MOST_TARGETS} more` : "";
  return [
    `      ${title.padEnd(WIDTH - 3)} ${word}${visible(targets.slice(0, MOST_TARGETS).join(", "))}${more}`,
  ];
}

/** Addresses and `*` say less, and many are the probe's own. */
function namesFirst(targets: readonly string[]): readonly string[] {
  const isName = (target: string): boolean => !/^[\d[*]/.test(target);
  return [...targets.filter(isName), ...targets.filter((target) => !isName(target))];
}

/** "tcp-local db:5432: predicted refused, seen open", with the addresses at which a listener must answer. */
export function differenceText({ attempt, observation }: ProbedAttempt): string {
  const at = attempt.listensAt === null ? "" : ` at ${attempt.listensAt.join(", ")}`;
  const target = targetText(attempt.request);
  return `${attempt.capability}${target === "" ? "" : ` ${visible(target)}`}: predicted ${attempt.predicted}${at}, seen ${observation.observed}`;
}

function differenceLines(attempts: readonly ProbedAttempt[], paint: ChalkInstance): string[] {
  return attempts
    .filter(differs)
    .flatMap((probed) => [
      `${paint.red("difference")}  ${differenceText(probed)}`,
      ...(probed.observation.detail === "" ? [] : [`            ${visible(probed.observation.detail)}`]),
      paint.dim(`            -C ${visible(shellWord(formatSpecification(probed.connection)))}`),
    ]);
}

/** Equal reasons are one line. */
function remarks(
  attempts: readonly ProbedAttempt[],
  why: ProbedAttempt["observation"]["why"],
  text: string,
): string[] {
  const byDetail = new Map<string, Set<string>>();
  for (const { attempt, connection, observation } of attempts) {
    if (observation.why !== why) continue;
    const key = `${attempt.capability} for ${connection.user}`;
    byDetail.set(observation.detail, (byDetail.get(observation.detail) ?? new Set()).add(key));
  }
  return [...byDetail].map(([detail, what]) => {
    const shown = [...what].slice(0, 3).join(", ");
    const more = what.size > 3 ? ` and ${what.size - 3} more` : "";
    return `${text}: ${visible(detail)} (${visible(shown)}${more})`;
  });
}

function verdict({ attempts }: ProbeReport): string {
  const seen = attempts.filter(({ observation }) => observation.observed !== null);
  const wrong = seen.filter(differs).length;
  if (seen.length === 0) return "nothing seen";
  return wrong === 0
    ? `${seen.length} seen, all as predicted`
    : `${seen.length} seen, ${wrong} not as predicted`;
}
