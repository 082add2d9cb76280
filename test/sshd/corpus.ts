/** Real sshd_config files with the recorded verdicts of real sshds. Read in place, since their licences differ. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "../../src/source/source.ts";

const FOLDER = join(import.meta.dirname, "../../../shared/corpus");

/** Why tests that need the corpus are skipped; null when it is there. */
export const CORPUS_MISSING: string | null = existsSync(join(FOLDER, "files"))
  ? null
  : `the corpus of real files is not at ${FOLDER}`;

export interface CorpusFile {
  readonly name: string;
  readonly text: string;
}

export interface CorpusVerdicts {
  readonly id: string;
  readonly answers: readonly {
    readonly releases: readonly string[];
    readonly accepted: boolean;
    readonly error?: string;
    readonly settings?: Readonly<Record<string, string>>;
  }[];
}

/** `files`: sshd_config files · `templates`: Jinja, ERB and shell · `edits`: before and after of real commits. */
export function corpusFiles(kind: "files" | "templates" | "edits"): CorpusFile[] {
  if (CORPUS_MISSING !== null) return [];
  const folder = join(FOLDER, kind);
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, text: decode(readFileSync(join(folder, name))) }));
}

export function corpusVerdicts(): CorpusVerdicts[] {
  if (CORPUS_MISSING !== null) return [];
  const lines = readFileSync(join(FOLDER, "verdicts.jsonl"), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** In verdicts.jsonl these are Debian's builds, without saying so; the others were built without PAM and GSSAPI. */
const DEBIAN_IN_VERDICTS: readonly string[] = ["8.4", "9.2", "10.6"];

export function verdictRelease(recorded: string): string {
  return DEBIAN_IN_VERDICTS.includes(recorded) ? `${recorded}+debian` : recorded;
}
