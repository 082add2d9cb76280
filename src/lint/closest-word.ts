/** What somebody may have meant. */

/** The candidate that differs by the fewest letters, at most three and a third of the word; null where none is near. */
export function closestWord(word: string, candidates: Iterable<string>): string | null {
  const short = word.slice(0, 40);
  let best: string | null = null;
  let least = Math.min(4, Math.ceil(short.length / 3));
  for (const candidate of candidates) {
    // as many letters at least are to insert or to take out
    if (Math.abs(candidate.length - short.length) >= least) continue;
    const distance = editDistance(short, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Letters to insert, take out, replace or swap with their neighbour; both words are short. */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
