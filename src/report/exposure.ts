/** Who may forward what: the regions as a table for people, and as JSON. */
import type { ChalkInstance } from "chalk";
import type { Answer, Decider, EndedPart, Exposure } from "../policy/answer.ts";
import type { Capability, Connection } from "../policy/connection.ts";
import { formatSpecification } from "../policy/specification.ts";
import { type Place, positionAt } from "../source/source.ts";
import { connectionJson, jsonPieces, pathText, writtenRecords } from "./json.ts";
import { type Judged, releaseWords } from "./judged.ts";
import { visible } from "./text.ts";

export interface ExposureReport {
  readonly targets: readonly ExposedTarget[];
}

export interface ExposedTarget extends Judged {
  readonly path: string;
  readonly exposure: Exposure;
  /** the answers to show, in order */
  readonly answers: readonly Answer[];
  /** what is said where there is none of them */
  readonly nothing: string;
  readonly connections: readonly LocatedConnection[];
}

/** A connection that was asked for, with the answer it lies in. */
export interface LocatedConnection {
  readonly connection: Connection;
  /** what nobody said of it: "it is in no group, as no group= was given"; null: nothing */
  readonly assumed: string | null;
  readonly login: Pick<Answer, "login" | "loginBecause">;
  readonly answers: ReadonlyMap<Capability, Answer | null>;
}

export function exposureJson({ targets }: ExposureReport): Iterable<string> {
  return jsonPieces({ version: 1, targets: targets.map(targetJson) });
}

function targetJson(target: ExposedTarget): object {
  const { openssh, opensshSource, accounts, exposure, answers } = target;
  return {
    path: pathText(target.path),
    openssh,
    opensshSource,
    accounts,
    complete: exposure.complete,
    limits: exposure.limits,
    assumptions: exposure.assumptions,
    regions: writtenRecords(answers, makeAnswerWriter()),
    ended: exposure.ended.map(endedJson),
    connections: target.connections.map((located) => ({
      connection: connectionJson(located.connection),
      assumed: located.assumed,
      ...located.login,
      capabilities: Object.fromEntries(
        [...located.answers].map(([capability, answer]) => [capability, indexOf(answers, answer)]),
      ),
    })),
  };
}

function endedJson({ condition, because, place: { source, start }, witness }: EndedPart): object {
  const shown = witness === null ? null : connectionJson(witness);
  return {
    ...{ condition, because, file: pathText(source.path), line: positionAt(source, start).line },
    witness: shown,
  };
}

/** Index of its region, null where it is not among those shown. */
function indexOf(answers: readonly Answer[], answer: Answer | null): number | null {
  const index = answer === null ? -1 : answers.indexOf(answer);
  return index === -1 ? null : index;
}

/** Several capabilities share witnesses, lists and the lines that decide: what is written of those is kept. */
function makeAnswerWriter(): (answer: Answer) => string {
  const writeWitness = writtenOnce(connectionJson);
  const writeDecider = writtenOnce(deciderJson);
  const writeList = writtenOnce((list: readonly string[]) => list);
  return (answer) => {
    const { witness, destinations, needs, decidedBy } = answer;
    const found = witness === null ? "null" : writeWitness(witness);
    const lines = decidedBy.map(writeDecider).join();
    return `${allowedText(answer)},"destinations":${writeList(destinations)}${listenText(answer)},"witness":${found},${loginText(answer)},"needs":${writeList(needs)},"decidedBy":[${lines}]}`;
  };
}

function writtenOnce<Part extends object>(toJson: (part: Part) => object): (part: Part) => string {
  const written = new Map<Part, string>();
  return (part) => {
    const known = written.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(toJson(part));
    written.set(part, text);
    return text;
  };
}

function allowedText({ capability, allowed, unknownBecause, condition }: Answer): string {
  const unknown = unknownBecause === null ? "" : `,"unknownBecause":${JSON.stringify(unknownBecause)}`;
  const text = allowed === "unknown" ? '"unknown"' : String(allowed);
  return `{"capability":"${capability}","allowed":${text}${unknown},"condition":${JSON.stringify(condition)}`;
}

function listenText({ listen }: Answer): string {
  if (listen === null) return "";
  const { addresses, bind, privilegedPorts } = listen;
  return `,"listenAddresses":${JSON.stringify(addresses)},"bind":"${bind}","privilegedPorts":"${privilegedPorts}"`;
}

function loginText({ login, loginBecause }: Answer): string {
  return `"login":"${login}","loginBecause":${JSON.stringify(loginBecause)}`;
}

/** A line of the file, an option of the command line, or the default. */
export function deciderJson({ keyword, value, directive }: Decider): object {
  if (directive === null) return { keyword, value, default: true };
  const { source, start } = directive.place;
  return { keyword, value, file: pathText(source.path), line: positionAt(source, start).line };
}

/** One line for each answer, for grep: "FILE: tcp-local: user bob: any: sshd_config:13 AllowTcpForwarding yes". */
export function exposureLines({ targets }: ExposureReport): string {
  return targets
    .flatMap(({ path, answers, connections, exposure }) => [
      ...answers.map((answer) => lineOf(path, visible(answer.condition), answer)),
      ...exposure.ended.map((part) => `${visible(path)}: ended: ${endedText(part)}`),
      ...connections.flatMap((asked) => locatedLines(path, asked)),
      ...exposure.limits.map((limit) => `${visible(path)}: not complete: ${visible(limit)}`),
    ])
    .map((line) => `${line}\n`)
    .join("");
}

function endedText({ condition, because, place }: EndedPart): string {
  return visible(`${condition}: ${because} (${lineName(place)})`);
}

/** Whether the connection may log in at all, then what it may do. */
function locatedLines(path: string, { connection, assumed, login, answers }: LocatedConnection): string[] {
  const who = visible(formatSpecification(connection));
  const because = login.loginBecause === "" ? "" : `: ${visible(login.loginBecause)}`;
  return [
    ...(assumed === null ? [] : [`${visible(path)}: assumed: ${who}: ${assumed}`]),
    `${visible(path)}: login: ${who}: ${LOGIN_CELL[login.login]}${because}`,
    ...[...answers.values()].flatMap((answer) => (answer === null ? [] : [lineOf(path, who, answer)])),
  ];
}

const LOGIN_CELL = { possible: "yes", impossible: "-", unknown: "?" } as const;

function lineOf(path: string, who: string, answer: Answer): string {
  return `${visible(path)}: ${answer.capability}: ${who}: ${visible(cellText(answer))}: ${becauseText(answer)}`;
}

export const CELL_COLUMNS: readonly (readonly [Capability, string])[] = [
  ["tcp-local", "TCP out"],
  ["tcp-remote", "TCP in"],
  ["unix-local", "socket out"],
  ["unix-remote", "socket in"],
  ["tun", "tun"],
  ["x11", "X11"],
  ["agent", "agent"],
];
const LEAST_WIDTH = 10;
/** A longer list of destinations runs over its column. */
const MOST_WIDTH = 20;

export function exposureTable({ targets }: ExposureReport, paint: ChalkInstance): string {
  return targets.map((target) => tableOf(target, paint)).join("\n");
}

function tableOf(target: ExposedTarget, paint: ChalkInstance): string {
  const complete = target.exposure.complete ? "complete" : "NOT complete";
  const lines = [
    `${paint.bold(visible(target.path))}: who can forward`,
    visible(`judged as ${releaseWords(target)}; ${complete}; ${target.accounts}`),
    "",
  ];
  const shown = CELL_COLUMNS.filter(([capability]) =>
    target.answers.some((answer) => answer.capability === capability),
  );
  const rows = rowsOf(target.answers);
  const numbered = rows.map(([condition], index) => `${index + 1} ${visible(condition)}`);
  if (target.answers.length === 0) lines.push(`  ${visible(target.nothing)}`);
  else {
    const widths = shown.map(([capability]) => widthOf(target.answers, capability));
    const width = Math.min(44, longest(numbered));
    lines.push(
      paint.dim(
        `  ${"".padEnd(width)}  ${shown.map(([, title], index) => title.padEnd(widths[index] ?? LEAST_WIDTH)).join(" ")}`.trimEnd(),
      ),
    );
    for (const [index, [, answers]] of rows.entries())
      lines.push(...rowLines(answers, numbered[index] ?? "", { width, widths, shown }));
    const marks = legend(target.answers);
    lines.push("", ...(marks.length === 0 ? [] : [paint.dim(`  ${marks.join("; ")}`), ""]));
    for (const reason of reasons(rows, paint)) lines.push(reason);
  }
  for (const part of target.exposure.ended) lines.push(`  sshd ends the connections of ${endedText(part)}`);
  lines.push(...located(target));
  for (const limit of target.exposure.limits) lines.push(`not complete: ${visible(limit)}`);
  for (const assumption of target.exposure.assumptions)
    lines.push(paint.dim(`assumed: ${visible(assumption)}`));
  return lines.map((line) => `${line}\n`).join("");
}

/** A condition with its answers. */
type Row = readonly [string, readonly Answer[]];

export function rowsOf(answers: readonly Answer[]): readonly Row[] {
  const rows = new Map<string, Answer[]>();
  for (const answer of answers) {
    const row = rows.get(answer.condition);
    if (row === undefined) rows.set(answer.condition, [answer]);
    else row.push(answer);
  }
  return [...rows];
}

/** Not Math.max(...): its arguments lie on the stack, and a long file has more rows than fit there. */
function longest(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => Math.max(most, length), 0);
}

function widthOf(answers: readonly Answer[], capability: Capability): number {
  const cells = answers
    .filter((answer) => answer.capability === capability)
    .map((answer) => visible(cellText(answer)));
  return Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, longest(cells)));
}

/** What the marks mean that stand in a map of these answers, a sentence each. */
export function legend(answers: readonly Answer[]): string[] {
  const open = answers.filter(({ allowed }) => allowed !== false);
  const binds = new Set(open.flatMap(({ listen }) => (listen === null ? [] : [listen.bind])));
  return [
    binds.has("loopback") ? "(lo) listens on loopback alone" : "",
    binds.has("wildcard") ? "(all) listens on all addresses" : "",
    binds.has("client") ? "(any) listens where the client asks" : "",
    open.some(({ login }) => login === "impossible") ? "! nobody of them can log in" : "",
    open.some(({ allowed }) => allowed === "unknown") ? "? not settled, counts as open" : "",
    rowsOf(answers).length > 1
      ? `empty: ${open.length === answers.length ? "closed, or " : ""}another row says it`
      : "",
  ].filter((mark) => mark !== "");
}

interface Columns {
  readonly width: number;
  readonly widths: readonly number[];
  readonly shown: readonly (readonly [Capability, string])[];
}

/** An empty cell: another row says it. */
function rowLines(inRow: readonly Answer[], text: string, { width, widths, shown }: Columns): string[] {
  const cells = shown.map(([capability], index) => {
    const cell = inRow.filter((answer) => answer.capability === capability).map(cellText);
    return (cell.length === 0 ? "" : visible(cell.join(" "))).padEnd(widths[index] ?? LEAST_WIDTH);
  });
  if (text.length <= width) return [`  ${text.padEnd(width)}  ${cells.join(" ")}`.trimEnd()];
  return [`  ${text}`, `  ${"".padEnd(width)}  ${cells.join(" ")}`.trimEnd()];
}

const BIND_MARK = { loopback: " (lo)", wildcard: " (all)", client: " (any)" } as const;

/** What a cell of the map says: "any", "db:5432", "any (lo)", "-", with ? for unknown and ! where nobody can log in. */
export function cellText(answer: Answer): string {
  if (answer.allowed === false) return "-";
  const mark = answer.allowed === "unknown" ? "?" : "";
  const login = answer.login === "impossible" ? "!" : "";
  if (answer.listen !== null) {
    const addresses = answer.listen.addresses.includes("*:*") ? "any" : answer.listen.addresses.join(",");
    return `${addresses}${BIND_MARK[answer.listen.bind]}${mark}${login}`;
  }
  const everything =
    answer.destinations.length === 0 || answer.destinations.some((item) => item === "*:*" || item === "*");
  const hasTargets = answer.capability === "tcp-local" || answer.capability.startsWith("unix");
  return `${hasTargets ? (everything ? "any" : answer.destinations.join(",")) : "yes"}${mark}${login}`;
}

/** Why the open answers of each row are open; those with the same reason share a line. */
function reasons(rows: readonly Row[], paint: ChalkInstance): string[] {
  return rows.flatMap(([, answers], index) => {
    const open = answers.filter(({ allowed }) => allowed !== false);
    const byReason = new Map<string, Capability[]>();
    for (const answer of open) {
      const because = becauseText(answer);
      byReason.set(because, [...(byReason.get(because) ?? []), answer.capability]);
    }
    return [...byReason].map(
      ([because, capabilities]) =>
        `  ${index + 1} ${capabilities.join(", ")} ${paint.dim("because of")} ${because}`,
    );
  });
}

/** What opens or closes, a line or the default, and the lines that limit. */
export function becauseText({ decidedBy, login, loginBecause }: Answer): string {
  const shown = decidedBy.filter(({ directive }, index) => index === 0 || directive !== null);
  const text = shown.map(deciderText).join(", ");
  return login === "impossible" ? `${text} (nobody of them can log in: ${visible(loginBecause)})` : text;
}

/** "sshd_config:88 AllowTcpForwarding yes", or that it is the default. */
export function deciderText({ keyword, value, directive }: Decider): string {
  if (directive === null) return `${keyword} ${visible(value)} (default)`;
  const where = directive.origin === "option" ? "-o" : lineName(directive.place);
  return visible(`${where} ${directive.line.keyword.value} ${value}`);
}

function lineName({ source, start }: Place): string {
  return `${source.path.slice(source.path.lastIndexOf("/") + 1)}:${positionAt(source, start).line}`;
}

const NO_LOGIN = { impossible: "cannot log in", unknown: "can perhaps not log in" } as const;

function located({ connections }: ExposedTarget): string[] {
  return connections.flatMap(({ connection, assumed, login, answers }) => [
    "",
    `  user=${visible(connection.user ?? "")} from ${visible(connection.addr ?? "anywhere")}:`,
    ...(assumed === null ? [] : [`    assumed: ${assumed}`]),
    ...(login.login === "possible" ? [] : [`    ${NO_LOGIN[login.login]}: ${visible(login.loginBecause)}`]),
    ...capabilityLines([...answers.values()].filter((answer) => answer !== null)),
  ]);
}

function capabilityLines(answers: readonly Answer[]): string[] {
  const cells = answers.map((answer) => visible(cellText(answer)));
  const width = Math.min(MOST_WIDTH, longest(cells));
  return answers.map(
    (answer, index) =>
      `    ${answer.capability.padEnd(12)} ${(cells[index] ?? "").padEnd(width)}  ${becauseText(answer)}`,
  );
}
