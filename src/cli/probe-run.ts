/** Runs a probe of one configuration and compares what was seen with what the policy says. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/config.ts";
import type { SandboxChange } from "../config/sandbox.ts";
import { accountsOf } from "../files/accounts.ts";
import { folderTree } from "../files/folder.ts";
import type { Account, FileTree } from "../files/tree.ts";
import type { Report } from "../forward/job.ts";
import type { Answer } from "../policy/answer.ts";
import type { Connection } from "../policy/connection.ts";
import { exposure } from "../policy/exposure.ts";
import { locate } from "../policy/locate.ts";
import { differs, type Observation, type ProbedAttempt } from "../policy/probed.ts";
import { witnessesOf } from "../policy/witnesses.ts";
import { freePorts } from "./free-ports.ts";
import { NO_ACCOUNT, ownAccount } from "./own-account.ts";
import type { PlannedConnection, Subject } from "./probe-connection.ts";
import { inNamespaces, onLoopback } from "./probe-ground.ts";
import { type ProbePlan, planProbe } from "./probe-plan.ts";
import type { SshdProgram } from "./sshd-program.ts";

export interface ProbeOptions {
  readonly config: Config;
  readonly tree: FileTree;
  /** accounts of the target, where they are known */
  readonly accounts: readonly Account[] | null;
  /** who may exist; null: anybody */
  readonly world: readonly Account[] | null;
  /** options of the key that logs in, as in authorized_keys; empty: none */
  readonly keyOptions: string;
  readonly program: SshdProgram;
  /** the command that runs this program with the part inside the sandbox */
  readonly inside: readonly string[];
  readonly onEvent: (event: ProbeEvent) => void;
}

export type ProbeEvent =
  | { readonly event: "started"; readonly sshd: string }
  | { readonly event: "login"; readonly connection: Connection; readonly refused: string | null }
  | ({ readonly event: "attempt" } & ProbedAttempt);

export interface ProbeResult {
  readonly attempts: readonly ProbedAttempt[];
  readonly changes: readonly SandboxChange[];
  /** what could not be reproduced, for people; then the answer is not complete */
  readonly limits: readonly string[];
  /** why sshd, or the sandbox, did not start; null when it did */
  readonly failed: string | null;
}

/** Logins of one probe; more take minutes. */
const MOST_CONNECTIONS = 400;
const PORTS_FOR_A_CONNECTION = 24;

export async function probe(options: ProbeOptions): Promise<ProbeResult> {
  const { config, tree, accounts, world, keyOptions } = options;
  const found = exposure(config, { accounts: world });
  const subject: Subject = { config, tree, answers: found.answers, accounts, keyOptions };
  const { connections: witnesses, unreal } = witnessesOf(config, found.answers);
  const folder = `/tmp/sshd-policy-probe-${randomUUID()}`;
  const asRoot = process.getuid?.() === 0 && process.platform === "linux";
  const plan = asRoot
    ? planForAll(subject, witnesses.slice(0, MOST_CONNECTIONS), options.program.path)
    : await planForCaller(subject, witnesses, options.program.path, folder);
  if (plan === null) return { attempts: [], changes: [], limits: found.limits, failed: NO_ACCOUNT };
  const seen = await run(options, plan, folder);
  const limits = [
    ...found.limits,
    ...unreal.map((condition) => `${condition}: no connection has one end in IPv4 and the other in IPv6`),
    ...(witnesses.length > MOST_CONNECTIONS && asRoot
      ? [`${MOST_CONNECTIONS} of ${witnesses.length} witnesses are tried, the others are not`]
      : []),
    ...(asRoot ? [] : unreachedRegions(subject, plan.connections)),
  ];
  return { ...seen, changes: plan.changes, limits };
}

async function run(
  { program, inside, onEvent }: ProbeOptions,
  plan: ProbePlan,
  folder: string,
): Promise<Pick<ProbeResult, "attempts" | "failed">> {
  const { runSandbox } = await import("../forward/sandbox.ts");
  const attempts: ProbedAttempt[] = [];
  const push = (connection: PlannedConnection, index: number, observation: Observation): void => {
    const attempt = connection.attempts[index];
    if (attempt === undefined) return;
    const probed = {
      connection: connection.connection,
      attempt,
      observation: withNeeds(attempt, observation),
    };
    attempts.push(probed);
    onEvent({ event: "attempt", ...probed });
  };
  let failed: string | null = null;
  const onReport = (report: Report): void => {
    if (report.kind === "failed") failed = report.because;
    if (report.kind === "started") onEvent({ event: "started", sshd: report.sshd });
    if (report.kind !== "login" && report.kind !== "attempt") return;
    const connection = plan.connections[report.connection];
    if (connection === undefined) return;
    if (report.kind === "attempt") push(connection, report.attempt, report.observation);
    else {
      onEvent({ event: "login", connection: connection.connection, refused: report.refused });
      if (report.refused !== null) noteNoLogin(connection, report.refused, push);
    }
  };
  const ended = await runSandbox({ inside, base: program.root, folder, job: plan.job, onReport });
  return { attempts, failed: failed ?? ended };
}

/** Nobody gets in: foreseen, or something that the probe could not reproduce. */
function noteNoLogin(
  connection: PlannedConnection,
  refused: string,
  push: (connection: PlannedConnection, index: number, observation: Observation) => void,
): void {
  const { noLogin } = connection;
  for (const index of connection.attempts.keys())
    push(connection, index, {
      observed: null,
      answeredAt: [],
      dialled: [],
      detail: noLogin === null ? `no login: ${refused}` : `no login, as foreseen: ${noLogin}`,
      why: noLogin === null ? "untried" : "no-login",
    });
}

/** A refusal of what the policy grants is no difference where something else is missing. */
function withNeeds({ needs, predicted }: ProbedAttempt["attempt"], observation: Observation): Observation {
  const lacks = needs !== null && predicted === "open" && observation.observed === "refused";
  return lacks ? { ...observation, observed: null, why: "needs", detail: needs } : observation;
}

function planForAll(subject: Subject, witnesses: readonly Connection[], sshd: string): ProbePlan {
  return planProbe(subject, witnesses, { sshd, ground: inNamespaces(subject.config, witnesses) });
}

/** The caller himself on 127.0.0.0/8, and witnesses that are he. Null: he has no account. */
async function planForCaller(
  subject: Subject,
  witnesses: readonly Connection[],
  sshd: string,
  folder: string,
): Promise<ProbePlan | null> {
  const user = ownAccount()?.username;
  if (user === undefined) return null;
  const groups = accountsOf(folderTree("/"))?.find(({ name }) => name === user)?.groups ?? [];
  const own = witnesses.filter((witness) => canBe(witness, user, groups));
  const ports = await freePorts("127.0.0.1", PORTS_FOR_A_CONNECTION * (own.length + 1) + 1);
  const [lport = 0, ...others] = ports;
  const usual: Connection = {
    user,
    groups,
    host: "127.0.0.1",
    addr: "127.0.0.1",
    laddr: "127.0.0.1",
    lport,
    rdomain: "",
    invalidUser: false,
  };
  const connections = [usual, ...own];
  return planProbe(subject, connections, {
    sshd,
    ground: onLoopback(connections, { folder, ports: others }),
  });
}

function canBe(
  { user, groups, addr, laddr, lport, host }: Connection,
  self: string,
  own: readonly string[],
): boolean {
  const onLoopback = [addr, laddr].every((address) => /^127\.\d+\.\d+\.\d+$/.test(address ?? ""));
  const sameGroups = groups?.every((group) => own.includes(group)) === true;
  return user === self && sameGroups && onLoopback && host === addr && (lport ?? 0) >= 1024;
}

/** Regions in which no login was made: only root can make the accounts and addresses that they are about. */
function unreachedRegions(
  { config, answers }: Subject,
  connections: readonly PlannedConnection[],
): readonly string[] {
  const reached = new Set<Answer | null>();
  for (const { connection } of connections)
    for (const { capability } of answers) reached.add(locate(config, answers, capability, connection));
  const missed = new Set(answers.filter((answer) => !reached.has(answer)).map(({ condition }) => condition));
  return [...missed].map((condition) => `${condition}: only a probe that root runs can log in there`);
}

/** 0 as predicted, 1 a difference, 3 not complete. */
export function probeExitCode({ attempts, limits, failed }: ProbeResult): 0 | 1 | 3 {
  const incomplete = failed !== null || limits.length > 0 || attempts.some(isUntried);
  if (incomplete) return 3;
  return attempts.some(differs) ? 1 : 0;
}

function isUntried({ observation }: ProbedAttempt): boolean {
  return observation.why === "untried";
}
