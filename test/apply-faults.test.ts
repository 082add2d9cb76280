/**
 * Every single step of `audit --fix` on a live host fails once: by an error, by kill -9 right after it, by a full disk and
 * by a read-only one. Afterwards bytes, mode, owner, attributes and service are as before, or as planned, never between.
 * docs/apply.md shows what came out; UPDATE_APPLY=1 writes it there.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { type Campaign, FAULTS, faultTables, type Row } from "./faults/rows.ts";
import { describeUnless, NOT_ROOT } from "./needs.ts";
import { openSshd } from "./sshd/driver.ts";

const PROJECT = new URL("..", import.meta.url).pathname;
const DOCUMENT = `${PROJECT}docs/apply.md`;
const MARKS = /(<!-- made by test\/apply-faults.test.ts -->\n)[\s\S]*(<!-- end -->)/;

const opened = await openSshd();
if (opened.kind === "open") await opened.sshd.close();
const missing = NOT_ROOT ?? (opened.kind === "skipped" ? opened.reason : null);

async function runCampaign(): Promise<Campaign> {
  const node = [
    "--import",
    `${PROJECT}node_modules/tsx/dist/loader.mjs`,
    `${PROJECT}test/faults/campaign.ts`,
  ];
  const argv = ["--mount", "--propagation", "private", process.execPath, ...node];
  const { stdout } = await promisify(execFile)("unshare", argv, { maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

describeUnless(missing, "one fault at every step", () => {
  let campaign: Campaign = { rows: [], troubles: [] };
  beforeAll(async () => {
    campaign = await runCampaign();
  }, 600_000);

  const wrong = (holds: (row: Row) => boolean): Row[] =>
    [...campaign.rows, ...campaign.troubles].filter((row) => !holds(row));

  it("strikes every step, in every way", () => {
    const steps = ["backup", "stage", "test", "write", "restart", "finish", "take back", "undo"];
    for (const step of steps)
      for (const fault of FAULTS)
        expect(
          campaign.rows.filter((row) => row.step === step && row.fault === fault).length,
        ).toBeGreaterThan(0);
    expect(campaign.rows.length).toBeGreaterThan(300);
  });

  it("leaves no file in part, whenever it strikes", () => {
    expect(wrong(({ whole }) => whole)).toEqual([]);
  });

  it("leaves everything as before or as planned after an error or with a full disk", () => {
    const never = campaign.rows.filter(
      ({ fault, state }) =>
        (fault === "error" || fault === "disk full") && !["before", "after"].includes(state),
    );
    expect(never).toEqual([]);
  });

  it("leaves everything as before or as planned once the next run has looked, and nothing else", () => {
    expect(
      wrong(({ recovered, left }) => ["before", "after"].includes(recovered) && left.length === 0),
    ).toEqual([]);
  });

  it("tells the truth: refused and rolled back are as before, applied is as planned", () => {
    expect(
      wrong(({ outcome, recovered }) => {
        if (outcome === null) return true;
        return recovered === (outcome === "applied" ? "after" : "before");
      }),
    ).toEqual([]);
  });

  it("comes out as docs/apply.md shows", () => {
    const text = readFileSync(DOCUMENT, "utf8");
    const now = text.replace(
      MARKS,
      (_, head: string, end: string) => `${head}${faultTables(campaign)}${end}`,
    );
    if (process.env["UPDATE_APPLY"] === "1") writeFileSync(DOCUMENT, now);
    else expect(now).toBe(text);
  });
});
