/** Private keys in OpenSSH's own format (PROTOCOL.key). */
import type { JsonWebKey } from "node:crypto";
import { string, uint32 } from "./wire.ts";

const MAGIC = "openssh-key-v1\0";

/** Of an Ed25519 key that is not encrypted (PROTOCOL.key; `d` and `x`: RFC 8037). */
export function ed25519Key({ d = "", x = "" }: JsonWebKey): string {
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const name = string("ssh-ed25519");
  const publicKey = Buffer.concat([name, string(point)]);
  const checks = Buffer.alloc(8);
  const comment = string("");
  const secret = Buffer.concat([checks, publicKey, string(Buffer.concat([seed, point])), comment]);
  const padding = Buffer.from(Array.from({ length: -secret.length & 7 }, (_, index) => index + 1));
  const bytes = Buffer.concat([
    Buffer.from(MAGIC),
    ...["none", "none", ""].map(string),
    uint32(1),
    string(publicKey),
    string(Buffer.concat([secret, padding])),
  ]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** What OpenSSH's own format has in front of what is encrypted (PROTOCOL.key). */
export interface KeyHeader {
  readonly cipher: string;
  readonly publicKey: Buffer;
}

/** Null: it is another format, or none. */
export function headerOf(text: string): KeyHeader | null {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/.exec(text)?.[1] ?? "";
  const bytes = Buffer.from(body, "base64");
  if (!bytes.toString("latin1").startsWith(MAGIC)) return null;
  let at = MAGIC.length;
  const next = (): Buffer => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  try {
    const cipher = next().toString("latin1");
    // key derivation and its options, how many keys there are
    for (let skipped = 0; skipped < 2; skipped++) next();
    at += 4;
    return { cipher, publicKey: next() };
  } catch {
    return null;
  }
}
