/** Seeded random numbers (splitmix32): the same seed gives the same cases on every machine. */
export interface Random {
  /** 0 … below - 1 */
  readonly int: (below: number) => number;
  /** true in `percent` of a hundred */
  readonly chance: (percent: number) => boolean;
  readonly pick: <T>(items: readonly T[]) => T;
  /** `least` … `most` items made by `make` */
  readonly some: <T>(least: number, most: number, make: () => T) => T[];
}

export function makeRandom(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const int = (below: number): number => next() % below;
  const pick = <T>(items: readonly T[]): T => {
    const item = items[int(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  };
  return {
    int,
    chance: (percent) => int(100) < percent,
    pick,
    some: (least, most, make) => Array.from({ length: least + int(most - least + 1) }, make),
  };
}
