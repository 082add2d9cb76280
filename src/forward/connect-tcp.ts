/** The TCP connection below a session. */
import { connect, isIP, type Socket } from "node:net";
import { asFailure, SshFailure } from "./failure.ts";
import type { Endpoint } from "./session.ts";
import { staysAwake } from "./stay-awake.ts";
import { limitTime } from "./time-limit.ts";

/** Several packets at once: sshd fills its sockets faster than Node.js's own 64 KiB a read take them. */
const READ_BYTES = 256 * 1024;
const lenders = new WeakSet<Socket>();

/**
 * From now on a chunk of this socket (of connectTcp) is good only until its "data" listener returns: no memory is taken
 * for each. For a reader that keeps none, which a session with AES-GCM is: what it decrypts is new memory.
 */
export function lendChunks(socket: Socket): void {
  lenders.add(socket);
}

/** The contrary: each chunk is new memory, as of any socket. */
export function giveChunks(socket: Socket): void {
  lenders.delete(socket);
}

/** A chunk that was read: true where more may come. Never before one that still waits. */
function hand(socket: Socket, chunk: Buffer): boolean {
  if (!lenders.has(socket) || socket.readableLength > 0) return socket.push(Buffer.from(chunk));
  socket.emit("data", chunk);
  return true;
}

/**
 * AddressFamily for an address that is written as one (null: it fits): Node.js asks for the family of names alone, where
 * getaddrinfo(3) refuses an address of another one (EAI_ADDRFAMILY).
 */
export function notOfFamily(host: string, family: 4 | 6 | null): SshFailure | null {
  if (family === null || isIP(host) === 0 || isIP(host) === family) return null;
  return new SshFailure("unreachable", `${host}: AddressFamily leaves out that address`);
}

/**
 * A TCP connection that is fit for `connect`: without TCP_NODELAY before the handshake, Nagle's algorithm and delayed
 * acknowledgements cost each channel 40 ms. Rejects with an SshFailure.
 */
export function connectTcp(
  { host, port }: Endpoint,
  {
    timeoutMs,
    localAddress,
    family = null,
  }: { timeoutMs: number; localAddress?: string; family?: 4 | 6 | null },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const wrongFamily = notOfFamily(host, family);
    if (wrongFamily !== null) return reject(wrongFamily);
    const took = staysAwake();
    const socket: Socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BYTES),
        callback: (bytes, buffer) => {
          const wantsMore = hand(socket, Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          took(bytes);
          return wantsMore;
        },
      },
      // Node's 250 ms for each address but the last would lose far hosts
      autoSelectFamilyAttemptTimeout: Math.max(10, Math.min(5_000, timeoutMs)),
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(family === null ? {} : { family }),
    });
    const give = (failure: SshFailure): void => {
      socket.destroy();
      reject(failure);
    };
    const inTime = limitTime(timeoutMs, () =>
      give(new SshFailure("timeout", `no connection within ${timeoutMs / 1000} s`)),
    );
    const onError = (error: Error): void => {
      inTime();
      give(asFailure("unreachable", error));
    };
    socket.once("error", onError).once("connect", () => {
      inTime();
      socket.off("error", onError);
      resolve(socket);
    });
  });
}
