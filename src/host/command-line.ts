/** sshd's own command line (sshd(8)): read from a process, and reduced to what a test run of it needs. */

export interface Option {
  readonly letter: string;
  /** null: the letter takes none */
  readonly value: string | null;
}

/** Letters that take a value; the argument that follows is theirs where nothing follows in the same one. */
const WITH_VALUE = "bcCEfghkopu";

/** Letters that decide what `-t` and `-T` answer. */
const MATTER_FOR_TEST = "cfhop";

export function readOptions(words: readonly string[]): readonly Option[] {
  const options: Option[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("-")) continue;
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? "";
      if (!WITH_VALUE.includes(letter)) options.push({ letter, value: null });
      else {
        options.push({ letter, value: at < word.length - 1 ? word.slice(at + 1) : (words[++index] ?? "") });
        break;
      }
    }
  }
  return options;
}

/** What stands behind the program for `sshd … -t`: the same files, keys and settings, nothing of how it runs. */
export function testArguments(options: readonly Option[]): readonly string[] {
  return printOptions(
    options.filter(({ letter, value }) => value !== null && MATTER_FOR_TEST.includes(letter)),
  );
}

export function printOptions(options: readonly Option[]): readonly string[] {
  return options.flatMap(({ letter, value }) => (value === null ? [`-${letter}`] : [`-${letter}`, value]));
}

/**
 * The arguments that a title shows joined by blanks (sshd.c prepare_proctitle). sshd takes options alone, so a word that
 * does not start with a dash belongs to the one before it: `-o AllowTcpForwarding no` was two arguments.
 */
export function splitTitle(title: string): readonly string[] {
  const joined: string[] = [];
  let wantsValue = false;
  for (const word of title.split(" ")) {
    const last = joined.at(-1);
    if (word.startsWith("-") || joined.length < 2 || wantsValue) joined.push(word);
    else joined[joined.length - 1] = `${last} ${word}`;
    wantsValue = word.startsWith("-") && readOptions([word]).at(-1)?.value === "";
  }
  return joined;
}
