/** One connection of a probe: what is tried on it, who logs in, and why nobody could. */
import { lowerAscii } from "../../grammar/ascii.ts";
import type { Release } from "../../grammar/release.ts";
import type { Config } from "../config/config.ts";
import type { Account, FileTree } from "../files/tree.ts";
import { accountTexts, OWN_DESTINATION } from "../forward/accounts.ts";
import type { AccountTexts, AttemptJob, ConnectionJob } from "../forward/job.ts";
import type { Answer } from "../policy/answer.ts";
import type { Attempt, ProbePlace } from "../policy/attempt.ts";
import { planAttempts } from "../policy/attempts.ts";
import type { Connection } from "../policy/connection.ts";
import { type Effective, evaluate, isAnswer, type NoAnswer } from "../policy/evaluate.ts";
import { keyOptionsOf } from "../policy/key-options.ts";
import { loginOf } from "../policy/login.ts";
import { whyNoLoginByKey } from "../policy/login-key.ts";

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

/** Whether AddressFamily lets sshd listen on that address. */
export function isListenedTo({ directives }: Config, address: string): boolean {
  const family = directives.find(({ keyword, atStart }) => keyword === "addressfamily" && atStart)
    ?.values?.[0];
  return family !== (address.includes(":") ? "inet" : "inet6");
}

export function isAddress(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text) || /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text);
}

export function planConnection(
  { config, answers, accounts, keyOptions }: Subject,
  connection: Connection,
  place: Omit<ProbePlace, "asRoot">,
): PlannedConnection {
  const known = accounts?.find(({ name }) => name === connection.user) ?? null;
  const isSandbox = place.kind === "sandbox";
  const asRoot = isSandbox && (connection.user === "root" || known?.uid === 0);
  const attempts = planAttempts(config, answers, connection, { ...place, asRoot }) ?? [];
  const effective = evaluate(config, connection);
  const setting = (keyword: string): string =>
    (isAnswer(effective) ? effective.get(keyword)?.values[0] : undefined) ?? "";
  return {
    connection,
    attempts,
    noLogin:
      whyNoLogin(config, isSandbox ? withOwnKey(effective) : effective, connection) ??
      whyNoKeyLogin(keyOptions, connection, config.release),
    job: {
      user: connection.user ?? "",
      from: connection.addr ?? "",
      to: { address: connection.laddr ?? "", port: connection.lport ?? 22 },
      ...(isSandbox
        ? inSandbox(connection, { known, attempts, chroot: setting("chrootdirectory") })
        : { accounts: null, chroot: "" }),
      xauth: setting("xauthlocation"),
      dialled: place.dialled,
      attempts: attempts.map(attemptJob),
    },
  };
}

/** The account is made for this connection, and so is its root folder. */
function inSandbox(
  connection: Connection,
  { known, attempts, chroot }: { known: Account | null; attempts: readonly Attempt[]; chroot: string },
): Pick<ConnectionJob, "accounts" | "chroot"> {
  const names = attempts.flatMap(({ request }) =>
    "host" in request && request.host !== "" && !isAddress(request.host) ? [request.host] : [],
  );
  const accounts = accountTexts(connection, known, names);
  return { accounts, chroot: chrootOf(chroot, connection.user ?? "", accounts) };
}

function attemptJob({ request, untried }: Attempt): AttemptJob {
  const isOwn = request.kind === "open-tcp" && isAddress(request.host);
  return { request, untried, listenAt: isOwn ? request.host : OWN_DESTINATION };
}

/** Its home as `~`, then tokens (session.c do_setusercontext; sshd_config(5), "TOKENS"); other ones end the session. */
function chrootOf(value: string, user: string, { home, uid }: AccountTexts): string {
  if (value === "" || lowerAscii(value) === "none") return "";
  const tokens: Readonly<Record<string, string>> = { "%": "%", h: home, u: user, U: String(uid) };
  const isOwn = value === "~" || value.startsWith("~/") || `${value}/`.startsWith(`~${user}/`);
  return (isOwn ? value.replace(/^~[^/]*/, home) : value).replace(
    /%(.)/g,
    (whole, token: string) => tokens[token] ?? whole,
  );
}

function whyNoKeyLogin(text: string, connection: Connection, release: Release): string | null {
  const read = keyOptionsOf(text);
  return "because" in read
    ? read.because
    : whyNoLoginByKey(read.options, { connection, release, now: Date.now() });
}

/** In a sandbox the probe's own key logs in, whatever methods the configuration takes. */
function withOwnKey(effective: Effective | NoAnswer): Effective | NoAnswer {
  if (!isAnswer(effective)) return effective;
  const own = new Map(effective);
  own.delete("authenticationmethods");
  const method = own.get("pubkeyauthentication");
  return method === undefined ? own : own.set("pubkeyauthentication", { ...method, values: ["yes"] });
}

function whyNoLogin(config: Config, effective: Effective | NoAnswer, connection: Connection): string | null {
  if (!isListenedTo(config, connection.laddr ?? ""))
    return "AddressFamily leaves out this address of the server";
  if (!isAnswer(effective)) return "sshd ends this connection when it reads its configuration for it";
  if (connection.groups === null || connection.invalidUser) return "this user does not exist here";
  const { login, because } = loginOf(effective, connection, config);
  return login === "impossible" ? because : null;
}
