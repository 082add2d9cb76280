/** Real files: lossless reading, and the verdict, first error line and values of the sshds that judged them. */
import { expect, it } from "vitest";
import { parseText, printText } from "../grammar/parser.ts";
import { checkConfig } from "../src/config/check.ts";
import { templateOf } from "../src/files/template-language.ts";
import { describeUnless } from "./needs.ts";
import { CORPUS_MISSING, corpusFiles, corpusVerdicts, verdictRelease } from "./sshd/corpus.ts";
import { connectionOf, load, MAIN_FILE, release, settingsOf } from "./sshd/reading.ts";

/** The connection of the recorded values. */
const CONNECTION = "user=alice,host=client.example.com,addr=198.51.100.7,laddr=192.0.2.1,lport=22";

/** The recorded error is the first that names the file; this one comes before it. */
const PRELUDE = /^Unsupported KEX algorithm /;

interface Difference {
  readonly file: string;
  readonly release: string;
  readonly ours: string;
  readonly sshd: string;
}

interface Comparison {
  readonly pairs: number;
  readonly refused: number;
  readonly verdicts: readonly Difference[];
  readonly errors: readonly Difference[];
  readonly values: readonly Difference[];
}

function compareAll(): Comparison {
  const texts = new Map(corpusFiles("files").map(({ name, text }) => [name.replace(/\.conf$/, ""), text]));
  const verdicts: Difference[] = [];
  const errors: Difference[] = [];
  const values: Difference[] = [];
  let pairs = 0;
  let refused = 0;
  for (const { id, answers } of corpusVerdicts()) {
    for (const answer of answers) {
      for (const recorded of answer.releases) {
        pairs += 1;
        if (!answer.accepted) refused += 1;
        const config = load({ [MAIN_FILE]: texts.get(id) ?? "" }, release(verdictRelease(recorded)));
        const { accepted, errors: found } = checkConfig(config);
        const first = found.find(({ sshdText }) => !PRELUDE.test(sshdText));
        const ours = { accepted, error: first?.sshdText ?? null };
        const where = { file: id, release: recorded };
        const error = answer.error?.replaceAll("@FILE@", MAIN_FILE) ?? null;
        if (ours.accepted !== answer.accepted)
          verdicts.push({ ...where, ours: ours.error ?? "accepted", sshd: error ?? "accepted" });
        else if (ours.error !== error)
          errors.push({ ...where, ours: String(ours.error), sshd: String(error) });
        else if (answer.settings !== undefined) {
          const printed = settingsOf(config, connectionOf(CONNECTION), { missing: "as-sshd" });
          for (const [keyword, value] of Object.entries(answer.settings)) {
            const mine = "error" in printed ? String(printed.error) : (printed.get(keyword) ?? []).join("\n");
            if (mine !== value)
              values.push({ ...where, ours: `${keyword} ${mine}`, sshd: `${keyword} ${value}` });
          }
        }
      }
    }
  }
  return { pairs, refused, verdicts, errors, values };
}

const FEATURES = /^\S+ line \d+: Bad (SSH2|key types)/;

describeUnless(CORPUS_MISSING, "real files", () => {
  it("prints every file and template byte for byte", () => {
    const all = (["files", "templates", "edits"] as const).flatMap(corpusFiles);
    expect(all.length).toBeGreaterThan(700);
    for (const of of ["7.4", "8.4", "9.2", "10.6"].map(release)) {
      for (const { name, text } of all) expect(printText(parseText(text, of)) === text, name).toBe(true);
    }
  });

  it("checks every template without an exception", () => {
    for (const { name, text } of corpusFiles("templates")) {
      const { errors } = checkConfig(load({ [MAIN_FILE]: text }, release("9.2+debian")));
      for (const { place } of errors) expect(place.end, name).toBeLessThanOrEqual(place.source.text.length);
    }
  });

  it("takes no real file for a template, and names those of Jinja, ERB and Go as such", () => {
    const plain = (["files", "edits"] as const).flatMap(corpusFiles);
    expect(plain.filter(({ text }) => templateOf("/x/sshd_config", text) !== null)).toEqual([]);
    const languages: Record<string, number> = {};
    for (const { name, text } of corpusFiles("templates")) {
      const kind = `${name.slice(name.lastIndexOf("."))} ${templateOf(`/${name}`, text)}`;
      languages[kind] = (languages[kind] ?? 0) + 1;
    }
    // what has no placeholder but in its comments is plain
    expect(languages).toMatchObject({
      ".erb ERB": 64,
      ".erb null": 2,
      ".j2 Jinja": 47,
      ".j2 null": 5,
      ".gotpl Go": 2,
      ".in @NAME@": 1,
      ".tmpl Go": 18,
      ".tmpl Jinja": 17,
      ".tmpl %%NAME%%": 1,
      ".tmpl shell": 4,
    });
  });

  it("agrees with the recorded verdicts, error lines and values", () => {
    const { pairs, refused, verdicts, errors, values } = compareAll();
    expect(pairs).toBe(5376);
    expect(refused).toBeGreaterThan(300);
    expect(values).toEqual([]);
    // Invariant: what sshd refuses is never accepted, but for algorithms that were not compiled in
    expect(verdicts.filter(({ ours, sshd }) => ours === "accepted" && !FEATURES.test(sshd))).toEqual([]);
    expect(verdicts).toEqual([]);
    expect(errors).toEqual([]);
  });
});
