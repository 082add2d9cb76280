/** A plan in words for people, with its proof. */
import { changedLines } from "../diff/diff.ts";
import type { Plan, PlannedFile } from "../fix/plan.ts";
import { proveFix } from "../fix/proof.ts";
import { counted } from "../report/text.ts";
import { positionAt } from "../source/source.ts";
import type { ApplyOptions } from "./apply-options.ts";
import type { Live } from "./live.ts";
import type { Target } from "./target.ts";

/** The plan in words; why it is not to be carried out, or null. */
export function tellPlan(
  { tell }: Live,
  target: Target,
  { plan, options }: { readonly plan: Plan; readonly options: ApplyOptions },
): string | null {
  const { losses, unasked, limits } = proveFix(plan, target.world);
  const doubt = unasked[0] ?? limits[0];
  const edits = plan.files.flatMap(editTexts);
  const proof = doubt === undefined ? "nothing else changes meaning (proved for every connection)" : doubt;
  const head = `${counted(edits.length, "line")} in ${counted(plan.files.length, "file")}, ${proof}`;
  const isStopped = doubt !== undefined && options.force !== true;
  tell({
    step: "plan",
    state: isStopped ? "failed" : "ok",
    text: [head, ...edits, ...leftTexts(plan), ...losses.map((loss) => `who loses: ${loss}`)].join("\n"),
  });
  return isStopped ? `not proved: ${doubt}; --force goes on all the same` : null;
}

/** What stays as it is, and why: "/etc/ssh/sshd_config:121  left open, written on purpose (--unsafe-fixes closes it): …". */
function leftTexts({ remaining, left }: Plan): string[] {
  const out = new Map(left.map((one) => [one.finding, one.because]));
  const open = remaining.flatMap((finding) => {
    const { fix, place, message } = finding;
    const isOnPurpose = fix?.safety === "unsafe" ? "written on purpose (--unsafe-fixes closes it)" : null;
    const because = out.get(finding) ?? isOnPurpose;
    if (because === null) return [];
    const { line } = positionAt(place.source, place.start);
    return [`  ${place.source.path}:${line}  left open, ${because}: ${message}`];
  });
  const impossible = left.flatMap(({ finding, what, because }) =>
    finding === null ? [`  ${what}  left as it is: ${because}`] : [],
  );
  return [...new Set([...staleTexts(remaining), ...open, ...impossible])];
}

/** What a restart brings besides the fix: an undo restarts with these changes, too. */
function staleTexts(remaining: Plan["remaining"]): string[] {
  const stale = remaining.filter(({ rule }) => rule === "stale-daemon");
  return stale.map(
    ({ place }) =>
      `  ${place.source.path}  was changed since sshd read it: the restart takes that up, too, and no undo takes it back`,
  );
}

/** "/etc/ssh/sshd_config:88  AllowTcpForwarding yes -> AllowTcpForwarding no". */
function editTexts({ shown, before, edits }: PlannedFile): string[] {
  return changedLines({ name: shown, before, edits }).map(
    ({ line, before: old, after: now }) =>
      `  ${shown}:${line}  ${[old, now].map((text) => (text ?? "").replace(/[\t\r ]+/g, " ").replace(/ $/, "")).join(" -> ")}`,
  );
}
