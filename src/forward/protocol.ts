/** The inside of ssh2 1.17 that we reach into: its types do not tell. */

import type { CipherGCMTypes } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Client } from "ssh2";

/** AES's, which the length of AES-GCM's packets is a multiple of (RFC 5647, section 7.2) */
export const AES_BLOCK = 16;
/** RFC 4253, section 6 */
export const LEAST_PADDING = 4;

/** lib/client.js */
interface InsideOfClient {
  /** there once `connect` has been called */
  readonly _protocol: Protocol;
  /** `_count`: channels that are open or being opened; `add`: a channel to come, its number */
  readonly _chanMgr: {
    readonly _count: number;
    readonly add: (opened: OpenCallback) => number;
    /** a function: the channel is being opened */
    readonly get: (number: number) => InsideOfChannel | OpenCallback | undefined;
  };
}

/** ssh2 makes the channel of that type when the server confirms. */
export interface OpenCallback {
  (error: Error | undefined, channel: SessionChannel): void;
  type?: string;
}

/** Channel (lib/Channel.js), as one that carries requests alone needs it */
export interface SessionChannel {
  readonly outgoing: { readonly id: number };
  /** answers to channel requests, in order; true: refused */
  readonly _callbacks: ((refused: boolean) => void)[];
  readonly close: () => void;
  readonly resume: () => void;
  readonly stderr: { readonly resume: () => void };
  readonly once: (event: "close", heard: () => void) => void;
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
  /** without `sign` it asks whether the server takes the key */
  authPK: (user: string, key: KeyOfLogin, algorithm?: string, sign?: Sign) => void;
  readonly channelWindowAdjust: (channel: number, bytes: number) => void;
  readonly session: (channel: number, window: number, packet: number) => void;
  readonly openssh_agentForward: (channel: number, wantReply: boolean) => void;
  readonly x11Forward: (channel: number, request: X11Request, wantReply: boolean) => void;
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc: (length: number) => Buffer;
      finalize: (packet: Buffer) => Buffer;
    };
  };
}

export type Sign = (text: Buffer, done: (signature: Buffer) => void) => void;

/** ParsedKey (lib/protocol/keyParser.js), or what an agent calls a key */
interface KeyOfLogin {
  readonly isPrivateKey?: () => boolean;
  readonly sign: (text: Buffer, hash?: string) => Buffer | Error;
}

/** RFC 4254, section 6.3.1 */
interface X11Request {
  readonly single: boolean;
  readonly protocol: string;
  readonly cookie: string;
  readonly screen: number;
}

/** A message that ssh2 has no call for: its number, and what follows it. */
export function sendMessage({ _packetRW: { write }, _cipher: cipher }: Protocol, message: Buffer): void {
  const packet = write.alloc(message.length);
  packet.set(message, write.allocStart);
  cipher.encrypt(write.finalize(packet));
}

/** Both are new after each key exchange (lib/protocol/crypto.js). */
export interface Decipher {
  /** What it returns stops the reading where it is false. */
  _onPayload: (payload: Buffer) => false | undefined;
}

/** AES-GCM by node:crypto (lib/protocol/crypto.js, AESGCMDecipherNative) */
export interface GcmDecipher extends Decipher {
  decrypt: (chunk: Buffer, start: number, end: number) => number | undefined;
  inSeqno: number;
  readonly _decipherSSLName: CipherGCMTypes;
  readonly _decipherKey: Buffer;
  readonly _decipherIV: Buffer;
  /** 0: it waits for a packet to begin */
  readonly _lenBytes: number;
}

export interface Cipher {
  encrypt: (packet: Buffer) => void;
  /** A packet with its length and padding; the payload is to be filled in. */
  allocPacket: (payloadLength: number) => Buffer;
}

/** Channel (lib/Channel.js) */
export interface InsideOfChannel extends Omit<Duplex, "destroy"> {
  /** `window`: bytes that the server may still send; `state`: "open", "eof", "closed" */
  readonly incoming: { window: number; readonly state: string };
  readonly outgoing: { packetSize: number; readonly id: number; readonly state: string };
  /** data has been pushed that nobody has read: the next read grants more */
  _waitChanDrain: boolean;
  destroy: () => InsideOfChannel;
  /** ours: takes what comes in place of the stream (src/forward/deliver.ts) */
  taker?: (data: Buffer) => void;
}
