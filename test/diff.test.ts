/** Diffs that are made from edits: what git and patch make of them, and what a search for differences finds. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatPatch, OMIT_HEADERS, structuredPatch } from "diff";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChangedFile, changedLines, unifiedDiff } from "../src/diff/diff.ts";
import { applyEdits, composeEdits, type Edit } from "../src/edit/edit.ts";
import { makeFolder } from "./own-folder.ts";

const SEED = 20261126;

/** Few different lines, so that an edit may make a line equal to its neighbour. */
const LINE = fc.constantFrom("", "a", "b", "\tc\r", "a longer line", "\u00e4");
const TEXT = fc
  .tuple(fc.array(LINE, { maxLength: 30 }), fc.boolean())
  .map(([lines, isWhole]) => lines.join("\n") + (isWhole && lines.length > 0 ? "\n" : ""));

/** Sorted and disjoint, some at the same place. */
function editsOf(text: string): fc.Arbitrary<Edit[]> {
  const at = fc.integer({ min: 0, max: text.length });
  const news = fc.constantFrom("", "a", "x", "x\n", "\nx", "x\ny\n", "\n");
  return fc.array(fc.tuple(at, at, news), { maxLength: 6 }).map((drawn) => {
    const places = [...drawn.map(([from]) => from), ...drawn.map(([, to]) => to)].sort((a, b) => a - b);
    return drawn.map(([, , added], index) => ({
      path: "/f",
      start: places[2 * index] ?? 0,
      end: places[2 * index + 1] ?? 0,
      text: added,
    }));
  });
}

const CHANGED = TEXT.chain((before) => editsOf(before).map((edits) => ({ before, edits })));

/** Plain ones, and ones that both programs want quoted. */
const NAMES = ["f", 'a "quoted" one', "back\\slash", "tab\t", "bell\x07", "\n"];

describe("a unified diff", () => {
  it.each([
    ["git apply", ["git", "apply", "--whitespace=nowarn", "-"]],
    ["patch", ["patch", "-p1", "--binary", "--silent", "--fuzz=0"]],
  ])("makes the new text of the old one: %s", (_, [program = "", ...words]) => {
    const drawn = fc.sample(CHANGED, { numRuns: 400, seed: SEED });
    const files = drawn.map(
      (one, index): ChangedFile => ({ ...one, name: `some folder/${NAMES[index % NAMES.length]}${index}` }),
    );
    const folder = makeFolder();
    mkdirSync(join(folder, "some folder"));
    for (const { name, before } of files) writeFileSync(join(folder, name), before, "latin1");
    const input = Buffer.from(unifiedDiff(files), "latin1");
    execFileSync(program, words, {
      cwd: folder,
      input,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: "/" },
    });
    for (const [index, { name }] of files.entries()) {
      const { before, edits } = drawn[index] ?? { before: "", edits: [] };
      // both remove a file that has become empty
      const after = applyEdits(before, edits);
      const now = after === "" && before !== "" ? "" : readFileSync(join(folder, name), "latin1");
      expect(now, JSON.stringify({ before, edits })).toBe(after);
    }
  });

  it("has the hunks that a search for differences finds, where no two lines are equal", () => {
    const numbered = fc
      .tuple(fc.integer({ min: 1, max: 60 }), fc.array(fc.nat({ max: 59 }), { maxLength: 8 }), fc.boolean())
      .map(([count, at, isWhole]) => {
        const before = Array.from({ length: count }, (_, line) => `line ${line}\n`).join("");
        const text = isWhole ? before : before.slice(0, -1);
        const places = [...new Set(at)]
          .filter((line) => line < count)
          .map((line) => text.indexOf(`line ${line}`));
        return {
          before: text,
          edits: places.map((start) => ({
            start,
            end: start + 4 * (start % 2),
            text: start % 3 ? "new" : "new\n",
          })),
        };
      });
    fc.assert(
      fc.property(numbered, ({ before, edits }) => {
        const after = applyEdits(
          before,
          edits.map((edit) => ({ ...edit, path: "/f" })),
        );
        const found = structuredPatch("f", "f", before, after, "", "", { context: 3 });
        // with their numbers: git and patch look for a hunk elsewhere, too
        const body = found.hunks.length === 0 ? "" : formatPatch(found, OMIT_HEADERS);
        expect(unifiedDiff([{ name: "f", before, edits }]).replace(/^--- .*\n\+\+\+ .*\n/, "")).toBe(body);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("is empty where the edits change nothing", () => {
    const edits = [{ start: 0, end: 1, text: "a" }];
    expect(unifiedDiff([{ name: "f", before: "a\n", edits }])).toBe("");
    expect(changedLines({ name: "f", before: "a\n", edits })).toEqual([]);
  });

  it.each([
    ["a-b.conf~", "b/a-b.conf~"],
    ["a b", "b/a b\t"],
    ['"\\', '"b/\\"\\\\"'],
    ["\t ~", '"b/\\011 ~"'],
    ["\x1fA\x7f\xe4", '"b/\\037A\\177\\344"'],
  ])("leaves what can be read of a name as it is: %j", (name, written) => {
    const diff = unifiedDiff([{ name, before: "", edits: [{ start: 0, end: 0, text: "a\n" }] }]);
    expect(/^\+\+\+ (.*)$/m.exec(diff)?.[1]).toBe(written);
  });

  it("has as few lines as its edits leave, in a text for people, too", () => {
    const before = "a\nb\nc\nd\n";
    const edits = [{ start: 0, end: before.length, text: "a\nx\ny\nc\nd\n" }];
    expect(changedLines({ name: "f", before, edits })).toEqual([
      { line: 2, before: "b", after: "x" },
      { line: 3, before: null, after: "y" },
    ]);
    expect(unifiedDiff([{ name: "f", before, edits }]).match(/^[-+](?![-+]).*$/gm)).toEqual([
      "-b",
      "+x",
      "+y",
    ]);
  });

  it("of thousands of lines is made in a moment", () => {
    const before = "AllowTcpForwarding yes\n".repeat(200_000);
    const edits = Array.from({ length: 200_000 }, (_, line) => ({
      start: line * 23 + 19,
      end: line * 23 + 22,
      text: "no",
    }));
    const started = performance.now();
    const HEAD = "--- a/f\n+++ b/f\n@@ -1,200000 +1,200000 @@\n";
    expect(unifiedDiff([{ name: "f", before, edits }])).toHaveLength(
      2 * 200_000 * 24 - 200_000 + HEAD.length,
    );
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

it("edits of edits are edits of the original", () => {
  const twice = TEXT.chain((before) =>
    editsOf(before).chain((first) => {
      const between = applyEdits(before, first);
      return editsOf(between).map((second) => ({
        before,
        first,
        second,
        after: applyEdits(between, second),
      }));
    }),
  );
  fc.assert(
    fc.property(twice, ({ before, first, second, after }) => {
      expect(applyEdits(before, composeEdits(first, second))).toBe(after);
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

it("of a hundred thousand edits and one more are made", () => {
  const first = Array.from({ length: 140_000 }, (_, line) => ({
    ...{ path: "/f", start: line * 3, end: line * 3 + 1, text: "xx" },
  }));
  const last = { path: "/f", start: 560_000, end: 560_001, text: "" };
  expect(composeEdits(first, [last])).toHaveLength(140_001);
});

it("edits are made in order of position, those of one place in the order given, an insertion before what is replaced", () => {
  const at = (start: number, end: number, text: string): Edit => ({ path: "/f", start, end, text });
  const edits = [at(2, 2, "k"), at(1, 2, "X"), at(1, 1, "i"), at(1, 1, "j")];
  expect(applyEdits("abc", edits)).toBe("aijXkc");
  for (const wrong of [at(0, 2, ""), at(1, 3, ""), at(3, 4, ""), at(3, 2, "")])
    expect(() => applyEdits("abc", [at(1, 2, "X"), wrong])).toThrow(RangeError);
});
