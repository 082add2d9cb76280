/** One measured figure, its peer in the same run, and what is to be reached. */
export interface Row {
  readonly what: string;
  /** "node -e 0", "sshd -T", … */
  readonly peer: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: "ms" | "MB/s" | "MiB" | "/s";
  readonly target: Target;
  /** for people: how it was scaled, or what is odd about it */
  readonly note?: string;
}

/** On the ratio ours : theirs, or on our own figure where no peer does the same. */
export type Target =
  | { readonly ratioAtMost: number }
  | { readonly ratioAtLeast: number }
  | { readonly oursAtMost: number }
  | { readonly oursAtLeast: number }
  /** for comparison only */
  | { readonly none: true };

export function isReached({ ours, theirs, target }: Row): boolean {
  if ("ratioAtMost" in target) return ours / theirs <= target.ratioAtMost;
  if ("ratioAtLeast" in target) return ours / theirs >= target.ratioAtLeast;
  if ("oursAtMost" in target) return ours <= target.oursAtMost;
  return "oursAtLeast" in target ? ours >= target.oursAtLeast : true;
}

function targetText({ target, unit }: Row): string {
  if ("ratioAtMost" in target) return `≤ ${target.ratioAtMost} ×`;
  if ("ratioAtLeast" in target) return `≥ ${target.ratioAtLeast} ×`;
  if ("oursAtMost" in target) return `≤ ${target.oursAtMost} ${unit}`;
  return "oursAtLeast" in target ? `≥ ${target.oursAtLeast} ${unit}` : "-";
}

/** A Markdown table, which is readable in a terminal too. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.note === undefined ? row.what : `${row.what} (${row.note})`,
    `${figure(row.ours)} ${row.unit}`,
    `${row.peer} ${figure(row.theirs)}`,
    (row.ours / row.theirs).toFixed(2),
    targetText(row),
    isReached(row) ? "ok" : "missed",
  ]);
  const all = [["what", "ours", "peer", "ratio", "target", ""], ...cells];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0))) ?? [];
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const [head = [], ...body] = all;
  return line(head) + line(widths.map((width) => "-".repeat(width))) + body.map(line).join("");
}

function figure(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
