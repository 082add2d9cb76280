/** The SOCKS handshake on a stream: bytes are read until it is known where to, and the rest is put back. */
import type { Duplex } from "node:stream";
import type { Endpoint } from "./session.ts";
import { LONGEST_HANDSHAKE, readSocks } from "./socks.ts";

export { socksReply } from "./socks.ts";

export interface Request {
  readonly to: Endpoint;
  readonly version: 4 | 5;
}

/** Null: the client went away. When it is refused, the client has been told, and the stream is closed. */
export function handshake(client: Duplex): Promise<Request | { readonly because: string } | null> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    let phase: "start" | "greeted" = "start";
    const finish = (result: Request | { readonly because: string } | null): void => {
      client.off("data", onData).off("end", onEnd).off("close", onEnd);
      client.pause();
      resolve(result);
    };
    const onEnd = (): void => {
      finish(null);
      client.destroy();
    };
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const step = readSocks(bytes, phase);
        switch (step.kind) {
          case "more":
            if (bytes.length > LONGEST_HANDSHAKE) onEnd();
            return;
          case "answer":
            client.write(step.bytes);
            bytes = bytes.subarray(step.used);
            phase = "greeted";
            break;
          case "connect":
            finish({ to: step.to, version: step.version });
            if (step.used < bytes.length) client.unshift(bytes.subarray(step.used));
            return;
          case "refuse":
            finish({ because: step.because });
            client.end(step.bytes);
            client.resume();
            return;
        }
      }
    };
    client.on("data", onData).on("end", onEnd).on("close", onEnd);
  });
}
