/** Sets of addresses as sorted, disjoint ranges of numbers. */

/** Inclusive. */
export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

/** Sorted by `low`, not touching one another. */
export type Ranges = readonly Range[];

export function unite(ranges: readonly Range[]): Ranges {
  const sorted = [...ranges].sort((a, b) => (a.low < b.low ? -1 : Number(a.low > b.low)));
  const united: Range[] = [];
  for (const range of sorted) {
    const last = united.at(-1);
    if (last === undefined || range.low > last.high + 1n) united.push(range);
    else if (range.high > last.high) united[united.length - 1] = { low: last.low, high: range.high };
  }
  return united;
}

export function intersect(first: Ranges, second: Ranges): Ranges {
  const common: Range[] = [];
  for (let a = 0, b = 0; ; ) {
    const one = first[a];
    const other = second[b];
    if (one === undefined || other === undefined) return common;
    const { low } = one.low > other.low ? one : other;
    const endsFirst = one.high < other.high;
    const { high } = endsFirst ? one : other;
    if (low <= high) common.push({ low, high });
    if (endsFirst) a++;
    else b++;
  }
}

export function subtract(from: Ranges, holes: Ranges): Ranges {
  const left: Range[] = [];
  let next = 0;
  for (const range of from) {
    let { low } = range;
    while ((holes[next]?.high ?? range.low) < range.low) next++;
    for (let at = next; ; at++) {
      const hole = holes[at];
      if (hole === undefined || hole.low > range.high) break;
      if (hole.low > low) left.push({ low, high: hole.low - 1n });
      low = hole.high + 1n;
    }
    if (low <= range.high) left.push({ low, high: range.high });
  }
  return left;
}

export function contains(ranges: Ranges, value: bigint): boolean {
  let start = 0;
  let end = ranges.length;
  while (start < end) {
    const middle = (start + end) >> 1;
    const range = ranges[middle];
    if (range === undefined || range.low > value) end = middle;
    else if (range.high < value) start = middle + 1;
    else return true;
  }
  return false;
}
