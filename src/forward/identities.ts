/** What we may log in with, in the order of ssh(1): keys of the agent, keys of files, then what the user is asked for. */
import { readFileSync, statSync } from "node:fs";
import type { BaseAgent, ParsedKey } from "ssh2";
import type { Credential, PrivateKey } from "./authentication.ts";
import { asFailure } from "./failure.ts";
import type { Talk } from "./host-key.ts";
import type { LoginMethod } from "./login-settings.ts";
import { createAgent, parseKey } from "./session.ts";
import type { HostSettings } from "./settings.ts";

interface KeyFile {
  readonly path: string;
  readonly text: string;
  /** as on the wire; null when only the passphrase would tell */
  readonly publicKey: Buffer | null;
}

export function credentialsFor(settings: HostSettings, talk: Talk): readonly Credential[] {
  return settings.methods.flatMap((method) => {
    if (method === "publickey") return keys(settings, talk);
    return settings.batch ? [] : questions(method, settings, talk);
  });
}

function keys(settings: HostSettings, talk: Talk): readonly Credential[] {
  const files = readKeyFiles(settings, talk);
  const agent =
    settings.agent === null
      ? []
      : [{ kind: "agent", agent: orderedAgent(settings.agent, files, settings) } as const];
  return [
    ...agent,
    ...files.map(
      (file): Credential => ({ kind: "key", name: file.path, read: () => unlock(file, settings, talk) }),
    ),
  ];
}

function readKeyFiles({ identityFiles }: HostSettings, talk: Talk): readonly KeyFile[] {
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
      if (!isPublic(text) && uid === process.getuid?.() && (mode & 0o077) !== 0) {
        talk.note(`${path} is left out: others may read this private key (chmod 600 mends it)`);
        return [];
      }
      return [{ path, text, publicKey: publicPart(path, text) }];
    } catch (error) {
      if (chosen === "by the user") talk.note(`left out: ${asFailure("configuration", error).message}`);
      return [];
    }
  });
}

/** ssh(1) takes the file of a public key, too: it says which key of the agent to use. */
function isPublic(text: string): boolean {
  const parsed = parseKey(text);
  return !(parsed instanceof Error) && !parsed.isPrivateKey();
}

function publicPart(path: string, text: string): Buffer | null {
  const parsed = parseKey(text);
  if (!(parsed instanceof Error)) return parsed.getPublicSSH();
  try {
    const [, encoded = ""] = readFileSync(`${path}.pub`, "latin1").split(" ");
    return Buffer.from(encoded, "base64");
  } catch {
    return null;
  }
}

/** Keys that a file names come first; with IdentitiesOnly no other does. */
function orderedAgent(
  socket: string,
  files: readonly KeyFile[],
  { identitiesOnly }: HostSettings,
): BaseAgent<string | Buffer | ParsedKey> {
  const agent = createAgent(socket);
  const all = agent.getIdentities.bind(agent);
  agent.getIdentities = (done) => {
    all((error, keys = []) => {
      const isNamed = (key: (typeof keys)[number]): boolean => {
        if (typeof key === "string" || !("getPublicSSH" in key)) return false;
        const wire = key.getPublicSSH();
        return files.some(({ publicKey }) => publicKey?.equals(wire) === true);
      };
      const named = keys.filter(isNamed);
      const others = identitiesOnly ? [] : keys.filter((key) => !named.includes(key));
      done(error, [...named, ...others]);
    });
  };
  return agent;
}

const PASSPHRASE_ATTEMPTS = 3;

async function unlock(
  { path, text }: KeyFile,
  { batch }: HostSettings,
  talk: Talk,
): Promise<PrivateKey | null> {
  if (isPublic(text)) {
    talk.note(`${path} is left out: it is a public key, with which only an agent can log in`);
    return null;
  }
  const parsed = parseKey(text);
  if (!(parsed instanceof Error)) return { text };
  if (!/encrypt/i.test(parsed.message)) {
    talk.note(`${path} is left out: ${parsed.message}`);
    return null;
  }
  for (let attempt = 0; attempt < PASSPHRASE_ATTEMPTS && !batch; attempt++) {
    const passphrase = await talk.ask(`Passphrase for key ${path}: `, "hidden");
    if (passphrase === null || passphrase === "") break;
    if (!(parseKey(text, passphrase) instanceof Error)) return { text, passphrase };
  }
  talk.note(
    `${path} is left out: it has a passphrase, which was not given (ssh-add puts the key into an agent)`,
  );
  return null;
}

/** Each failed login asks again, as often as NumberOfPasswordPrompts says. */
function questions(
  method: Exclude<LoginMethod, "publickey">,
  { passwordPrompts, user, host }: HostSettings,
  talk: Talk,
): readonly Credential[] {
  const interactive: Credential = {
    kind: "keyboard-interactive",
    ask: async ({ title, instructions, prompts }) => {
      for (const text of [title, instructions]) if (text !== "") talk.note(text);
      const answers: string[] = [];
      for (const { text, echo } of prompts)
        answers.push((await talk.ask(`(${user}@${host}) ${text}`, echo ? "shown" : "hidden")) ?? "");
      return answers;
    },
  };
  const password: Credential = {
    kind: "password",
    ask: () => talk.ask(`${user}@${host}'s password: `, "hidden"),
  };
  return Array<Credential>(passwordPrompts).fill(method === "password" ? password : interactive);
}
