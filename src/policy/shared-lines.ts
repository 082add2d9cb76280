/** A longest common subsequence: which items two lists share in the same order. */

export interface Common {
  readonly first: ReadonlySet<number>;
  readonly second: ReadonlySet<number>;
}

/** More cells than this are not filled: the lines between the common ends then count as changed. */
const MAX_CELLS = 4_000_000;

/** Positions of the common items in both lists. */
export function commonLines(a: readonly string[], b: readonly string[]): Common {
  const first = new Set<number>();
  const second = new Set<number>();
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    first.add(start);
    second.add(start++);
  }
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    first.add(--endA);
    second.add(--endB);
  }
  const width = endB - start + 1;
  if ((endA - start + 1) * width > MAX_CELLS) return { first, second };
  const lengths = new Uint32Array((endA - start + 1) * width);
  const at = (i: number, j: number): number => lengths[(i - start) * width + (j - start)] ?? 0;
  for (let i = endA - 1; i >= start; i--) {
    for (let j = endB - 1; j >= start; j--) {
      const longest = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      lengths[(i - start) * width + (j - start)] = longest;
    }
  }
  for (let i = start, j = start; i < endA && j < endB; ) {
    if (a[i] === b[j]) {
      first.add(i++);
      second.add(j++);
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return { first, second };
}
