/** Files of private keys: what they hold, and the passphrase that opens them. */
import { createPrivateKey } from "node:crypto";
import type { PrivateKey } from "./authentication.ts";
import type { ClientFiles } from "./client-files.ts";
import { systemWords } from "./failure.ts";
import type { Means, Talk } from "./host-key.ts";
import { keyType } from "./known-hosts.ts";
import type { LoginSettings } from "./login-settings.ts";
import { ed25519Key, headerOf } from "./openssh-key.ts";
import { parseKey } from "./session.ts";

export interface KeyFile {
  readonly path: string;
  readonly text: string;
  /** as on the wire; null when only the passphrase would tell */
  readonly publicKey: Buffer | null;
}

/** Those that are there and that nobody else may read. */
export function readKeyFiles(
  { identityFiles }: Pick<LoginSettings, "identityFiles">,
  { files, talk }: Means,
): readonly KeyFile[] {
  return identityFiles.flatMap(({ path, chosen }): KeyFile[] => {
    try {
      const { bytes, mode, uid } = files.read(path);
      const text = bytes.toString("latin1");
      if (openKey(text).kind !== "public" && uid === process.getuid?.() && (mode & 0o077) !== 0) {
        talk.note(`${path} is left out: others may read this private key (chmod 600 mends it)`);
        return [];
      }
      return [{ path, text, publicKey: publicPart(path, text, files) }];
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
  const because = whyUnusable(text);
  if (because !== null) return { kind: "unreadable", because };
  const secret = passphrase === undefined ? {} : { passphrase };
  try {
    const key = /^-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(text)
      ? { text: inOtherFormat(text, secret) }
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

/** What no passphrase would help with. */
function whyUnusable(text: string): string | null {
  const header = headerOf(text);
  if (header === null) return null;
  if (keyType(header.publicKey).startsWith("sk-"))
    return "its secret is on a security token (FIDO), which this forwarder cannot ask";
  return header.cipher.startsWith("chacha20")
    ? `this forwarder cannot read ${header.cipher} (ssh-keygen -p -Z aes256-ctr -f FILE writes it anew)`
    : null;
}

/** PKCS#8, which ssh2 does not read, in a format that it does; for Ed25519 that is OpenSSH's (ssh(1) reads it from 9.6 on). */
function inOtherFormat(text: string, secret: { readonly passphrase?: string }): string {
  // OpenSSL would go and ask for it
  if (text.startsWith(ENCRYPTED) && secret.passphrase === undefined) throw new Error("it has a passphrase");
  const key = createPrivateKey({ key: text, ...secret });
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return ed25519Key(key.export({ format: "jwk" }));
    case "rsa":
      return String(key.export({ type: "pkcs1", format: "pem" }));
    case "ec":
      return String(key.export({ type: "sec1", format: "pem" }));
    default:
      throw new Error(`SSH has no keys of type ${key.asymmetricKeyType}`);
  }
}

function publicPart(path: string, text: string, files: ClientFiles): Buffer | null {
  const opened = openKey(text);
  if ("publicKey" in opened) return opened.publicKey;
  return publicFile(`${path}.pub`, files) ?? headerOf(text)?.publicKey ?? null;
}

/** Null: it is not there, or holds something else (authfile.c sshkey_load_public goes on then). */
function publicFile(path: string, files: ClientFiles): Buffer | null {
  try {
    const [type, encoded = ""] = files.read(path).bytes.toString("latin1").split(" ");
    const key = Buffer.from(encoded, "base64");
    return keyType(key) === type ? key : null;
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
