/** What was seen of an attempt, in the shape that a probe reports. */
import type { Observation } from "../policy/probed.ts";
import type { Answered } from "./greeting.ts";

export function seen(observed: "open" | "refused", detail: string): Observation {
  return { observed, answeredAt: [], dialled: [], detail, why: "observed" };
}

export function untried(detail: string): Observation {
  return { observed: null, answeredAt: [], dialled: [], detail, why: "untried" };
}

/** A listener of the server's: where it answered. At an address where it said nothing in time nobody knows, as if none were there. */
export function openAt(
  { answeredAt, silentAt }: Answered,
  dialled: readonly string[],
  what: "it" | "its SOCKS listener",
): Observation {
  const silence = silentAt.length === 0 ? "" : `, and said nothing at ${silentAt.join(", ")} in time`;
  return {
    ...seen("open", `${what} answered at ${answeredAt.join(", ") || "no address"}${silence}`),
    answeredAt,
    dialled: dialled.filter((address) => !silentAt.includes(address)),
  };
}

/** A configuration's bytes (latin1) as text, which ssh2 and Node.js send as the same bytes; null where none is. */
export function inUtf8(bytes: string): string | null {
  const text = Buffer.from(bytes, "latin1").toString("utf8");
  return text.includes("\ufffd") ? null : text;
}

export const NOT_UTF8 = "its bytes are not UTF-8, which is all that can be sent here";

export function broken(error: unknown): Observation {
  return untried(`the SSH connection broke: ${textOf(error)}`);
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The connection itself failed: nothing was answered. */
export function isGone(error: unknown): boolean {
  return ["closed", "unreachable", "timeout", "protocol", null].includes(kindOf(error));
}

/** Not instanceof: each chunk of the release has the class for itself. */
export function kindOf(error: unknown): string | null {
  return error instanceof Error && "kind" in error && typeof error.kind === "string" ? error.kind : null;
}
