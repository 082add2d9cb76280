/** From a connected transport to a login: host key, credentials one by one, and what went wrong on the way. */
import type { AnyAuthMethod, AuthHandlerMiddleware, Client, Prompt } from "ssh2";
import { SshFailure } from "./failure.ts";

/** A way to prove who we are. What asks the user does so only when its turn has come; null: skip it. */
export type Credential =
  | { readonly kind: "key"; readonly name: string; readonly read: () => Promise<PrivateKey | null> }
  | { readonly kind: "agent"; readonly agent: AgentAuthentication }
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

/** A path of a socket, or what ssh2's createAgent gives. */
type AgentAuthentication = Extract<AnyAuthMethod, { type: "agent" }>["agent"];

/** Texts of the server: any bytes, not for a terminal as they are. */
export interface Question {
  readonly title: string;
  readonly instructions: string;
  readonly prompts: readonly { readonly text: string; readonly echo: boolean }[];
}

export interface LoginOptions {
  readonly user: string;
  readonly checkHostKey: (key: Buffer) => Promise<string | null>;
  readonly credentials: readonly Credential[];
  readonly timeoutMs: number;
}

export interface Login {
  /** Resolves after the login, rejects with an SshFailure. */
  readonly ready: Promise<void>;
  /** null when we ended it */
  readonly closed: Promise<SshFailure | null>;
  /** The first failure is the one that is told. The transport is closed. */
  readonly fail: (failure: SshFailure) => void;
  readonly end: () => void;
  readonly checkHostKey: (key: Buffer, verify: (valid: boolean) => void) => void;
  readonly nextCredential: AuthHandlerMiddleware;
}

const METHODS = {
  key: "publickey",
  agent: "publickey",
  password: "password",
  "keyboard-interactive": "keyboard-interactive",
} as const satisfies Record<Credential["kind"], string>;

/** How long a server may take to say goodbye. */
const GOODBYE_MS = 2_000;

export function watchLogin(client: Client, close: () => void, options: LoginOptions): Login {
  let failure: SshFailure | null = null;
  let ended = false;
  let stage: "key exchange" | "login" | "open" = "key exchange";
  const patience = makePatience(options.timeoutMs, (what) =>
    fail(new SshFailure("timeout", `no answer ${what} within ${options.timeoutMs / 1000} s`)),
  );
  const fail = (found: SshFailure): void => {
    failure ??= found;
    close();
  };
  client.on("error", (error) => {
    // a key that cannot sign and an agent that is gone: ssh2 goes on with the next credential
    if (stage === "login" && (error.level === "agent" || error.level === "client-authentication")) return;
    fail(failureOf(error, stage));
  });
  client.on("handshake", () => {
    if (stage === "key exchange") stage = "login";
  });
  const ready = new Promise<void>((resolve, reject) => {
    client.once("ready", () => {
      stage = "open";
      patience.stop();
      resolve();
    });
    client.once("close", () => {
      patience.stop();
      reject(failure ?? new SshFailure("closed", "the server closed the connection during the login"));
    });
  });
  const closed = new Promise<SshFailure | null>((resolve) => {
    client.once("close", () =>
      resolve(ended ? null : (failure ?? new SshFailure("closed", "the server closed the connection"))),
    );
  });
  patience.wait("to the key exchange");
  let accepted: Buffer | null = null;
  return {
    ready,
    closed,
    fail,
    end: () => {
      ended = true;
      client.end();
      // a server that stopped answering closes nothing
      const late = setTimeout(close, GOODBYE_MS);
      closed.then(() => clearTimeout(late));
    },
    checkHostKey: (key, verify) => {
      // a later key exchange. The answer must come at once: while ssh2 waits for it, it writes what nobody can read
      if (accepted !== null) {
        if (key.equals(accepted)) verify(true);
        else fail(new SshFailure("host-key", "the server shows another host key than before"));
        return;
      }
      patience.stop();
      options.checkHostKey(key).then(
        (because) => {
          if (because !== null) return fail(new SshFailure("host-key", because));
          accepted = Buffer.from(key);
          patience.wait("to the key exchange");
          verify(true);
        },
        (error: unknown) => fail(new SshFailure("host-key", String(error))),
      );
    },
    nextCredential: offerCredentials(options, { fail, patience }),
  };
}

function failureOf(
  error: Error & { level?: string; code?: unknown },
  stage: "key exchange" | "login" | "open",
): SshFailure {
  if (error.level === "client-timeout") return new SshFailure("timeout", "the server stopped answering");
  if (error.level === "client-socket") return new SshFailure("unreachable", error.message);
  // SSH_MSG_DISCONNECT: a number, and the server's words
  if (typeof error.code === "number")
    return new SshFailure(
      stage === "login" ? "authentication" : "closed",
      `the server ended the connection: ${error.message}`,
    );
  return new SshFailure("protocol", error.message);
}

interface Patience {
  readonly wait: (what: string) => void;
  readonly stop: () => void;
}

function makePatience(timeoutMs: number, over: (what: string) => void): Patience {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    wait: (what) => {
      stop();
      timer = setTimeout(over, timeoutMs, what);
    },
  };
}

/** As ssh(1): "none" first, to hear what the server takes; then each credential once that fits what it still takes. */
function offerCredentials(
  { user, credentials }: LoginOptions,
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
      return { type: "agent", username, agent: credential.agent };
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

function promptOf({ prompt, echo }: Prompt): Question["prompts"][number] {
  return { text: prompt, echo: echo ?? false };
}
