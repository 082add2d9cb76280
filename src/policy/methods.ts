/**
 * Whether a connection is left with a way to authenticate (OpenSSH auth2.c authmethods, auth2_setup_methods_lists): where
 * none is, sshd lets nobody in, or ends the connection at once.
 */
import { atLeast } from "../../grammar/release.ts";
import { onceFor } from "../../grammar/remember.ts";
import type { Config } from "../config/config.ts";
import { METHOD_KEYWORDS, methodName } from "../config/other-lines.ts";

/** What turns a method on. */
export const SWITCHES: readonly string[] = [...new Set(Object.values(METHOD_KEYWORDS))];

/** Lists, each of which lets in, as what must be on for it; null: any method does. */
export function methodLists(values: readonly string[]): readonly (readonly string[])[] | null {
  if (values.length === 0 || values[0] === "any") return null;
  return values.map((list) => list.split(",").flatMap((item) => switchesOf(methodName(item))));
}

/** `none` is on for sshd when it looks at the lists, and lets nobody in but with an empty password (auth2-none.c). */
function switchesOf(method: string): readonly string[] {
  if (method === "none") return EMPTY_PASSWORD;
  const keyword = METHOD_KEYWORDS[method];
  return keyword === undefined ? [] : [keyword];
}

const EMPTY_PASSWORD = ["passwordauthentication", "permitemptypasswords"];

/**
 * Whether lines may leave somebody without a method. Up to 8.6 ChallengeResponseAuthentication turns one on, too, which
 * is not followed here.
 */
export const mayLackMethods: (config: Config) => boolean = onceFor(
  ({ directives, release }) =>
    atLeast(release, "8.7") &&
    directives.some(
      ({ keyword, values }) =>
        (keyword === "authenticationmethods" && methodLists(values ?? []) !== null) ||
        (keyword === "pubkeyauthentication" && values?.[0] === "no"),
    ),
);

export function isOn(values: readonly string[]): boolean {
  return values[0] === "yes";
}
