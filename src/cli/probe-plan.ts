/** From a configuration to the job of a sandbox: which connections, what is tried on them, what it takes. */
import type { Release } from "../../grammar/release.ts";
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
import { keyOptionsOf } from "../policy/key-options.ts";
import { loginOf } from "../policy/login.ts";
import { readKeyOptions, whyNoLoginByKey } from "../policy/login-key.ts";
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

/** Whose shells and numbers are kept. */
export function knownAccounts(target: Target): readonly Account[] | null {
  return target.accounts ?? (target.live ? accountsOf(target.tree) : null);
}

/** Which sshd is started where: src/cli/probe-ground.ts. */
export interface Ground {
  readonly place: Omit<ProbePlace, "asRoot" | "key">;
  /** of the configuration, as the sshd sees it */
  readonly folder: string;
  /** where it listens, so that all these connections can be made */
  readonly listen: (planned: readonly PlannedConnection[]) => readonly Listen[];
  /** what its loopback must have beside that of every machine */
  readonly addresses: (planned: readonly PlannedConnection[]) => readonly string[];
}

/** `sshd`: absolute path of the program. */
export function planProbe(
  subject: Subject,
  connections: readonly Connection[],
  { sshd, ground }: { readonly sshd: string; readonly ground: Ground },
): ProbePlan {
  const { config, keyOptions } = subject;
  const kind = ground.place.kind === "sandbox" ? "root" : "self";
  const place = { ...ground.place, key: readKeyOptions(keyOptions) };
  const planned = connections.map((connection) => planConnection(subject, connection, place));
  const { changes, files, options } = filesFor(subject, ground.folder, kind);
  return {
    changes,
    connections: planned,
    job: {
      kind,
      sshd,
      keyOptions,
      options: [...ownOptions(config, ownFiles(ground.folder, kind)), ...options],
      files,
      listen: ground.listen(planned),
      addresses: ground.addresses(planned),
      connections: planned.map(({ job }) => job),
    },
  };
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

/** Whether AddressFamily lets sshd listen on that address. */
export function isListenedTo({ directives }: Config, address: string): boolean {
  const family = directives.find(({ keyword, atStart }) => keyword === "addressfamily" && atStart)
    ?.values?.[0];
  return family !== (address.includes(":") ? "inet" : "inet6");
}

export function isAddress(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text);
}

function planConnection(
  { config, answers, accounts, keyOptions }: Subject,
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
    noLogin:
      whyNoLogin(config, effective, connection) ?? whyNoKeyLogin(keyOptions, connection, config.release),
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

function whyNoKeyLogin(text: string, connection: Connection, release: Release): string | null {
  const read = keyOptionsOf(text);
  return "because" in read
    ? read.because
    : whyNoLoginByKey(read.options, { connection, release, now: Date.now() });
}

function whyNoLogin(
  config: Config,
  effective: Effective | { kind: string },
  connection: Connection,
): string | null {
  if (!isListenedTo(config, connection.laddr ?? ""))
    return "AddressFamily leaves out this address of the server";
  if ("kind" in effective) return "sshd ends this connection when it reads its configuration for it";
  if (connection.groups === null || connection.invalidUser) return "this user does not exist here";
  const { login, because } = loginOf(effective, connection, config.release);
  return login === "impossible" ? because : null;
}
