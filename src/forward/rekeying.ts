/**
 * What a server may say beside a later key exchange: SSH_MSG_IGNORE, UNIMPLEMENTED and DEBUG (RFC 4253, section 7.1). Strict
 * key exchange forbids them in the first one alone (OpenSSH's PROTOCOL, section 1.10); ssh2 breaks off in all.
 */
import type { Decipher } from "./protocol.ts";

const IDLE_TALK: ReadonlySet<number | undefined> = new Set([2, 3, 4]);
const eased = new WeakSet<Decipher>();

/** For each decipher of a session; ssh2 puts another listener in at the start of an exchange, maybe in mid-chunk. */
export function allowTalkWhileRekeying(decipher: Decipher): void {
  if (eased.has(decipher)) return;
  eased.add(decipher);
  let listener = decipher._onPayload;
  Object.defineProperty(decipher, "_onPayload", {
    get: () => listener,
    set: (ofExchange: Decipher["_onPayload"]) => {
      listener = (payload) => (IDLE_TALK.has(payload[0]) ? undefined : ofExchange(payload));
    },
  });
}
