/** From a connected transport to a login: its stages, its host key, and what went wrong on the way. */
import type { AuthHandlerMiddleware, Client } from "ssh2";
import { type Credential, offerCredentials } from "./authentication.ts";
import { SshFailure } from "./failure.ts";
import { makePatience, type Patience } from "./patience.ts";

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
  /** Why nothing is answered any more; null while the connection stands. */
  readonly lost: () => SshFailure | null;
  /** The first failure is the one that is told. The transport is closed. */
  readonly fail: (failure: SshFailure) => void;
  readonly end: () => void;
  readonly checkHostKey: (key: Buffer, verify: (valid: boolean) => void) => void;
  readonly nextCredential: AuthHandlerMiddleware;
}

/** How long a server may take to say goodbye. */
const GOODBYE_MS = 2_000;

export function watchLogin(client: Client, close: () => void, options: LoginOptions): Login {
  let failure: SshFailure | null = null;
  let ended = false;
  const fail = (found: SshFailure): void => {
    failure ??= found;
    close();
  };
  const patience = makePatience(options.timeoutMs, (what) =>
    fail(new SshFailure("timeout", `no answer ${what} within ${options.timeoutMs / 1000} s`)),
  );
  tellErrors(client, fail);
  const ready = whenReady(client, patience, () => failure);
  let lost: SshFailure | null = null;
  const closed = new Promise<SshFailure | null>((resolve) => {
    client.once("close", () => {
      const words = ended ? "the session has been ended" : "the server closed the connection";
      lost = failure ?? new SshFailure("closed", words);
      resolve(ended ? null : lost);
    });
  });
  patience.wait("to the key exchange");
  return {
    ready,
    closed,
    lost: () => lost,
    fail,
    end: () => {
      ended = true;
      client.end();
      // a server that stopped answering closes nothing
      const late = setTimeout(close, GOODBYE_MS);
      closed.then(() => clearTimeout(late));
    },
    checkHostKey: checkOnce(options.checkHostKey, { fail, patience }),
    nextCredential: offerCredentials(options, { fail, patience }),
  };
}

type Stage = "key exchange" | "login" | "open";

/** What ssh2 calls an error means something else at each stage. */
function tellErrors(client: Client, fail: (failure: SshFailure) => void): void {
  let stage: Stage = "key exchange";
  client.on("handshake", () => {
    if (stage === "key exchange") stage = "login";
  });
  client.once("ready", () => {
    stage = "open";
  });
  client.on("error", (error) => {
    // a key that cannot sign and an agent that is gone: ssh2 goes on with the next credential
    if (stage === "login" && (error.level === "agent" || error.level === "client-authentication")) return;
    fail(failureOf(error, stage));
  });
}

function whenReady(client: Client, patience: Patience, failure: () => SshFailure | null): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once("ready", () => {
      patience.end();
      resolve();
    });
    client.once("close", () => {
      patience.end();
      reject(failure() ?? new SshFailure("closed", "the server closed the connection during the login"));
    });
  });
}

function failureOf(error: Error & { level?: string; code?: unknown }, stage: Stage): SshFailure {
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

/** The first key is checked, in its own time; later ones must be the same. */
function checkOnce(
  check: LoginOptions["checkHostKey"],
  { fail, patience }: { fail: (failure: SshFailure) => void; patience: Patience },
): Login["checkHostKey"] {
  let accepted: Buffer | null = null;
  return (key, verify) => {
    // a later key exchange. The answer must come at once: while ssh2 waits for it, it writes what nobody can read
    if (accepted !== null) {
      if (key.equals(accepted)) verify(true);
      else fail(new SshFailure("host-key", "the server shows another host key than before"));
      return;
    }
    patience.stop();
    check(key).then(
      (because) => {
        if (because !== null) return fail(new SshFailure("host-key", because));
        accepted = Buffer.from(key);
        patience.wait("to the key exchange");
        verify(true);
      },
      (error: unknown) => fail(new SshFailure("host-key", String(error))),
    );
  };
}
