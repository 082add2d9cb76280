/** What we may log in with, in the order of ssh(1): keys of the agent, keys of files, then what the user is asked for. */
import type { BaseAgent, ParsedKey, PublicKeyEntry } from "ssh2";
import type { Credential } from "./authentication.ts";
import type { Means, Talk } from "./host-key.ts";
import { type KeyFile, readKeyFiles, unlock } from "./key-files.ts";
import type { LoginMethod } from "./login-settings.ts";
import { createAgent } from "./session.ts";
import type { HostSettings } from "./settings.ts";

export function credentialsFor(settings: HostSettings, means: Means): readonly Credential[] {
  return settings.methods.flatMap((method) => {
    if (method === "publickey") return keys(settings, means);
    return settings.batch ? [] : questions(method, settings, means.talk);
  });
}

/** A key is offered once: servers count each (MaxAuthTries), and a passphrase is asked for only where the agent has not the key. */
function keys(settings: HostSettings, means: Means): readonly Credential[] {
  const files = readKeyFiles(settings, means);
  const offered = new Set<string>();
  const agent =
    settings.agent === null
      ? []
      : [{ kind: "agent", agent: orderedAgent(settings.agent, { files, settings, offered }) } as const];
  return [
    ...agent,
    ...files.map(
      (file): Credential => ({
        kind: "key",
        name: file.path,
        read: async () =>
          offered.has(file.publicKey?.toString("base64") ?? "")
            ? null
            : await unlock(file, settings, means.talk),
      }),
    ),
  ];
}

type AgentKey = string | Buffer | ParsedKey | PublicKeyEntry;

function wireOf(key: AgentKey): Buffer | null {
  return typeof key !== "string" && "getPublicSSH" in key ? key.getPublicSSH() : null;
}

/** Keys that a file names come first; with IdentitiesOnly no other does. `offered` learns which there are, in base64. */
function orderedAgent(
  socket: string,
  {
    files,
    settings: { identitiesOnly },
    offered,
  }: { files: readonly KeyFile[]; settings: HostSettings; offered: Set<string> },
): BaseAgent<string | Buffer | ParsedKey> {
  const agent = createAgent(socket);
  const all = agent.getIdentities.bind(agent);
  agent.getIdentities = (done) => {
    all((error, keys = []) => {
      const isNamed = (key: AgentKey): boolean => {
        const wire = wireOf(key);
        return wire !== null && files.some(({ publicKey }) => publicKey?.equals(wire) === true);
      };
      const named = keys.filter(isNamed);
      const others = identitiesOnly ? [] : keys.filter((key) => !named.includes(key));
      for (const key of named) offered.add(wireOf(key)?.toString("base64") ?? "");
      done(error, [...named, ...others]);
    });
  };
  return agent;
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
