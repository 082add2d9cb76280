/** From a configuration to the job of a sandbox: which connections, what is tried on them, what it takes. */
import { randomUUID } from "node:crypto";
import type { Config } from "../config/config.ts";
import { ownOptions, type SandboxChange, sandboxFiles } from "../config/sandbox.ts";
import { accountsOf } from "../files/accounts.ts";
import type { Account, FileTree } from "../files/tree.ts";
import { accountTexts, OWN_DESTINATION } from "../forward/accounts.ts";
import type { ConnectionJob, Job, Listen } from "../forward/job.ts";
import type { Answer } from "../policy/answer.ts";
import type { Attempt, ProbePlace } from "../policy/attempt.ts";
import { planAttempts } from "../policy/attempts.ts";
import type { Connection } from "../policy/connection.ts";
import { type Effective, evaluate, isAnswer } from "../policy/evaluate.ts";
import { loginOf } from "../policy/login.ts";
import { readKeyOptions } from "../policy/login-key.ts";
import type { Target } from "./target.ts";

/** What is probed, and by which program. */
export interface Subject {
  readonly config: Config;
  readonly tree: FileTree;
  readonly answers: readonly Answer[];
  /** accounts that the target has; their shells and numbers are kept */
  readonly accounts: readonly Account[] | null;
  /** options in front of the probe's key, as authorized_keys has them; empty: none */
  readonly keyOptions: string;
}

/** One connection of the probe with its attempts; `noLogin`: why the configuration lets nobody in here. */
export interface PlannedConnection {
  readonly connection: Connection;
  readonly attempts: readonly Attempt[];
  readonly noLogin: string | null;
  readonly job: ConnectionJob;
}

export interface ProbePlan {
  readonly job: Job;
  readonly connections: readonly PlannedConnection[];
  readonly changes: readonly SandboxChange[];
}

/** Addresses beside loopback that the sandbox has for remote forwards (RFC 2544, RFC 5180: for tests only). */
const OUTSIDE = "198.18.0.1";
const OUTSIDE_6 = "2001:2::1";
const SANDBOX_DIALLED = ["127.0.0.1", "::1", OUTSIDE, OUTSIDE_6];
const FIRST_PORT = 20_000;

/** Whose shells and numbers are kept. */
export function knownAccounts(target: Target): readonly Account[] | null {
  return target.accounts ?? (target.live ? accountsOf(target.tree) : null);
}

/** Everything in namespaces: any account, address and port. */
export function planInSandbox(subject: Subject, connections: readonly Connection[], sshd: string): ProbePlan {
  const taken = new Set(connections.map(({ lport }) => lport ?? 22));
  let port = FIRST_PORT;
  let path = 0;
  const nextPort = (): number => {
    do port += 1;
    while (taken.has(port));
    return port;
  };
  const place: Omit<ProbePlace, "asRoot"> = {
    key: readKeyOptions(subject.keyOptions),
    kind: "sandbox",
    own: OWN_DESTINATION,
    dialled: SANDBOX_DIALLED,
    outside: OUTSIDE,
    nextPort,
    nextPath: () => `/tmp/probe-${++path}`,
    taken,
  };
  const planned = connections.map((connection) => planConnection(subject, connection, place));
  const folder = "/etc/ssh";
  const files = filesFor(subject, folder, "root");
  return {
    changes: files.changes,
    connections: planned,
    job: {
      kind: "root",
      sshd,
      keyOptions: subject.keyOptions,
      options: [...ownOptions(subject.config, ownFiles(folder, "root")), ...files.options],
      files: files.files,
      listen: wildcards(subject.config, taken),
      addresses: [
        ...new Set(planned.flatMap(({ connection, attempts }) => addressesOf(connection, attempts))),
      ],
      connections: planned.map(({ job }) => job),
    },
  };
}

/** On this machine's loopback, as the caller himself. `ports` are free now. */
export function planOnHost(
  subject: Subject,
  connections: readonly Connection[],
  {
    sshd,
    folder,
    ports,
  }: { readonly sshd: string; readonly folder: string; readonly ports: readonly number[] },
): ProbePlan {
  const free = [...ports];
  const place: Omit<ProbePlace, "asRoot"> = {
    key: readKeyOptions(subject.keyOptions),
    kind: "host",
    own: OWN_DESTINATION,
    dialled: ["127.0.0.1", "::1"],
    outside: null,
    nextPort: () => free.pop() ?? 0,
    nextPath: () => `/tmp/sshd-policy-probe-${randomUUID()}`,
    taken: new Set(connections.map(({ lport }) => lport ?? 0)),
  };
  const planned = connections.map((connection) => planConnection(subject, connection, place));
  const files = filesFor(subject, folder, "self");
  return {
    changes: files.changes,
    connections: planned,
    job: {
      kind: "self",
      sshd,
      keyOptions: subject.keyOptions,
      options: [...ownOptions(subject.config, ownFiles(folder, "self")), ...files.options],
      files: files.files,
      listen: distinctListens(planned.map(({ job }) => job.to)),
      addresses: [],
      connections: planned.map(({ job }) => job),
    },
  };
}

function distinctListens(listens: readonly Listen[]): readonly Listen[] {
  return [...new Map(listens.map((listen) => [`${listen.address} ${listen.port}`, listen])).values()];
}

function ownFiles(folder: string, kind: Job["kind"]): Parameters<typeof ownOptions>[1] {
  return {
    folder,
    hostKey: `${folder}/host_key`,
    authorizedKeys: `${folder}/authorized_keys`,
    asRoot: kind === "root",
  };
}

function filesFor(
  { config, tree }: Subject,
  folder: string,
  kind: Job["kind"],
): ReturnType<typeof sandboxFiles> {
  const realPathOf = (path: string): string => tree.stat(path)?.realPath ?? path;
  return sandboxFiles(config, { folder, asRoot: kind === "root", realPathOf });
}

/** sshd listens on all addresses of its family: with more than 16 of them it would not start. */
function wildcards({ directives }: Config, ports: ReadonlySet<number>): readonly Listen[] {
  const family =
    directives.find(({ keyword, atStart }) => keyword === "addressfamily" && atStart)?.values?.[0] ?? "any";
  const addresses = { inet: ["0.0.0.0"], inet6: ["::"] }[family] ?? ["0.0.0.0", "::"];
  return [...ports].flatMap((port) => addresses.map((address) => ({ address, port })));
}

function addressesOf({ addr, laddr }: Connection, attempts: readonly Attempt[]): string[] {
  const destinations = attempts.flatMap(({ request }) => (request.kind === "open-tcp" ? [request.host] : []));
  return [OUTSIDE, OUTSIDE_6, addr ?? "", laddr ?? "", ...destinations].filter(isAddress);
}

function isAddress(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text);
}

function planConnection(
  { config, answers, accounts }: Subject,
  connection: Connection,
  place: Omit<ProbePlace, "asRoot">,
): PlannedConnection {
  const known = accounts?.find(({ name }) => name === connection.user) ?? null;
  const effective = evaluate(config, connection);
  const asRoot = place.kind === "sandbox" && (connection.user === "root" || known?.uid === 0);
  const attempts = planAttempts(config, answers, connection, { ...place, asRoot }) ?? [];
  const names = attempts.flatMap(({ request }) =>
    "host" in request && request.host !== "" && !isAddress(request.host) ? [request.host] : [],
  );
  const accountsOfIt = place.kind === "sandbox" ? accountTexts(connection, known, names) : null;
  const settingOf = (keyword: string): string =>
    (isAnswer(effective) ? effective.get(keyword)?.values[0] : undefined) ?? "";
  return {
    connection,
    attempts,
    noLogin: whyNoLogin(config, effective, connection),
    job: {
      user: connection.user ?? "",
      from: connection.addr ?? "",
      to: { address: connection.laddr ?? "", port: connection.lport ?? 22 },
      accounts: accountsOfIt,
      chroot:
        place.kind === "sandbox"
          ? chrootOf(settingOf("chrootdirectory"), connection, accountsOfIt?.home ?? "")
          : "",
      xauth: settingOf("xauthlocation"),
      dialled: place.dialled,
      attempts: attempts.map(({ request, untried }) => ({
        request,
        untried,
        listenAt: request.kind === "open-tcp" && isAddress(request.host) ? request.host : OWN_DESTINATION,
      })),
    },
  };
}

/** Tokens of ChrootDirectory (sshd_config(5)): %%, %h, %u. */
function chrootOf(value: string, { user }: Connection, home: string): string {
  if (value === "" || value === "none") return "";
  return value.replace(/%([%hu])/g, (_, token: string) =>
    token === "h" ? home : token === "u" ? (user ?? "") : "%",
  );
}

function whyNoLogin(
  config: Config,
  effective: Effective | { kind: string },
  connection: Connection,
): string | null {
  if ("kind" in effective) return "sshd ends this connection when it reads its configuration for it";
  if (connection.groups === null || connection.invalidUser) return "this user does not exist here";
  const { login, because } = loginOf(effective, connection, config.release);
  return login === "impossible" ? because : null;
}
