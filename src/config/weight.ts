/**
 * How much of a text can be read. Ours: sshd takes a file of any length up to 10.0, but each line and word becomes an
 * object here, and 64 MiB of short ones would fill all memory.
 */

/** Some 140,000 settings or two million comments; a long server's file has hundreds. */
export const MOST_WEIGHT = 2_000_000;

/** A line that sets something, and a word of it, take as much as so many lines that do not. */
const SETTING = 10;
const WORD = 3;

const [TAB, NEWLINE, BLANK, HASH, COMMA] = [9, 10, 32, 35, 44];

/** Asked before a file is taken, and again when it is read. */
const WEIGHTS = new WeakMap<Uint8Array, number>();

/** Lines, and in those that are no comments also words and the items of lists. */
export function weightOf(bytes: Uint8Array): number {
  // no byte weighs more than a setting of one letter and its line end
  if (bytes.length < MOST_WEIGHT / SETTING) return 0;
  const weight = WEIGHTS.get(bytes) ?? weigh(bytes);
  WEIGHTS.set(bytes, weight);
  return weight;
}

function weigh(bytes: Uint8Array): number {
  let weight = 0;
  let inComment = false;
  let before = NEWLINE;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    const isFirst = before === NEWLINE;
    if (byte === NEWLINE) weight++;
    else if (byte === BLANK || byte === TAB) {
      // blanks in front of a line are no words
      if (isFirst) continue;
    } else if (isFirst) {
      inComment = byte === HASH;
      if (!inComment) weight += SETTING;
    } else if (!inComment && (byte === COMMA || before === BLANK || before === TAB)) weight += WORD;
    before = byte ?? 0;
  }
  return weight;
}

/** Why a text of this weight is not read; null: it is. */
export function tooHeavy(name: string, weight: number): string | null {
  if (weight <= MOST_WEIGHT) return null;
  return `${name} has more lines and words than sshd-policy reads (some 140,000 settings, or two million comments). That is a limit of sshd-policy, not of sshd.`;
}
