/** Files of private keys: what they hold, and the passphrase that opens them. */
import { createPrivateKey } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { PrivateKey } from "./authentication.ts";
import { systemWords } from "./failure.ts";
import type { Talk } from "./host-key.ts";
import type { LoginSettings } from "./login-settings.ts";
import { parseKey } from "./session.ts";

export interface KeyFile {
  readonly path: string;
  readonly text: string;
  /** as on the wire; null when only the passphrase would tell */
  readonly publicKey: Buffer | null;
}

/** Those that are there and that nobody else may read. */
export function readKeyFiles({ identityFiles }: LoginSettings, talk: Talk): readonly KeyFile[] {
  return identityFiles.flatMap(({ path, chosen }): KeyFile[] => {
    try {
      const status = statSync(path);
      const { mode, uid } = status;
      // /dev/zero has no end
      if (status.isCharacterDevice()) {
        talk.note(`${path} is left out: it is a device`);
        return [];
      }
      const text = readFileSync(path, "latin1");
      if (openKey(text).kind !== "public" && uid === process.getuid?.() && (mode & 0o077) !== 0) {
        talk.note(`${path} is left out: others may read this private key (chmod 600 mends it)`);
        return [];
      }
      return [{ path, text, publicKey: publicPart(path, text) }];
    } catch (error) {
      if (chosen === "by the user") talk.note(`left out: ${path}: ${systemWords(error)}`);
      return [];
    }
  });
}

type Opened =
  | { readonly kind: "private"; readonly key: PrivateKey; readonly publicKey: Buffer }
  /** ssh(1) takes the file of a public key, too: it says which key of the agent to use */
  | { readonly kind: "public"; readonly publicKey: Buffer }
  /** the passphrase is missing, or another one */
  | { readonly kind: "locked" }
  | { readonly kind: "unreadable"; readonly because: string };

/** What ssh2, and for PKCS#8 Node.js, say where it is the passphrase: with another one, what is decrypted may look like anything. */
const ABOUT_PASSPHRASE = /passphrase|bad decrypt|unable to authenticate|asn1/i;

/** PKCS#8; with a wrong passphrase OpenSSL may say anything. */
const ENCRYPTED = "-----BEGIN ENCRYPTED";

function openKey(text: string, passphrase?: string): Opened {
  const secret = passphrase === undefined ? {} : { passphrase };
  try {
    const key = /^-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(text)
      ? { text: inOlderFormat(text, secret) }
      : { text, ...secret };
    const parsed = parseKey(key.text, passphrase);
    if (parsed instanceof Error) throw parsed;
    const publicKey = parsed.getPublicSSH();
    return parsed.isPrivateKey() ? { kind: "private", key, publicKey } : { kind: "public", publicKey };
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    const isLocked = text.startsWith(ENCRYPTED) || ABOUT_PASSPHRASE.test(because);
    return isLocked ? { kind: "locked" } : { kind: "unreadable", because };
  }
}

/** PKCS#8, which ssh2 does not read, as PKCS#1 or SEC1 has it, which it does. */
function inOlderFormat(text: string, secret: { readonly passphrase?: string }): string {
  // OpenSSL would go and ask for it
  if (text.startsWith(ENCRYPTED) && secret.passphrase === undefined) throw new Error("it has a passphrase");
  const key = createPrivateKey({ key: text, ...secret });
  const type = key.asymmetricKeyType === "rsa" ? "pkcs1" : "sec1";
  return String(key.export({ type, format: "pem" }));
}

function publicPart(path: string, text: string): Buffer | null {
  const opened = openKey(text);
  if ("publicKey" in opened) return opened.publicKey;
  try {
    const [, encoded = ""] = readFileSync(`${path}.pub`, "latin1").split(" ");
    return Buffer.from(encoded, "base64");
  } catch {
    return openPart(text);
  }
}

const MAGIC = "openssh-key-v1\0";

/** OpenSSH's own format has the public key in front of what is encrypted (PROTOCOL.key). */
function openPart(text: string): Buffer | null {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)/.exec(text)?.[1] ?? "";
  const bytes = Buffer.from(body, "base64");
  if (!bytes.toString("latin1").startsWith(MAGIC)) return null;
  let at = MAGIC.length;
  const string = (): Buffer => {
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    return bytes.subarray(at - length, at);
  };
  try {
    // cipher, key derivation and its options, how many keys there are
    for (let skipped = 0; skipped < 3; skipped++) string();
    at += 4;
    return string();
  } catch {
    return null;
  }
}

const PASSPHRASE_ATTEMPTS = 3;

/** Null: it cannot be used, which has been said. */
export async function unlock(
  { path, text }: KeyFile,
  { batch }: LoginSettings,
  talk: Talk,
): Promise<PrivateKey | null> {
  const leftOut = (because: string): null => {
    talk.note(`${path} is left out: ${because}`);
    return null;
  };
  let opened = openKey(text);
  for (let attempt = 0; attempt < PASSPHRASE_ATTEMPTS && opened.kind === "locked" && !batch; attempt++) {
    const passphrase = await talk.ask(`Passphrase for key ${path}: `, "hidden");
    if (passphrase === null || passphrase === "") break;
    opened = openKey(text, passphrase);
  }
  switch (opened.kind) {
    case "private":
      return opened.key;
    case "public":
      return leftOut("it is a public key, with which only an agent can log in");
    case "locked":
      return leftOut("it has a passphrase, which was not given (ssh-add puts the key into an agent)");
    case "unreadable":
      return leftOut(opened.because);
  }
}
