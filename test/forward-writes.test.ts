/** What a session writes leaves in few pieces, whole and in order. */
import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { gatherWrites } from "../src/forward/gather-writes.ts";

/** Pieces as the system would get them, one array for each of its calls. */
function makeStream(): { readonly stream: Writable; readonly calls: Buffer[][] } {
  const calls: Buffer[][] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      calls.push([chunk]);
      done();
    },
    writev: (chunks, done) => {
      calls.push(chunks.map(({ chunk }) => chunk));
      done();
    },
  });
  return { stream, calls };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("writes of one turn", () => {
  it("leave together, the small ones as one piece, all in their order", async () => {
    const { stream, calls } = makeStream();
    gatherWrites(stream);
    const pieces = [4, 32_768, 16, 4, 60, 16, 8_192, 1].map((size) => randomBytes(size));
    for (const piece of pieces) stream.write(piece);
    expect(calls).toEqual([]);
    await turn();
    expect(calls.map((call) => call.map(({ length }) => length))).toEqual([[4, 32_768, 96, 8_192, 1]]);
    expect(Buffer.concat(calls.flat()).equals(Buffer.concat(pieces))).toBe(true);
  });

  it("leave when they are let go, and before the end", async () => {
    const { stream, calls } = makeStream();
    const flush = gatherWrites(stream);
    stream.write(Buffer.from("a"));
    flush();
    expect(calls.flat().join()).toBe("a");
    flush();
    stream.write(Buffer.from("b"));
    stream.end();
    expect(calls.flat().join()).toBe("a,b");
    await turn();
    expect(stream.writableFinished).toBe(true);
  });

  it("do not wait for the turn's end where they are many, of which no limit would know", async () => {
    const { stream, calls } = makeStream();
    gatherWrites(stream);
    for (let count = 0; count < 100_000; count++) stream.write(Buffer.alloc(12, count));
    const left = calls.flat().reduce((sum, { length }) => sum + length, 0);
    expect(1_200_000 - left).toBeLessThan(256 * 1024);
    // each piece takes memory of its own while it waits
    expect(calls.flat().length).toBeLessThan(10);
  });
});
