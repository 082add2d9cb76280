/** Why SSH did not do what was asked. */
import { getSystemErrorMap } from "node:util";
import { showEndpoint } from "./specification.ts";

export type FailureKind =
  /** the command line, ~/.ssh/config or known_hosts say what cannot be done: nothing was connected */
  | "configuration"
  /** no TCP connection, or it broke */
  | "unreachable"
  | "timeout"
  /** the other side does not speak SSH as RFC 4253 and 4254 want it, or speaks nothing that we do */
  | "protocol"
  | "host-key"
  | "authentication"
  /** reasons of SSH_MSG_CHANNEL_OPEN_FAILURE (RFC 4254, section 5.1), in their order */
  | "prohibited"
  | "connect-failed"
  | "unknown-type"
  | "resources"
  /** SSH_MSG_REQUEST_FAILURE or SSH_MSG_CHANNEL_FAILURE: no reason is ever given */
  | "request-refused"
  /** the connection ended while the answer was awaited */
  | "closed";

/** The one kind of error that this folder's promises reject with. */
export class SshFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.name = "SshFailure";
    this.kind = kind;
  }
}

const OPEN_FAILURES: readonly FailureKind[] = ["prohibited", "connect-failed", "unknown-type", "resources"];

/** `error` is what ssh2 gives to the callback of a channel that did not open: `reason` is the code on the wire. */
export function openFailure(error: Error): SshFailure {
  const reason = "reason" in error && typeof error.reason === "number" ? error.reason : 0;
  const kind = OPEN_FAILURES[reason - 1] ?? "closed";
  const message = error.message.replace(/^\(SSH\) Channel open failure: /, "");
  // what sshd says of it names no reason: "open failed"
  return new SshFailure(kind, kind === "prohibited" ? `administratively prohibited: ${message}` : message);
}

/** Anything thrown, as a failure of that kind. */
export function asFailure(kind: FailureKind, error: unknown): SshFailure {
  if (error instanceof SshFailure) return error;
  return new SshFailure(kind, messageOf(error));
}

/** With several addresses Node gives one error for each, and no message. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return (error.errors as readonly unknown[]).map(messageOf).join(", ");
  if (!(error instanceof Error)) return String(error);
  return isSystemError(error) ? inWords(error) : error.message;
}

type SystemError = Error & Readonly<Record<"errno" | "code" | "syscall", unknown>>;

function isSystemError(error: Error): error is SystemError {
  return "errno" in error && "code" in error && "syscall" in error;
}

/** "127.0.0.1:1: connection refused" for Node's "connect ECONNREFUSED 127.0.0.1:1" */
function inWords(error: SystemError): string {
  const { address, port, path, hostname } = { address: "", port: 0, path: "", hostname: "", ...error };
  const words = wordsOf(error);
  const place =
    address !== "" && port > 0 ? showEndpoint({ host: address, port }) : address || path || hostname;
  return place === "" ? words : `${place}: ${words}`;
}

function wordsOf(error: SystemError): string {
  const known = typeof error.errno === "number" ? getSystemErrorMap().get(error.errno) : undefined;
  // EAI_NONAME, of which the C library says "Name or service not known"
  return error.code === "ENOTFOUND" ? "no such host" : (known?.[1] ?? error.message);
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, "ENOENT");
}

/** It was to be read as a file. */
export function isFolder(error: unknown): boolean {
  return hasCode(error, "EISDIR");
}

/** Who writes to what was opened without blocking has nothing to say for now. */
export function isNotYet(error: unknown): boolean {
  return hasCode(error, "EAGAIN");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** "permission denied": of a file that the caller names; Node.js itself forgets it where the reading fails. */
export function systemWords(error: unknown): string {
  return error instanceof Error && isSystemError(error) ? wordsOf(error) : messageOf(error);
}
