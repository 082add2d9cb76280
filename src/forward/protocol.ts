/** The inside of ssh2 1.17 that we reach into: its types do not tell. */

import type { Client } from "ssh2";

/** lib/client.js */
interface InsideOfClient {
  /** there once `connect` has been called */
  readonly _protocol: Protocol;
  /** `_count`: channels that are open or being opened */
  readonly _chanMgr: { readonly _count: number };
}

export function insideOf(client: Client): InsideOfClient {
  return client as unknown as InsideOfClient;
}

/** Client._protocol (ssh2, lib/protocol/Protocol.js) */
export interface Protocol {
  parse: (chunk: Buffer, start: number, end: number) => void;
  /** set while keys are exchanged */
  readonly _kexinit: Buffer | undefined;
  readonly _authenticated: boolean;
  readonly _cipher: Cipher;
  readonly _decipher: Decipher;
  /** by the name of the message that came */
  readonly _handlers: Record<"CHANNEL_EOF" | "CHANNEL_CLOSE", (protocol: Protocol, channel: number) => void> &
    Record<"CHANNEL_DATA", (protocol: Protocol, channel: number, data: Buffer) => void>;
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc: (length: number) => Buffer;
      finalize: (packet: Buffer) => Buffer;
    };
  };
}

/** Both are new after each key exchange (lib/protocol/crypto.js). */
export interface Decipher {
  /** What it returns stops the reading where it is false. */
  _onPayload: (payload: Buffer) => false | undefined;
}

export interface Cipher {
  encrypt: (packet: Buffer) => void;
  /** A packet with its length and padding; the payload is to be filled in. */
  allocPacket: (payloadLength: number) => Buffer;
}

/** Channel (lib/Channel.js) */
export interface InsideOfChannel {
  readonly outgoing: { packetSize: number };
  _write: (data: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void) => void;
  push: (chunk: Buffer | null) => boolean;
  destroy: () => InsideOfChannel;
}
