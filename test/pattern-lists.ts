/** Random patterns and their lists, as Match lines and AllowUsers hold them. */
import fc from "fast-check";

/** One of the texts with a wildcard in the place of a character, or at its end. */
export function withWildcard(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.nat(12), fc.constantFrom("*", "?"))
    .map(([text, at, wild]) => text.slice(0, at) + wild + text.slice(at + 1));
}

/** One to three patterns between commas, a third of them negated. */
export function signedList(pattern: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .array(
      fc.tuple(fc.constantFrom("", "", "!"), pattern).map((parts) => parts.join("")),
      { minLength: 1, maxLength: 3 },
    )
    .map((items) => items.join(","));
}
