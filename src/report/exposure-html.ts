/** Who may forward what, as one self-contained page. Nothing is loaded from outside, and a policy of the page says so. */
import type { Answer } from "../policy/answer.ts";
import { formatSpecification } from "../policy/specification.ts";
import { CELL_COLUMNS, cellText, deciderText, type ExposedTarget, type ExposureReport } from "./exposure.ts";
import { exposureHtml, hashOf, STYLE } from "./html.ts";
import { byWhat } from "./judged.ts";
import { escapeBytes } from "./markup.ts";
import { shellWord } from "./text.ts";

export function exposurePage({ targets }: ExposureReport): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '${hashOf(STYLE)}'">
<title>who can forward: ${targets.map(({ path }) => escapeBytes(path)).join(", ")}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>Who can forward</h1></header>
<main>
${targets.map(targetHtml).join("\n")}
</main>
</body>
</html>
`;
}

function targetHtml(target: ExposedTarget): string {
  const { path, exposure, answers, nothing, connections } = target;
  const limits = exposure.limits.map((limit) => `<p class="failed">Not complete: ${escapeBytes(limit)}</p>`);
  const assumptions = exposure.assumptions.map((text) => `<li>${escapeBytes(text)}</li>`);
  const asked = connections.map(({ connection, answers: found }) => {
    const cells = CELL_COLUMNS.map(([capability, title]) => {
      const answer = found.get(capability) ?? null;
      return answer === null
        ? ""
        : `<dt>${title}</dt><dd>${escapeBytes(`${cellText(answer)}: ${whyText(answer)}`)}</dd>`;
    });
    return `<h3>${escapeBytes(formatSpecification(connection))}</h3><dl>${cells.join("")}</dl>`;
  });
  return `<section><h2>${escapeBytes(path)}</h2>
<p class="judged">Judged ${escapeBytes(byWhat(target))}.</p>${limits.join("")}
${exposureHtml(answers, nothing)}
${witnesses(answers)}
${asked.join("\n")}
<h3>Assumed</h3><ul>${assumptions.join("")}</ul>
</section>`;
}

function whyText({ decidedBy }: Answer): string {
  return decidedBy.map(deciderText).join(", ");
}

/** One line for each group of connections and its witness, to be checked by hand. */
function witnesses(answers: readonly Answer[]): string {
  const byWitness = new Map<string, Set<string>>();
  for (const { allowed, witness, capability, condition } of answers) {
    if (allowed === false || witness === null) continue;
    const line = `${condition}: -C ${shellWord(formatSpecification(witness))}${groupsText(witness.groups)}`;
    byWitness.set(line, (byWitness.get(line) ?? new Set()).add(capability));
  }
  const rows = [...byWitness].map(
    ([line, capabilities]) => `<dt>${[...capabilities].join(", ")}</dt><dd>${escapeBytes(line)}</dd>`,
  );
  return rows.length === 0 ? "" : `<h3>Witnesses</h3><dl>${rows.join("")}</dl>`;
}

function groupsText(groups: readonly string[] | null): string {
  return groups === null || groups.length === 0 ? "" : ` (in ${groups.join(", ")})`;
}
