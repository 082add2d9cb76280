/** Packets of AES-GCM, however the network cuts them, and what is between two chunks. */
import { createCipheriv, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { GcmDecipher, Protocol } from "../src/forward/protocol.ts";
import { staysAwake } from "../src/forward/stay-awake.ts";
import { openWholePackets, wholePackets } from "../src/forward/whole-packets.ts";

const KEY = randomBytes(16);
/** The counter goes over into its fourth byte after the first packet, and once around after the last. */
const IV = Buffer.from("0102030400000000fffffffe", "hex");

function seal(iv: Buffer, payload: Buffer): Buffer {
  const padding = 16 - ((payload.length + 1) % 16) + (16 - ((payload.length + 1) % 16) < 4 ? 16 : 0);
  return sealText(iv, Buffer.concat([Buffer.from([padding]), payload, Buffer.alloc(padding, 0x2a)]));
}

function sealText(iv: Buffer, text: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  const cipher = createCipheriv("aes-128-gcm", KEY, iv).setAAD(length);
  return Buffer.concat([length, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function counted(iv: Buffer, packets: number): Buffer {
  const next = Buffer.from(iv);
  next.writeBigUInt64BE(BigInt.asUintN(64, iv.readBigUInt64BE(4) + BigInt(packets)), 4);
  return next;
}

const PAYLOADS = [
  Buffer.from([2, 0, 0, 0, 0]),
  Buffer.from("a longer one, of 27 bytes.."),
  Buffer.from([94]),
];
const PACKETS = PAYLOADS.map((payload, index) => seal(counted(IV, index), payload));
const STREAM = Buffer.concat(PACKETS);

/** A decipher of ssh2's as far as it is used, and what it heard. */
function decipher(answer: (payload: Buffer) => false | undefined = () => undefined): {
  readonly inside: GcmDecipher;
  readonly heard: Buffer[];
} {
  const heard: Buffer[] = [];
  const inside = {
    _decipherSSLName: "aes-128-gcm",
    _decipherKey: KEY,
    _decipherIV: Buffer.from(IV),
    _lenBytes: 0,
    inSeqno: 0xfffffffe,
    decrypt: () => undefined,
    _onPayload: (payload) => {
      heard.push(payload);
      return answer(payload);
    },
  } satisfies GcmDecipher;
  return { inside, heard };
}

/** As from a socket that lends its chunks: each is overwritten by the next. */
function feed(decrypt: GcmDecipher["decrypt"], pieces: readonly Buffer[]): void {
  const lent = Buffer.alloc(256);
  for (const piece of pieces) {
    lent.fill(0xff);
    lent.set(piece, 3);
    decrypt(lent, 3, 3 + piece.length);
  }
}

describe("packets of AES-GCM", () => {
  it("are the same however two cuts divide them", () => {
    for (let one = 0; one <= STREAM.length; one++)
      for (let two = one; two <= STREAM.length; two++) {
        const { inside, heard } = decipher();
        const pieces = [STREAM.subarray(0, one), STREAM.subarray(one, two), STREAM.subarray(two)];
        feed(wholePackets(inside), pieces);
        if (!heard.every((payload, index) => payload.equals(PAYLOADS[index] ?? Buffer.alloc(0))))
          expect.fail(`cut at ${one} and ${two}`);
        expect(heard.length).toBe(3);
        expect(inside.inSeqno).toBe(1);
        expect(inside._decipherIV).toEqual(counted(IV, 3));
      }
  });

  it("are the same byte by byte", () => {
    const { inside, heard } = decipher();
    feed(
      wholePackets(inside),
      [...STREAM].map((byte) => Buffer.from([byte])),
    );
    expect(heard).toEqual(PAYLOADS);
  });

  it("count their invocations over all eight bytes", () => {
    const { inside } = decipher();
    inside._decipherIV.fill(0xff, 4);
    const first = seal(inside._decipherIV, Buffer.from("x"));
    wholePackets(inside)(first, 0, first.length);
    expect(inside._decipherIV.toString("hex")).toBe("010203040000000000000000");
  });

  it("leave the rest of a chunk to the next decipher where a listener wants no more", () => {
    const { inside, heard } = decipher(({ length }) => (length > 5 ? false : undefined));
    const [one, two] = [PACKETS[0]?.length ?? 0, (PACKETS[0]?.length ?? 0) + (PACKETS[1]?.length ?? 0)];
    expect(wholePackets(inside)(STREAM, 0, STREAM.length)).toBe(two);
    expect(heard).toEqual(PAYLOADS.slice(0, 2));
    const cut = decipher(() => false);
    const decrypt = wholePackets(cut.inside);
    expect(decrypt(STREAM, 0, 10)).toBe(undefined);
    expect(decrypt(STREAM, 10, STREAM.length)).toBe(one);
  });

  it("are not believed where a bit is another", () => {
    for (let at = 4; at < (PACKETS[0]?.length ?? 0); at++) {
      const wrong = Buffer.from(STREAM);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      const { inside, heard } = decipher();
      expect(() => wholePackets(inside)(wrong, 0, wrong.length), `byte ${at}`).toThrow();
      expect(heard).toEqual([]);
    }
  });

  it.each([0, 8, 17, 35_000, 0xffff_fff0])("of length %d end it as soon as they are announced", (length) => {
    const announced = Buffer.alloc(4);
    announced.writeUInt32BE(length);
    const decrypt = wholePackets(decipher().inside);
    decrypt(announced, 0, 3);
    expect(() => decrypt(announced, 3, 4)).toThrow("Bad packet length");
    expect(() => wholePackets(decipher().inside)(announced, 0, 4)).toThrow("Bad packet length");
  });

  it("may have as many bytes as ssh2 takes, and a payload of none", () => {
    const payloads = [Buffer.alloc(34_960, 7), Buffer.alloc(0)];
    const packets = payloads.map((payload, index) => seal(counted(IV, index), payload));
    const { inside, heard } = decipher();
    const stream = Buffer.concat(packets);
    const decrypt = wholePackets(inside);
    decrypt(stream, 0, 20_000);
    decrypt(stream, 20_000, stream.length);
    expect(heard).toEqual(payloads);
  });

  it.each([0, 3, 16, 20, 255])("of 16 bytes that claim %d of padding end it", (padding) => {
    const packet = sealText(IV, Buffer.concat([Buffer.from([padding]), Buffer.alloc(15, 94)]));
    const { inside, heard } = decipher();
    expect(() => wholePackets(inside)(packet, 0, packet.length)).toThrow("Bad padding length");
    expect(heard).toEqual([]);
  });

  it("that ssh2 has begun with are its own to end", () => {
    const { inside } = decipher();
    const begun: GcmDecipher = { ...inside, _lenBytes: 2 };
    const { decrypt } = begun;
    openWholePackets({ _decipher: begun } as unknown as Protocol);
    expect(begun.decrypt).toBe(decrypt);
    Object.assign(begun, { _lenBytes: 0 });
    openWholePackets({ _decipher: begun } as unknown as Protocol);
    expect(begun.decrypt).not.toBe(decrypt);
  });
});

describe("between two chunks", () => {
  const KB = 1024;
  const isAwake = (): boolean => process.getActiveResourcesInfo().includes("Immediate");
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  it("of a fast stream the event loop does not wait, but for a moment only", async () => {
    const took = staysAwake();
    took(64 * KB);
    took(64 * KB);
    expect(isAwake()).toBe(true);
    await pause(20);
    expect(isAwake()).toBe(false);
  });

  it.each([
    ["that are small", 8 * KB, 0],
    ["that come slowly", 64 * KB, 5],
  ])("%s it waits", async (_, bytes, ms) => {
    const took = staysAwake();
    took(bytes);
    await pause(ms);
    took(bytes);
    expect(isAwake()).toBe(false);
  });
});
