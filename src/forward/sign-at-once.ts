/**
 * A login with a private key that we hold is signed at once: ssh2 asks first whether the server would take the key, which
 * costs a round trip, and with sshd at least 5 ms more (auth2.c ensure_minimum_time_since). RFC 4252, section 7 allows both.
 */
import type { Protocol, Sign } from "./protocol.ts";

/** Call it right after `client.connect`. */
export function signAtOnce(protocol: Protocol): void {
  const ask = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, sign): void => {
    const signNow: Sign = (text, done) => {
      const signature = key.sign(text, HASHES[algorithm ?? ""]);
      // ssh2 says what is wrong when it signs itself
      if (signature instanceof Error) ask(user, key, algorithm);
      else done(signature);
    };
    // a key of an agent is no private one: somebody may have to be asked for it
    ask(user, key, algorithm, sign ?? (key.isPrivateKey?.() === true ? signNow : undefined));
  };
}

/** Other keys have one of their own. */
const HASHES: Readonly<Record<string, string>> = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" };
