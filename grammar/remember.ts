/** What many files of a run repeat (lines, values, misspelled words) is worked out once for each release. */
import type { Release } from "./release.ts";

/** Ours: of the first so many, as what many files share comes soon; longer texts are no setting that servers share. */
export const MOST_REMEMBERED = 5000;
export const LONGEST_REMEMBERED = 500;

/** `make` for a text, and what it gave before: it may depend on nothing but its arguments, and never gives undefined. */
export function remember<Result>(
  make: (text: string, release: Release) => Result,
): (text: string, release: Release) => Result {
  const knownOf = forEachRelease(() => new Map<string, Result>());
  return (text, release) => {
    if (text.length > LONGEST_REMEMBERED) return make(text, release);
    const known = knownOf(release);
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text, release);
    if (known.size < MOST_REMEMBERED) known.set(ownText(text), made);
    return made;
  };
}

/** What is kept for each release. A run is mostly about one. */
export function forEachRelease<Kept>(make: () => Kept): (release: Release) => Kept {
  const byRelease = new WeakMap<Release, Kept>();
  let latest: Release | null = null;
  let kept = make();
  return (release) => {
    if (release !== latest) {
      kept = byRelease.get(release) ?? make();
      byRelease.set(release, kept);
      latest = release;
    }
    return kept;
  };
}

/** A copy to keep: V8 makes a piece of a text a view, which would keep the whole file in memory. */
export function ownText(text: string): string {
  return ` ${text}`.slice(1);
}

/** So many objects and up to as many more: two configurations may be compared, and a fix is audited again. */
const FEW = 4;

/**
 * What `make` works out once for an object that comes and goes with each file of a run; never undefined. A WeakMap that
 * has grown old keeps what it holds until V8 looks through all memory, so each takes a few objects and gives way to a new one.
 */
export function onceFor<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  let older = new WeakMap<Key, Value>();
  let recent = new WeakMap<Key, Value>();
  let count = 0;
  return (key) => {
    const known = recent.get(key) ?? older.get(key);
    if (known !== undefined) return known;
    if (count++ === FEW) {
      older = recent;
      recent = new WeakMap();
      count = 1;
    }
    const made = make(key);
    recent.set(key, made);
    return made;
  };
}
