/**
 * The padding of packets (RFC 4253, section 6). ssh2 asks node:crypto for the random bytes of each packet anew, which
 * takes longer than the rest of a small one; here they come from a supply.
 */
import { randomFillSync } from "node:crypto";
import { AES_BLOCK, type Cipher, LEAST_PADDING, type Protocol } from "./protocol.ts";

const supply: Buffer = Buffer.alloc(4096);
let used = supply.length;
const supplied = new WeakSet<Cipher>();

/** Of ssh2's ciphers AES-GCM by Node.js itself (lib/protocol/crypto.js, AESGCMCipherNative); the others stay as they are. */
export function supplyPadding({ _cipher: cipher }: Protocol): void {
  if (supplied.has(cipher)) return;
  supplied.add(cipher);
  if ("_encSSLName" in cipher) cipher.allocPacket = allocPacket;
}

function allocPacket(payloadLength: number): Buffer {
  const missing = AES_BLOCK - ((1 + payloadLength) % AES_BLOCK);
  const padding = missing < LEAST_PADDING ? missing + AES_BLOCK : missing;
  const packet = Buffer.allocUnsafe(4 + 1 + payloadLength + padding);
  packet.writeUInt32BE(packet.length - 4);
  packet[4] = padding;
  if (used + padding > supply.length) {
    randomFillSync(supply);
    used = 0;
  }
  supply.copy(packet, packet.length - padding, used, used + padding);
  used += padding;
  return packet;
}
