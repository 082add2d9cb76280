/** What this client offers in the key exchange. */
import type { Algorithms } from "ssh2";

/** What OpenSSH 9 offers too, fastest first: AES-GCM is in Node's OpenSSL, ChaCha20-Poly1305 half in WebAssembly. */
const CIPHERS = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
] as const;
const MACS = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512",
] as const;
/** No group exchange: the server would choose the numbers that we calculate with. */
const KEY_EXCHANGES = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group18-sha512",
  "diffie-hellman-group14-sha256",
] as const;
const HOST_KEYS = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
] as const;

/** `known`: names of host key algorithms that we hold keys of, to be asked for first. */
export function offeredAlgorithms(known: readonly string[]): Algorithms {
  return {
    cipher: [...CIPHERS],
    hmac: [...MACS],
    kex: [...KEY_EXCHANGES],
    serverHostKey: [
      ...HOST_KEYS.filter((name) => known.includes(name)),
      ...HOST_KEYS.filter((name) => !known.includes(name)),
    ],
    compress: ["none"],
  };
}
