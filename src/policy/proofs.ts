/** Whether what somebody may have to show is taken: how he logged in nobody can see later. */
import { equalIgnoringCase } from "../../grammar/ascii.ts";
import type { Effective } from "./evaluate.ts";
import { isOn, methodLists, SWITCHES } from "./methods.ts";

export interface Prover {
  readonly isRoot: boolean;
  /** a file of authorized keys with something in it, or nobody knows */
  readonly mayHaveKey: boolean;
}

/** auth.c auth_root_allowed; without-password is the name of old */
const KEY_ALONE: ReadonlySet<string> = new Set([
  "prohibit-password",
  "without-password",
  "forced-commands-only",
]);
const BY_PASSWORD: ReadonlySet<string> = new Set(["passwordauthentication", "kbdinteractiveauthentication"]);

/** Null: something may be taken. A key is the usual way: where none is taken, passwords that are count for nothing. */
export function whyNothingTaken(effective: Effective, { isRoot, mayHaveKey }: Prover): string | null {
  const valuesOf = (keyword: string): readonly string[] => effective.get(keyword)?.values ?? [];
  if (!isOn(valuesOf("pubkeyauthentication"))) return "PubkeyAuthentication is no";
  // keys that stand in no file of his
  const elsewhere = ["authorizedkeyscommand", "trustedusercakeys"].some(
    (keyword) => !equalIgnoringCase(valuesOf(keyword)[0] ?? "none", "none"),
  );
  if (mayHaveKey || elsewhere) return null;
  const isKeyAlone = isRoot && KEY_ALONE.has(valuesOf("permitrootlogin")[0] ?? "");
  const taken = SWITCHES.filter(
    (keyword) =>
      keyword !== "pubkeyauthentication" &&
      isOn(valuesOf(keyword)) &&
      !(isKeyAlone && BY_PASSWORD.has(keyword)),
  );
  const lists = methodLists(valuesOf("authenticationmethods")) ?? taken.map((keyword) => [keyword]);
  return lists.some((list) => list.every((keyword) => taken.includes(keyword)))
    ? null
    : "no key of that account is there, and nothing else is taken";
}
