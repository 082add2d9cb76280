/**
 * What a server must not do to us, and what ssh2 1.17 does not hold: limits of memory, and a banner in many pieces.
 * It reaches into ssh2's objects; test/forward-{hostile,robust}.test.ts tell when another version of ssh2 needs other hands.
 */
import type { Socket } from "node:net";
import type { Client, ClientChannel } from "ssh2";
import { acknowledger } from "./acknowledge.ts";
import { giveChunks, lendChunks } from "./connect-tcp.ts";
import type { Inflow } from "./deliver.ts";
import { SshFailure } from "./failure.ts";
import { supplyPadding } from "./padding.ts";
import { type InsideOfChannel, insideOf, type Protocol } from "./protocol.ts";
import { allowTalkWhileRekeying } from "./rekeying.ts";
import type { Channel, Transport } from "./session.ts";
import { isGcm, openWholePackets } from "./whole-packets.ts";

type Fail = (failure: SshFailure) => void;

/** RFC 4253, section 4.2 lets a server say other things first; OpenSSH reads 1,024 lines of 8 KiB (kex.c). */
const LONGEST_GREETING = 64 * 1024;
const IDENTIFICATION = /^SSH-(?:2\.0|1\.99)-([^ \r]*) ?([^\r]*)\r?$/;
/** Bytes for the server that the kernel has not taken: from here on, whoever makes more must wait. */
const MUCH_OUTPUT = 1024 * 1024;
/** Answers to its own messages that a server must at least take before we hear more from it. */
const TOO_MUCH_OUTPUT = 4 * MUCH_OUTPUT;
/** RFC 4254 names no least packet size. With 0, ssh2 would loop for ever; real servers say 16 KiB and more. */
const LEAST_PACKET = 1024;

/** Call it right after `client.connect`. */
export function guardTransport(
  client: Client,
  transport: Transport,
  {
    fail,
    flush,
    release,
    onIdentification,
  }: {
    fail: Fail;
    flush: () => void;
    release: Inflow["release"];
    onIdentification: (version: string, comment: string) => void;
  },
): void {
  const { _protocol: protocol } = insideOf(client);
  const listen = listenerOf(client, transport, { flush, release });
  awaitIdentification(protocol, transport, {
    fail,
    onFound: ({ version, comment }, greeting) => {
      protocol.parse = listen;
      onIdentification(version, comment);
      listen(greeting, 0, greeting.length);
    },
  });
}

/** Each chunk of the server's, once it speaks SSH. */
function listenerOf(
  client: Client,
  transport: Transport,
  { flush, release }: { flush: () => void; release: Inflow["release"] },
): Protocol["parse"] {
  const { _protocol: protocol } = insideOf(client);
  const parse = protocol.parse.bind(protocol);
  const acknowledge = "bytesWritten" in transport ? acknowledger(client, transport, flush) : () => {};
  return (chunk, start, end) => {
    parse(chunk, start, end);
    release();
    supplyPadding(protocol);
    openWholePackets(protocol);
    allowTalkWhileRekeying(protocol._decipher);
    if ("bytesRead" in transport) lendTo(protocol, transport);
    acknowledge(end - start);
    if (transport.writableLength < TOO_MUCH_OUTPUT || transport.isPaused()) return;
    transport.pause();
    transport.once("drain", () => transport.resume());
  };
}

/** ssh2's parseHeader loses bytes when the line arrives in three pieces or more, so it gets it whole. */
function awaitIdentification(
  protocol: Protocol,
  transport: Transport,
  { fail, onFound }: { fail: Fail; onFound: (found: Identification, greeting: Buffer) => void },
): void {
  let greeting = Buffer.alloc(0);
  const wait: Protocol["parse"] = (chunk, start, end) => {
    greeting = Buffer.concat([greeting, chunk.subarray(start, end)]);
    const found = identify(greeting);
    if (found === "incomplete") return;
    if ("because" in found) return fail(new SshFailure("protocol", found.because));
    onFound(found, greeting);
  };
  protocol.parse = wait;
  // before ssh2 hears of it, which could not say why
  transport.prependOnceListener("end", () => {
    if (protocol.parse === wait && greeting.length > 0) fail(new SshFailure("protocol", notSsh(greeting)));
  });
}

/**
 * Of ssh2's deciphers this alone makes new memory of what it reads: AES-GCM by Node.js itself (lib/protocol/crypto.js,
 * AESGCMDecipherNative). The others keep pieces of a chunk until the next one.
 */
function lendTo({ _decipher: decipher }: Protocol, transport: Socket): void {
  if (isGcm(decipher)) lendChunks(transport);
  else giveChunks(transport);
}

interface Identification {
  readonly version: string;
  readonly comment: string;
}

/** Of the first line that starts with "SSH-". */
function identify(bytes: Buffer): Identification | "incomplete" | { readonly because: string } {
  const lines = bytes.toString("latin1").split("\n");
  const line = lines.slice(0, -1).find((text) => text.startsWith("SSH-"));
  if (line === undefined) {
    return bytes.length <= LONGEST_GREETING ? "incomplete" : { because: notSsh(bytes) };
  }
  const [whole, version = "", comment = ""] = IDENTIFICATION.exec(line) ?? [];
  return whole === undefined
    ? { because: `it speaks another SSH than 2.0: "${line.slice(0, 60)}"` }
    : { version, comment };
}

function notSsh(bytes: Buffer): string {
  return `it does not speak SSH; it says "${/^[^\r\n]{0,60}/.exec(bytes.toString("latin1"))?.[0] ?? ""}"`;
}

/** Call it before anything is read or written. */
export function guardChannel(
  channel: ClientChannel,
  {
    transport,
    fail,
    flush,
    deliver,
  }: { transport: Transport; fail: Fail; flush: () => void; deliver: Inflow["deliver"] },
): Channel {
  const inside = channel as unknown as InsideOfChannel;
  const { packetSize } = inside.outgoing;
  if (packetSize < LEAST_PACKET) {
    fail(new SshFailure("protocol", `the server wants channels of ${packetSize} bytes a packet`));
    // whoever has the channel may still write to it
    inside.outgoing.packetSize = LEAST_PACKET;
  }
  waitForTransport(inside, transport);
  // ssh2's own ends a channel that has ended again, which makes an error of it, with a stack, that nobody sees
  inside.destroy = () => {
    if (!channel.writableEnded) channel.end();
    channel.close();
    return inside;
  };
  // no forward has a second stream; what a server sends there must not pile up
  channel.stderr.resume();
  return Object.assign(channel, { flush, deliverTo: (socket: Socket) => deliver(inside, socket) });
}

/** ssh2 writes whatever the channel's window allows, and a thousand windows are 2 GB. */
function waitForTransport(inside: InsideOfChannel, transport: Transport): void {
  const write = inside._write.bind(inside);
  inside._write = (data, encoding, done) => {
    write(
      data,
      encoding,
      transport.writableLength < MUCH_OUTPUT
        ? done
        : (error) => {
            if (transport.writableLength < MUCH_OUTPUT) done(error);
            else transport.once("drain", () => done(error));
          },
    );
  };
}
