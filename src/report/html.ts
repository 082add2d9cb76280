/**
 * One self-contained page: who can forward, the findings with their lines, a filter. Nothing is loaded from outside,
 * and a content security policy says so.
 */

import { createHash } from "node:crypto";
import type { Answer } from "../policy/answer.ts";
import { positionAt } from "../source/source.ts";
import { excerpt } from "./excerpt.ts";
import { becauseText, CELL_COLUMNS, cellText, legend, rowsOf } from "./exposure.ts";
import { byWhat } from "./judged.ts";
import { escapeBytes, escapeShown } from "./markup.ts";
import {
  type AuditReport,
  assumedTexts,
  countFindings,
  type ReportedFinding,
  type TargetReport,
} from "./report.ts";

export function html(report: AuditReport): string {
  const counts = countFindings(report.targets);
  const chips = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(
      ([severity, count]) =>
        `<label class="chip ${severity}"><input type="checkbox" name="severity" value="${severity}" checked> ${count} ${severity}</label>`,
    );
  const policy = `default-src 'none'; style-src '${hashOf(STYLE)}'; script-src '${hashOf(SCRIPT)}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>sshd-policy: ${report.targets.map(({ path }) => escapeBytes(path)).join(", ")}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>sshd-policy</h1><p>${chips.length === 0 ? "No findings." : "Findings by severity:"}</p>
<form id="filter">${chips.join("\n")}
<input type="search" name="text" placeholder="rule or word" aria-label="filter findings"></form></header>
<main>
${report.targets.map(targetHtml).join("\n")}
</main>
<footer><p>${escapeBytes(report.tool.name)} ${escapeBytes(report.tool.version)}</p></footer>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function targetHtml(target: TargetReport): string {
  const title = `<h2>${escapeBytes(target.path)}</h2>`;
  if (target.error !== null)
    return `<section>${title}<p class="failed">${escapeBytes(target.error)}</p></section>`;
  const limits = target.limits
    .map((limit) => `<p class="failed">Not complete: ${escapeBytes(limit)}</p>`)
    .join("");
  const findings = target.findings.map((reported) => findingHtml(reported)).join("\n");
  const judgedBy = [byWhat(target), ...target.otherReadings, ...assumedTexts(target)];
  return `<section>${title}
<p class="judged">Judged ${escapeBytes(judgedBy.join("; "))}.</p>${limits}
<h3>Who can forward</h3>
${exposureHtml(target.answers, "nobody can forward anything")}
<h3>Findings</h3>
${findings === "" ? "<p>None.</p>" : findings}
</section>`;
}

/** The map as a table; `nothing`: what is said of an empty one. */
export function exposureHtml(answers: readonly Answer[], nothing: string): string {
  const open = answers.filter(({ allowed }) => allowed !== false);
  if (open.length === 0)
    return `<p>${escapeBytes(`${nothing.charAt(0).toUpperCase()}${nothing.slice(1)}`)}.</p>`;
  const rows = rowsOf(open).map(([condition, inRow]) => {
    const cells = CELL_COLUMNS.map(([capability]) => {
      const inCell = inRow.filter((answer) => answer.capability === capability);
      if (inCell.length === 0) return "<td></td>";
      const because = inCell.map(becauseText).join(", ");
      return `<td class="open"><b>${escapeBytes(inCell.map(cellText).join(" "))}</b><small>${escapeBytes(because)}</small></td>`;
    });
    return `<tr><th scope="row">${escapeBytes(condition)}</th>${cells.join("")}</tr>`;
  });
  const heads = CELL_COLUMNS.map(([, title]) => `<th scope="col">${title}</th>`).join("");
  return `<div class="scroll"><table><thead><tr><th></th>${heads}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>
<p class="judged">${["Rows add up: what everybody may do stands in the row of everybody alone", ...legend(open)].map(escapeBytes).join("; ")}.</p>`;
}

function findingHtml({ finding, suppressed }: ReportedFinding): string {
  const { place, severity, rule, message, label, related, notes, fix, breaks, witness, grant } = finding;
  const { line, column } = positionAt(place.source, place.start);
  const context = related.map((one) => one.place);
  const lines = excerpt(place, context, label)
    .map(
      ({ number, text, role }) =>
        `<span class="${role}">${escapeShown(`${String(number ?? "").padStart(5)} | ${text}`)}</span>`,
    )
    .join("\n");
  const rows = [
    ...(witness === null
      ? []
      : [
          [
            "witness",
            `user=${witness.user ?? ""} from ${witness.addr ?? "anywhere"}${grant === "" ? "" : `: ${grant}`}`,
          ] as const,
        ]),
    ...related.map(
      (one) => ["note", `line ${positionAt(one.place.source, one.place.start).line}: ${one.note}`] as const,
    ),
    ...notes.map((note) => ["note", note] as const),
    ...(fix === null ? [] : [["fix", `${fix.title} (${fix.safety})`] as const]),
    ...(breaks === null ? [] : [["breaks", breaks] as const]),
    ...(suppressed === null ? [] : [["accepted", suppressed.reason] as const]),
  ].map(([name, text]) => `<dt>${name}</dt><dd>${escapeBytes(text)}</dd>`);
  return `<article class="finding ${severity}${suppressed === null ? "" : " held"}" data-severity="${severity}">
<h4><span class="badge">${severity}</span> <code>${escapeBytes(rule)}</code> <span class="place">${escapeBytes(place.source.path)}:${line}:${column}</span></h4>
<p>${escapeBytes(message)}</p>
${lines === "" ? "" : `<pre>${lines}</pre>`}
<dl>${rows.join("")}</dl>
</article>`;
}

export function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#59636e;--line:#d0d7de;--box:#f6f8fa;--high:#b3261e;--medium:#8a5a00;--low:#0b6477;--info:#3b5bdb}
@media (prefers-color-scheme:dark){:root{--bg:#0e1116;--fg:#e6e9ee;--dim:#9aa4b0;--line:#30363d;--box:#161b22;--high:#ff8a80;--medium:#f0b429;--low:#56c5db;--info:#91a7ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.4rem;margin:0}h2{font-size:1.15rem;overflow-wrap:anywhere;border-bottom:1px solid var(--line);padding-bottom:.3rem}
h3{font-size:1rem}h4{margin:0;font-size:.95rem;font-weight:600;overflow-wrap:anywhere}
.judged,.place,small,footer{color:var(--dim)}.failed{color:var(--high)}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
.chip{border:1px solid var(--line);border-radius:1rem;padding:.15rem .7rem;font-size:.9rem}
input[type=search]{font:inherit;padding:.2rem .6rem;border:1px solid var(--line);border-radius:.4rem;background:var(--box);color:inherit;min-width:10rem;flex:1}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem}th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
tbody th{font-weight:600;min-width:10rem}td small{display:block;font-size:.75rem}
.finding{border:1px solid var(--line);border-left:4px solid var(--dim);border-radius:.4rem;padding:.7rem 1rem;margin:.8rem 0}
.finding p{margin:.4rem 0}.held{opacity:.75}
.error,.high{border-left-color:var(--high)}.medium{border-left-color:var(--medium)}.low{border-left-color:var(--low)}.info{border-left-color:var(--info)}
.badge{text-transform:uppercase;font-size:.75rem;letter-spacing:.04em}
.error .badge,.high .badge{color:var(--high)}.medium .badge{color:var(--medium)}.low .badge{color:var(--low)}.info .badge{color:var(--info)}
pre{background:var(--box);padding:.6rem;border-radius:.3rem;overflow-x:auto;font-size:.85rem;line-height:1.4}
pre .context,pre .gap{color:var(--dim)}pre .carets{color:var(--high)}
dl{display:grid;grid-template-columns:auto 1fr;gap:.15rem 1rem;margin:0;font-size:.9rem}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
[hidden]{display:none}`;

const SCRIPT = `
const form=document.getElementById("filter");
form.addEventListener("input",()=>{
const data=new FormData(form),on=new Set(data.getAll("severity")),text=String(data.get("text")||"").toLowerCase();
for(const one of document.querySelectorAll(".finding"))one.hidden=!on.has(one.dataset.severity)||!one.textContent.toLowerCase().includes(text);
});
form.addEventListener("submit",(event)=>event.preventDefault());`;
