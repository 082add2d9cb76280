/** The exposure map as one SVG picture: a row for each group of connections, a column for each kind of forwarding. */
import type { Answer } from "../policy/answer.ts";
import {
  CELL_COLUMNS,
  cellText,
  deciderText,
  type ExposedTarget,
  type ExposureReport,
  legend,
  rowsOf,
} from "./exposure.ts";
import { releaseWords } from "./judged.ts";
import { escapeBytes } from "./markup.ts";

const LABEL = 300;
const CELL = 104;
const LINE = 17;
const MARGIN = 16;
const LABEL_CHARACTERS = 42;
const CELL_CHARACTERS = 13;

const STYLE = `
text{font:13px system-ui,sans-serif;fill:#1b1f24}.head{font-weight:600}.dim{fill:#59636e}
rect{stroke:#d0d7de}.page{fill:#fff;stroke:none}.closed{fill:#eef6f0}.open{fill:#fde7d8;stroke:#d9822b}.held{fill:#f3f0e4}.unknown{fill:#e4e0f5;stroke:#6f5bd0}.other{fill:none;stroke-dasharray:2 3}
@media (prefers-color-scheme:dark){text{fill:#e6e9ee}.dim{fill:#9aa4b0}rect{stroke:#30363d}.page{fill:#0e1116}.closed{fill:#13241a}.open{fill:#4a2a12;stroke:#d9822b}.held{fill:#2c291c}.unknown{fill:#2a2450;stroke:#9d8df1}}`;

export function exposureSvg({ targets }: ExposureReport): string {
  let top = MARGIN;
  const parts = targets.map((target) => {
    const { text, height } = mapOf(target, top);
    top += height + MARGIN;
    return text;
  });
  const width = LABEL + CELL * CELL_COLUMNS.length + MARGIN * 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img">
<style>${STYLE}</style><rect class="page" width="${width}" height="${top}"/>
${parts.join("\n")}
</svg>
`;
}

interface Drawn {
  readonly text: string;
  readonly height: number;
}

function mapOf(target: ExposedTarget, top: number): Drawn {
  const { accounts, answers, nothing, exposure } = target;
  const complete = exposure.complete ? "" : ", NOT complete";
  const head = [
    textAt(MARGIN, top + LINE, `who can forward: ${target.path}`, "head"),
    textAt(MARGIN, top + LINE * 2, `${releaseWords(target)}${complete}; ${accounts}`, "dim"),
    ...CELL_COLUMNS.map(([, title], index) => textAt(columnAt(index), top + LINE * 4, title, "head")),
  ];
  let at = top + LINE * 4.5;
  const rows = rowsOf(answers).map(([condition, inRow]) => {
    const { text, height } = rowOf(condition, inRow, at);
    at += height;
    return text;
  });
  if (rows.length === 0) {
    rows.push(textAt(MARGIN, at + LINE, nothing, ""));
    at += LINE * 2;
  }
  const marks = legend(answers).map((mark) => {
    at += LINE;
    return textAt(MARGIN, at, mark, "dim");
  });
  return { text: [...head, ...rows, ...marks].join("\n"), height: at - top };
}

function rowOf(condition: string, answers: readonly Answer[], top: number): Drawn {
  const lines = wrapped(condition);
  const height = Math.max(lines.length, 1) * LINE + 12;
  const label = lines.map((line, index) => textAt(MARGIN, top + LINE * (index + 1), line, ""));
  const cells = CELL_COLUMNS.map(([capability], index) =>
    cellOf(
      answers.filter((answer) => answer.capability === capability),
      { x: columnAt(index), y: top + 2, height: height - 6 },
    ),
  );
  return { text: [...label, ...cells].join("\n"), height };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

function cellOf(answers: readonly Answer[], { x, y, height }: Box): string {
  const said = answers.map(cellText).join(" ");
  const shown = said.length > CELL_CHARACTERS ? `${said.slice(0, CELL_CHARACTERS - 3)}...` : said;
  const why = answers.flatMap(({ decidedBy }) => decidedBy.map(deciderText)).join(", ");
  const title = answers.length === 0 ? "another row says it" : `${said}: ${why}`;
  return `<g><title>${escapeBytes(title)}</title><rect class="${kindOf(answers)}" x="${x}" y="${y}" width="${CELL - 6}" height="${height}" rx="4"/>${textAt(x + 6, y + LINE - 2, shown, "")}</g>`;
}

function kindOf(answers: readonly Answer[]): string {
  if (answers.length === 0) return "other";
  if (answers.some(({ allowed }) => allowed === "unknown")) return "unknown";
  const open = answers.filter(({ allowed }) => allowed === true);
  if (open.length === 0) return "closed";
  return open.every(({ login }) => login === "impossible") ? "held" : "open";
}

function columnAt(index: number): number {
  return MARGIN + LABEL + CELL * index;
}

function textAt(x: number, y: number, text: string, kind: string): string {
  return `<text x="${x}" y="${y}"${kind === "" ? "" : ` class="${kind}"`}>${escapeBytes(text)}</text>`;
}

/** At blanks, as far as there are some. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= LABEL_CHARACTERS) lines.push(word.slice(0, 200));
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
