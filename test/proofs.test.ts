/** Whether somebody who is logged in could prove again who he is. */
import { expect, it } from "vitest";
import { evaluate, isAnswer } from "../src/policy/evaluate.ts";
import { whyNothingTaken } from "../src/policy/proofs.ts";
import { STRANGER } from "../src/policy/samples.ts";
import { configOf } from "./configurations.ts";

const KEY = { isRoot: false, mayHaveKey: true };
const NO_KEY = { isRoot: false, mayHaveKey: false };
const ROOT = { isRoot: true, mayHaveKey: false };
const NEITHER = "PasswordAuthentication no\nKbdInteractiveAuthentication no\n";
const NOTHING = "no key of that account is there, and nothing else is taken";

it.each([
  ["a key", NEITHER, KEY, null],
  ["a key that is taken no more", "PubkeyAuthentication no", KEY, "PubkeyAuthentication is no"],
  ["a password", "KbdInteractiveAuthentication no", NO_KEY, null],
  ["a password that PAM asks for", "PasswordAuthentication no", NO_KEY, null],
  ["a password that is taken no more", NEITHER, NO_KEY, NOTHING],
  ["root's password", "PermitRootLogin yes", ROOT, null],
  ["root's password that is taken no more", "PermitRootLogin prohibit-password", ROOT, NOTHING],
  ["another's beside it", "PermitRootLogin prohibit-password", NO_KEY, null],
  ["a password where a key is wanted, too", "AuthenticationMethods publickey,password", NO_KEY, NOTHING],
  ["a password where a key is another way", "AuthenticationMethods publickey password", NO_KEY, null],
  ["a certificate", `${NEITHER}TrustedUserCAKeys /etc/ssh/ca`, NO_KEY, null],
  ["a key that a program names", `${NEITHER}AuthorizedKeysCommand /bin/keys`, NO_KEY, null],
  ["a program whose name is none", `${NEITHER}AuthorizedKeysCommand NONE`, NO_KEY, NOTHING],
  ["a ticket", `${NEITHER}GSSAPIAuthentication yes`, NO_KEY, null],
])("counts what may be shown: %s", (_, text, prover, because) => {
  const effective = evaluate(configOf(text, "9.2+debian"), STRANGER);
  if (!isAnswer(effective)) throw new Error(effective.message);
  expect(whyNothingTaken(effective, prover)).toBe(because);
});
