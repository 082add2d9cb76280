/** A report with other names in its texts. What a fix would change, and the lines themselves, are not touched. */
import type { Answer, Extent } from "../policy/answer.ts";
import type { Connection } from "../policy/connection.ts";
import type { ReportedFinding, TargetReport } from "./report.ts";

/** What becomes of a text. */
type Rename = (text: string) => string;

export function renamedReport(report: TargetReport, rename: Rename): TargetReport {
  return {
    ...report,
    otherReadings: report.otherReadings.map(rename),
    limits: report.limits.map(rename),
    findings: report.findings.map((reported) => renamedFinding(reported, rename)),
    // most reporters show none of them
    get answers() {
      return report.answers.map((answer) => renamedAnswer(answer, rename));
    },
  };
}

function renamedFinding(reported: ReportedFinding, rename: Rename): ReportedFinding {
  const { finding, edits } = reported;
  const { fix } = finding;
  return {
    ...reported,
    finding: {
      ...finding,
      message: rename(finding.message),
      label: rename(finding.label),
      related: finding.related.map(({ place, note }) => ({ place, note: rename(note) })),
      witness: finding.witness && renamedConnection(finding.witness, rename),
      grant: rename(finding.grant),
      // long lists, which some reporters show
      get affected() {
        return finding.affected.map((one) => {
          const { who, except } = renamedExtent(one, rename);
          return { who, except, capability: one.capability, grant: rename(one.grant) };
        });
      },
      notes: finding.notes.map(rename),
      fix: fix && { ...fix, title: rename(fix.title), because: rename(fix.because) },
    },
    edits: edits?.map((edit) => ({ ...edit, text: rename(edit.text) })) ?? null,
  };
}

function renamedConnection(connection: Connection, rename: Rename): Connection {
  const { user, groups } = connection;
  return { ...connection, user: user && rename(user), groups: groups?.map(rename) ?? null };
}

/** Criteria are told in the order of their texts, by which fingerprints know them; no value has a comma and a blank. */
function renamedExtent({ who, except }: Extent, rename: Rename): Extent {
  const inOrder = (criteria: string): string => rename(criteria).split(", ").sort().join(", ");
  return { who: inOrder(who), except: except?.map(inOrder) ?? null };
}

function renamedAnswer(answer: Answer, rename: Rename): Answer {
  const { unknownBecause, listen, witness } = answer;
  return {
    ...answer,
    unknownBecause: unknownBecause && rename(unknownBecause),
    condition: rename(answer.condition),
    extent: renamedExtent(answer.extent, rename),
    destinations: answer.destinations.map(rename),
    listen: listen && { ...listen, addresses: listen.addresses.map(rename) },
    witness: witness && renamedConnection(witness, rename),
    decidedBy: answer.decidedBy.map((decider) => ({ ...decider, value: rename(decider.value) })),
    loginBecause: rename(answer.loginBecause),
    needs: answer.needs.map(rename),
  };
}

/** All that a report says, places included, as one text to compare. */
export function textsOf(report: TargetReport): string {
  return JSON.stringify(report, (key, value: unknown) => (LINES.has(key) ? undefined : value));
}

/** What stands in the lines, of which a report shows places and its own texts. */
const LINES: ReadonlySet<string> = new Set([
  "source",
  "line",
  "args",
  "values",
  "guards",
  "outer",
  "changes",
]);
