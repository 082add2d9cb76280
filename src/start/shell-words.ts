/** Words and variables as shells and init scripts write them; nothing is run. */

export function variablesOf(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (match !== null) variables.set(match[1] ?? "", splitWords(match[2] ?? "").join(" "));
  }
  return variables;
}

/** Of "NAME=value" each; later ones win. */
export function assignments(texts: readonly string[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals > 0) variables.set(text.slice(0, equals), text.slice(equals + 1));
  }
  return variables;
}

/** Words between blanks, with single and double quotes and backslashes as a shell has them. */
export function splitWords(text: string): string[] {
  const words = text.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^ \t"'\\])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(
      /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g,
      (_, double?: string, single?: string, escaped?: string) =>
        double === undefined ? (single ?? escaped ?? "") : double.replaceAll(/\\(.)/g, "$1"),
    ),
  );
}
