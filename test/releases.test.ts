import { describe, expect, test } from "vitest";
import { atLeast, parseRelease } from "../grammar/release.ts";
import { RELEASE_FACTS } from "../scripts/release-facts.ts";

describe("the facts of docs/releases.md", () => {
  test("stand under releases, in their order", () => {
    const releases = RELEASE_FACTS.map(({ release }) => release);
    for (const [index, text] of releases.entries()) {
      const release = parseRelease(text);
      expect(release, text).not.toBeNull();
      const previous = releases[index - 1];
      if (release !== null && previous !== undefined) expect(atLeast(release, previous), text).toBe(true);
    }
    expect(new Set(releases).size).toBe(releases.length);
  });
});
