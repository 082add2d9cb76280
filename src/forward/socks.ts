/**
 * The server's side of a SOCKS handshake: 4 and 4a (SOCKS 4 and 4A protocol notes), 5 without authentication (RFC 1928).
 * CONNECT alone, as in ssh(1). Pure: bytes in, what to do out.
 */
import { isUtf8 } from "node:buffer";
import { printIPv6 } from "../../grammar/print-address.ts";
import type { Endpoint } from "./session.ts";

export type Step =
  /** more bytes are needed */
  | { readonly kind: "more" }
  /** send this, drop `used` bytes, and go on with phase "request" */
  | { readonly kind: "answer"; readonly bytes: Buffer; readonly used: number }
  /** where to; what follows the `used` bytes is already data */
  | { readonly kind: "connect"; readonly to: Endpoint; readonly used: number; readonly version: 4 | 5 }
  /** send this (it may be empty) and close */
  | { readonly kind: "refuse"; readonly bytes: Buffer; readonly because: string };

/** A handshake is never longer: 4a with a user and a host of 255 bytes each, and room. */
export const LONGEST_HANDSHAKE = 1024;

/** `greeted`: the method selection of version 5 is done. */
export function readSocks(bytes: Buffer, phase: "start" | "greeted"): Step {
  if (bytes.length === 0) return { kind: "more" };
  if (phase === "greeted") return readRequest5(bytes);
  if (bytes[0] === 4) return readRequest4(bytes);
  if (bytes[0] === 5) return readGreeting5(bytes);
  return {
    kind: "refuse",
    bytes: Buffer.alloc(0),
    because: `the client does not speak SOCKS (first byte ${bytes[0]})`,
  };
}

const NO_AUTHENTICATION = 0;

function readGreeting5(bytes: Buffer): Step {
  const count = bytes[1];
  if (count === undefined || bytes.length < 2 + count) return { kind: "more" };
  if (bytes.subarray(2, 2 + count).includes(NO_AUTHENTICATION))
    return { kind: "answer", bytes: Buffer.from([5, NO_AUTHENTICATION]), used: 2 + count };
  return {
    kind: "refuse",
    bytes: Buffer.from([5, 0xff]),
    because: "the client wants to log in to the SOCKS server, which takes everybody",
  };
}

/** RFC 1928, section 6: general failure, connection refused, command and address type not supported */
const REPLY5 = { ok: 0, failure: 1, prohibited: 2, refused: 5, command: 7, address: 8 } as const;

function reply5(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

function readRequest5(bytes: Buffer): Step {
  const refuse = (code: number, because: string): Step => ({ kind: "refuse", bytes: reply5(code), because });
  if (bytes[0] !== 5) return refuse(REPLY5.failure, "the client does not keep to SOCKS 5");
  if (bytes.length < 5) return { kind: "more" };
  if (bytes[1] !== 1) return refuse(REPLY5.command, `SOCKS command ${bytes[1]} is not CONNECT`);
  if (bytes[2] !== 0) return refuse(REPLY5.failure, "the reserved byte of the SOCKS request is not 0");
  const type = bytes[3];
  const length = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? 1 + (bytes[4] ?? 0) : null;
  if (length === null) return refuse(REPLY5.address, `SOCKS address type ${type} is unknown`);
  const used = 4 + length + 2;
  if (bytes.length < used) return { kind: "more" };
  const address = bytes.subarray(4, 4 + length);
  const host =
    type === 1 ? address.join(".") : type === 4 ? addressOf6(address) : nameOf(address.subarray(1));
  if (host === null) return refuse(REPLY5.address, "the host of the SOCKS request is no name");
  return { kind: "connect", to: { host, port: bytes.readUInt16BE(used - 2) }, used, version: 5 };
}

function readRequest4(bytes: Buffer): Step {
  const refuse = (because: string): Step => ({ kind: "refuse", bytes: reply4(0x5b), because });
  if (bytes.length < 9) return { kind: "more" };
  if (bytes[1] !== 1) return refuse(`SOCKS command ${bytes[1]} is not CONNECT`);
  const port = bytes.readUInt16BE(2);
  const address = bytes.subarray(4, 8);
  const endOfUser = bytes.indexOf(0, 8);
  if (endOfUser === -1) return { kind: "more" };
  const isNamed = address[0] === 0 && address[1] === 0 && address[2] === 0 && address[3] !== 0;
  if (!isNamed)
    return { kind: "connect", to: { host: address.join("."), port }, used: endOfUser + 1, version: 4 };
  const endOfHost = bytes.indexOf(0, endOfUser + 1);
  if (endOfHost === -1) return { kind: "more" };
  const host = nameOf(bytes.subarray(endOfUser + 1, endOfHost));
  if (host === null) return refuse("the host of the SOCKS request is no name");
  return { kind: "connect", to: { host, port }, used: endOfHost + 1, version: 4 };
}

function reply4(code: number): Buffer {
  return Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
}

/** Any text, up to a NUL (channels.c channel_decode_socks5). Null: there is none, or it is no text that could be sent on. */
function nameOf(bytes: Buffer): string | null {
  const end = bytes.indexOf(0);
  const name = end === -1 ? bytes : bytes.subarray(0, end);
  return name.length > 0 && isUtf8(name) ? name.toString() : null;
}

/** As inet_ntop(3) writes it: it goes to the server as text, which compares it with PermitOpen byte for byte. */
function addressOf6(bytes: Buffer): string {
  const short = printIPv6(Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(2 * at)));
  const mapped = /^::(ffff:)?[0-9a-f]+:[0-9a-f]+$/.exec(short);
  return mapped === null ? short : `::${mapped[1] ?? ""}${bytes.subarray(12).join(".")}`;
}

/** What the client hears when the channel is open, or was not to be had. */
export function socksReply(version: 4 | 5, outcome: "open" | "prohibited" | "refused"): Buffer {
  if (version === 4) return reply4(outcome === "open" ? 0x5a : 0x5b);
  return reply5(outcome === "open" ? REPLY5.ok : REPLY5[outcome]);
}
