/** Credentials, offered one by one as the server takes them (RFC 4252), and why none of them was enough. */
import { Socket } from "node:net";
import type { AnyAuthMethod, AuthHandlerMiddleware, BaseAgent, Prompt } from "ssh2";
import { SshFailure } from "./failure.ts";
import type { Patience } from "./patience.ts";

/** A way to prove who we are. What asks the user does so only when its turn has come; null: skip it. */
export type Credential =
  | { readonly kind: "key"; readonly name: string; readonly read: () => Promise<PrivateKey | null> }
  | { readonly kind: "agent"; readonly agent: BaseAgent }
  | { readonly kind: "password"; readonly ask: () => Promise<string | null> }
  | {
      readonly kind: "keyboard-interactive";
      readonly ask: (question: Question) => Promise<readonly string[]>;
    };

export interface PrivateKey {
  /** OpenSSH's or PEM format */
  readonly text: string;
  readonly passphrase?: string;
}

/** Texts of the server: any bytes, not for a terminal as they are. */
export interface Question {
  readonly title: string;
  readonly instructions: string;
  readonly prompts: readonly { readonly text: string; readonly echo: boolean }[];
}

const METHODS = {
  key: "publickey",
  agent: "publickey",
  password: "password",
  "keyboard-interactive": "keyboard-interactive",
} as const satisfies Record<Credential["kind"], string>;

/** As ssh(1): "none" first, to hear what the server takes; then each credential once that fits what it still takes. */
export function offerCredentials(
  { user, credentials }: { readonly user: string; readonly credentials: readonly Credential[] },
  { fail, patience }: { fail: (failure: SshFailure) => void; patience: Patience },
): AuthHandlerMiddleware {
  const left = [...credentials];
  const tried: string[] = [];
  let first = true;
  return (methods, _partial, next) => {
    patience.wait("to the login");
    if (first) {
      first = false;
      return next({ type: "none", username: user });
    }
    const offer = async (): Promise<void> => {
      for (let credential = left.shift(); credential !== undefined; credential = left.shift()) {
        if (!(methods as readonly string[]).includes(METHODS[credential.kind])) continue;
        patience.stop();
        const method = await methodOf(credential, user, patience);
        if (method === null) continue;
        patience.wait("to the login");
        tried.push(credential.kind === "key" ? `key ${credential.name}` : credential.kind);
        return next(method);
      }
      const attempts = tried.length === 0 ? "there was nothing to try" : `tried: ${times(tried)}`;
      fail(
        new SshFailure(
          "authentication",
          `permission denied (the server takes ${methods.join(", ")}; ${attempts})`,
        ),
      );
    };
    offer().catch((error: unknown) => fail(new SshFailure("authentication", String(error))));
  };
}

/** "agent, password (3 times)" */
function times(tried: readonly string[]): string {
  return [...new Set(tried)]
    .map((name) => {
      const count = tried.filter((one) => one === name).length;
      return count === 1 ? name : `${name} (${count} times)`;
    })
    .join(", ");
}

async function methodOf(
  credential: Credential,
  username: string,
  patience: Patience,
): Promise<AnyAuthMethod | null> {
  switch (credential.kind) {
    case "key": {
      const key = await credential.read();
      if (key === null) return null;
      const { text, passphrase } = key;
      return { type: "publickey", username, key: text, ...(passphrase === undefined ? {} : { passphrase }) };
    }
    case "agent":
      return { type: "agent", username, agent: unhurried(credential.agent, patience) };
    case "password": {
      const password = await credential.ask();
      return password === null ? null : { type: "password", username, password };
    }
    case "keyboard-interactive":
      return {
        type: "keyboard-interactive",
        username,
        prompt: (title, instructions, _language, prompts, finish) => {
          patience.stop();
          credential.ask({ title, instructions, prompts: prompts.map(promptOf) }).then(
            (answers) => {
              patience.wait("to the login");
              finish([...answers]);
            },
            () => finish([]),
          );
        },
      };
  }
}

/**
 * Somebody may have to allow each use of a key (ssh-add -c): meanwhile the server is not waited for. An agent that never
 * answers keeps no program alive that has nothing else to do.
 */
function unhurried(agent: BaseAgent, patience: Patience): BaseAgent {
  const connect = agent.getStream?.bind(agent);
  if (connect === undefined) return agent;
  agent.getStream = (done) => {
    patience.stop();
    connect((error, stream) => {
      if (stream instanceof Socket) {
        stream.unref();
        stream.once("close", () => patience.wait("to the login"));
      } else patience.wait("to the login");
      done(error, stream);
    });
  };
  return agent;
}

function promptOf({ prompt, echo }: Prompt): Question["prompts"][number] {
  return { text: prompt, echo: echo ?? false };
}
