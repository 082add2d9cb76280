/** The frames of zstd data, cut into their blocks (RFC 8878, 3.1.1), so that whoever unpacks them knows how much comes of each piece. */

/** What zstd(1) itself takes without --long: a frame may ask for 2 GB of memory. */
const MAX_WINDOW = 128 * 1024 * 1024;
/** Ours: the library moves the whole window for each block. So many bytes take it a minute. */
const MOST_MOVED = 400e9;
const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const RLE = 1;

/** Frame headers, and blocks of which each becomes 128 KiB at most; without frames that are to be skipped. */
export async function* piecesOf(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const source = takingFrom(chunks);
  try {
    yield* framesOf(source);
  } finally {
    await source.close();
  }
}

async function* framesOf(source: Source): AsyncIterable<Buffer> {
  let moved = 0;
  for (let magic = await source.take(4); magic.length > 0; magic = await source.take(4)) {
    const kind = magic.length < 4 ? 0 : magic.readUInt32LE(0);
    if (kind >>> 4 === SKIPPABLE) await source.skip((await source.exactly(4)).readUInt32LE(0));
    else if (kind !== FRAME) throw new Error("invalid zstd data");
    else {
      const { header, window, hasChecksum } = await frameHeader(source);
      yield Buffer.concat([magic, header]);
      for (let isLast = false; !isLast; ) {
        const head = await source.exactly(3);
        const described = head.readUIntLE(0, 3);
        isLast = (described & 1) === 1;
        yield head;
        yield await source.exactly(((described >> 1) & 3) === RLE ? 1 : described >> 3);
        moved += window;
        if (moved > MOST_MOVED)
          throw new Error("so much, in frames with so large windows, takes Node.js 22.15 or later");
      }
      if (hasChecksum) yield await source.exactly(4);
    }
  }
}

async function frameHeader(source: Source): Promise<{
  readonly header: Buffer;
  readonly window: number;
  readonly hasChecksum: boolean;
}> {
  const first = await source.exactly(1);
  const descriptor = first[0] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  const ofDictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const ofContent = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const rest = await source.exactly((isSingle ? 0 : 1) + ofDictionary + ofContent);
  const window = isSingle ? contentSize(rest.subarray(ofDictionary)) : windowSize(rest[0] ?? 0);
  if (window > MAX_WINDOW) throw new Error("a frame asks for more than 128 MiB of memory");
  return { header: Buffer.concat([first, rest]), window, hasChecksum: (descriptor & 4) !== 0 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(field: Buffer): number {
  if (field.length === 8) return Number(field.readBigUInt64LE(0));
  return field.readUIntLE(0, field.length) + (field.length === 2 ? 256 : 0);
}

interface Source {
  /** fewer at the end, none behind it */
  readonly take: (count: number) => Promise<Buffer>;
  /** @throws where it ends before */
  readonly exactly: (count: number) => Promise<Buffer>;
  readonly skip: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

function takingFrom(chunks: AsyncIterable<Buffer>): Source {
  const iterator = chunks[Symbol.asyncIterator]();
  let left: Buffer = Buffer.alloc(0);
  const more = async (): Promise<Buffer | null> => {
    const { value, done } = await iterator.next();
    return done === true ? null : value;
  };
  const take = async (count: number): Promise<Buffer> => {
    if (left.length < count) {
      const parts = [left];
      let length = left.length;
      for (let chunk = await more(); chunk !== null; chunk = length < count ? await more() : null) {
        parts.push(chunk);
        length += chunk.length;
      }
      left = Buffer.concat(parts);
    }
    const taken = left.subarray(0, count);
    left = left.subarray(taken.length);
    return taken;
  };
  const exactly = async (count: number): Promise<Buffer> => {
    const taken = await take(count);
    if (taken.length < count) throw new Error("unexpected EOF");
    return taken;
  };
  const skip = async (count: number): Promise<void> => {
    for (let rest = count; rest > 0; ) rest -= (await exactly(Math.min(rest, 65536))).length;
  };
  const close = async (): Promise<void> => void (await iterator.return?.());
  return { take, exactly, skip, close };
}
