/**
 * Packets of AES-GCM are opened whole, one call of node:crypto each. ssh2 opens what a chunk happens to hold of them: for
 * each piece it asks for new memory, and copies it.
 */
import { createDecipheriv } from "node:crypto";
import { AES_BLOCK, type GcmDecipher, LEAST_PADDING, type Protocol } from "./protocol.ts";

const LENGTH = 4;
const TAG = 16;
/** All of a packet, as in ssh2; RFC 4253, section 6.1 asks for as much. */
const LONGEST = 35_000;
const replaced = new WeakSet<object>();

/**
 * Of ssh2's deciphers AES-GCM by Node.js itself (lib/protocol/crypto.js, AESGCMDecipherNative); the others stay as they are.
 * One that has begun with a packet goes on until a chunk ends with one.
 */
export function openWholePackets({ _decipher: decipher }: Protocol): void {
  if (replaced.has(decipher) || !isGcm(decipher) || decipher._lenBytes > 0) return;
  replaced.add(decipher);
  decipher.decrypt = wholePackets(decipher);
}

export function isGcm(decipher: Protocol["_decipher"]): decipher is GcmDecipher {
  return "_decipherSSLName" in decipher;
}

/** What it gives returns as ssh2's does: where a listener wants no more of the chunk, the end of its packet. */
export function wholePackets(decipher: GcmDecipher): GcmDecipher["decrypt"] {
  // the beginning of a packet whose end has not come
  const held = Buffer.allocUnsafeSlow(LONGEST);
  let filled = 0;
  const hold = (chunk: Buffer, at: number, wanted: number): number => {
    const piece = chunk.subarray(at, at + Math.max(0, wanted - filled));
    held.set(piece, filled);
    filled += piece.length;
    return at + piece.length;
  };
  const withHeld = (chunk: Buffer, start: number): { at: number; packet: Buffer | null } => {
    const at = hold(chunk, start, LENGTH);
    if (filled < LENGTH) return { at, packet: null };
    const size = sizeOf(held, 0);
    const end = hold(chunk, at, size);
    if (filled < size) return { at: end, packet: null };
    filled = 0;
    return { at: end, packet: held.subarray(0, size) };
  };
  const next = (chunk: Buffer, at: number): { at: number; packet: Buffer | null } => {
    if (filled > 0 || chunk.length - at < LENGTH) return withHeld(chunk, at);
    const end = at + sizeOf(chunk, at);
    return end > chunk.length ? withHeld(chunk, at) : { at: end, packet: chunk.subarray(at, end) };
  };
  return (chunk, start, end) => {
    const whole = chunk.subarray(0, end);
    for (let from = start; from < end; ) {
      const { at, packet } = next(whole, from);
      if (packet === null) return undefined;
      from = at;
      const answer = decipher._onPayload(open(decipher, packet));
      if (answer !== undefined) return answer === false ? at : answer;
    }
    return undefined;
  };
}

/** Throws what ssh2 does, as soon as the length is there. */
function sizeOf(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  const size = LENGTH + length + TAG;
  if (size > LONGEST || length < AES_BLOCK || length % AES_BLOCK !== 0) throw new Error("Bad packet length");
  return size;
}

/** Its payload, in new memory. Throws where the tag does not fit, or the padding, as sshd does (packet.c). */
function open(decipher: GcmDecipher, packet: Buffer): Buffer {
  const { _decipherSSLName: name, _decipherKey: key, _decipherIV: iv } = decipher;
  const opening = createDecipheriv(name, key, iv);
  opening.setAAD(packet.subarray(0, LENGTH));
  const text = opening.update(packet.subarray(LENGTH, packet.length - TAG));
  opening.setAuthTag(packet.subarray(packet.length - TAG));
  opening.final();
  decipher.inSeqno = (decipher.inSeqno + 1) >>> 0;
  count(iv);
  const [padding = 0] = text;
  if (padding < LEAST_PADDING || padding >= text.length) throw new Error("Bad padding length");
  return text.subarray(1, text.length - padding);
}

/** The invocation counter (RFC 5647, section 7.1): the last eight bytes. */
function count(iv: Buffer): void {
  for (let index = 11; index >= 4; index--) {
    const byte = ((iv[index] ?? 0) + 1) & 0xff;
    iv[index] = byte;
    if (byte !== 0) return;
  }
}
