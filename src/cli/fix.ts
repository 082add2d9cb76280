/** `audit --fix` and `--diff`: plan, prove, and show or write; a live server's own file goes through apply.ts. */

import { resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { composeEdits } from "../edit/edit.ts";
import { folderTree } from "../files/folder.ts";
import { overlayTree } from "../files/overlay.ts";
import { folderOf, isBelow } from "../files/path.ts";
import type { FileTree } from "../files/tree.ts";
import { type Plan, type PlannedFile, planFix } from "../fix/plan.ts";
import { concise } from "../report/concise.ts";
import { judgedTexts } from "../report/judged.ts";
import type { AuditReport, TargetReport } from "../report/report.ts";
import { counted, visible } from "../report/text.ts";
import { encode } from "../source/source.ts";
import { answered } from "./answered.ts";
import { finish, misused } from "./audit.ts";
import { describe, withoutFindings } from "./describe-target.ts";
import { exitCode, ROLLED_BACK } from "./exit-code.ts";
import { type Found, findingsOf } from "./findings.ts";
import type { Live } from "./live.ts";
import { ownMainFile } from "./load-target.ts";
import { chosenFormat, complain, refuse, tellJudged, tellLimits, writeBytes } from "./output.ts";
import { currentFolder } from "./paths.ts";
import {
  type AuditCommandOptions,
  type Prepared,
  type PreparedAudit,
  prepareAudit,
} from "./prepare-audit.ts";
import { type FixedFile, nameToPatch, showDiff } from "./shown-diff.ts";
import { writeStandardError } from "./standard-output.ts";
import type { Absent, Target, Unreadable } from "./target.ts";
import { ownVersion } from "./version.ts";

/** What several targets of one call share: a file that two of them include is changed once. */
interface Session {
  readonly options: AuditCommandOptions;
  /** new bytes by real path inside the tree */
  readonly staged: Map<string, Uint8Array>;
  readonly changed: Map<string, FixedFile>;
  /** null: no target is this host's own */
  readonly live: Live | null;
  fixed: number;
  stopped: boolean;
  rolledBack: boolean;
}

export async function runFix(files: readonly string[], options: AuditCommandOptions): Promise<number> {
  if (options.image !== undefined && (options.diff !== true || options.image.length > 1))
    return misused({ misuse: "an image is never changed: --fix --diff shows the changes of one" });
  if (options.baseline !== undefined || options.writeBaseline !== undefined)
    return misused({
      misuse:
        "a baseline leaves findings out of a report, and a fix would close what they are about all the same: choose with --rule, or write a suppression into the file",
    });
  const prepared = await prepareAudit(files, options);
  if ("misuse" in prepared) return misused(prepared);
  const promised = ofRunningSshd(options);
  if (promised !== null && options.diff !== true && prepared.opened.every(isElsewhere))
    return misused({
      misuse: `${promised} is about this host's running sshd, and no FILE here is its configuration: nothing would be restarted, tested or undone`,
    });
  if (options.diff === true || !prepared.opened.some(isLive))
    return answered("audit", options, () => fixAll(prepared, options, null));
  return (await import("./live.ts")).whileLocked(options, async (live, recovered) => {
    const again = recovered ? await prepareAudit(files, options) : prepared;
    return "misuse" in again ? misused(again) : fixAll(again, options, live);
  });
}

function isLive(opened: Prepared | Unreadable | Absent): boolean {
  return "target" in opened && opened.target.live;
}

function isElsewhere(opened: Prepared | Unreadable | Absent): boolean {
  return "target" in opened && !opened.target.live;
}

/** An option that an administrator relies on for the way back, or for what sshd does; null: none is given. */
function ofRunningSshd({ confirm, reload, restartCommand, probe }: AuditCommandOptions): string | null {
  if (confirm !== undefined && confirm > 0) return "--confirm";
  if (reload === true) return "--reload";
  if (restartCommand !== undefined) return "--restart-command";
  return probe === true ? "--probe" : null;
}

async function fixAll(
  { opened }: PreparedAudit,
  options: AuditCommandOptions,
  live: Live | null,
): Promise<number> {
  const session: Session = {
    options,
    live,
    rolledBack: false,
    staged: new Map(),
    changed: new Map(),
    fixed: 0,
    stopped: false,
  };
  const targets: TargetReport[] = [];
  for (const one of opened)
    targets.push("target" in one ? await fixTarget(one, session) : withoutFindings(one));
  const report = { tool: { name: "sshd-policy", version: ownVersion() }, targets, fixed: session.fixed };
  if (options.diff === true) return showDiff([...session.changed.values()], report, session);
  const piped = opened.find((one) => "target" in one && one.target.stdin !== null);
  if (piped !== undefined && "target" in piped) return passOn(piped.target, session, report);
  const code = await finish(report, options);
  if (tellsInAWord(options) && live === null && session.fixed > 0) complain(fixedText(session));
  if (session.rolledBack) return ROLLED_BACK;
  return session.stopped && code === 0 ? 1 : code;
}

/** Standard input is fixed on its way to the output, so the report is on standard error. */
function passOn({ path, stdin }: Target, { staged, options }: Session, report: AuditReport): number {
  const failed = writeBytes(staged.get(path) ?? stdin ?? new Uint8Array(), options);
  if (failed !== null) return refuse(failed);
  writeStandardError(concise(report));
  tellLimits(report.targets);
  tellJudged(judgedTexts(report.targets), options);
  return exitCode(report);
}

/** The lines of concise say what is left alone. */
function tellsInAWord(options: AuditCommandOptions): boolean {
  return chosenFormat(options) === "concise" && options.quiet !== true;
}

function fixedText({ fixed, changed }: Session): string {
  const names = [...changed.values()].map(({ shown }) => visible(shown));
  return `fixed ${counted(fixed, "finding")} in ${names.join(", ")}`;
}

async function fixTarget({ target, judging }: Prepared, session: Session): Promise<TargetReport> {
  const known = new Map<Config, Found>();
  const found = (config: Config): Found => {
    const findings = known.get(config) ?? findingsOf(target, config, judging);
    known.set(config, findings);
    return findings;
  };
  const plan = planOf(target, found, session);
  const isShown = session.options.diff === true;
  const stopped = whyStopped(target, plan) ?? (isShown ? null : await write(target, plan, session));
  if (stopped === null) {
    keepChanges(target, plan, session);
    return describe(target, plan.after, found(plan.after), judging);
  }
  const became = session.rolledBack ? "put back" : "nothing was changed";
  complain(visible(`${target.name}: ${became}: ${stopped}`));
  session.stopped = true;
  const config = loadConfig(treeNow(target, session), target.path, target.loadOptions);
  return describe(target, config, found(config), judging);
}

/** The target's tree with what earlier targets of the call changed. */
function treeNow({ tree }: Target, { staged }: Session): FileTree {
  return overlayTree(tree, staged);
}

function planOf(target: Target, found: (config: Config) => Found, session: Session): Plan {
  return planFix({
    tree: treeNow(target, session),
    path: target.path,
    load: target.loadOptions,
    audit: (config) => {
      const { judged, answers, losses } = found(config);
      return {
        answers,
        losses,
        findings: judged.flatMap(({ finding, suppressed }) => (suppressed === null ? [finding] : [])),
      };
    },
    unsafe: session.options.unsafeFixes === true,
  });
}

function keepChanges(target: Target, plan: Plan, session: Session): void {
  for (const { realPath, shown, before, after, edits } of plan.files) {
    session.staged.set(realPath, encode(after));
    const first = session.changed.get(realPath);
    session.changed.set(realPath, {
      name: target.image === null ? nameToPatch(target, realPath, shown) : realPath.slice(1),
      shown,
      path: realPath,
      before: first?.before ?? before,
      edits: composeEdits(first?.edits ?? [], edits),
    });
  }
  for (const text of new Set(plan.left.map(({ what, because }) => `${because}: ${what}`)))
    complain(visible(`left as it is, for ${text}`));
  session.fixed += plan.fixed.length;
}

/** A guard that stops the whole fix of a target; null when it may be written. */
function whyStopped(target: Target, plan: Plan): string | null {
  if (plan.files.length === 0) return null;
  const [broken] = plan.broken;
  if (broken !== undefined) return `sshd would refuse the result (${broken})`;
  const [moved] = plan.moved;
  if (moved !== undefined)
    return `${moved.keyword} would change from ${moved.before} to ${moved.after} for user ${moved.connection.user ?? ""}, and no finding asks for that`;
  const outside = plan.files.find((file) => !mayWrite(target, file));
  if (outside !== undefined)
    return `the line to change stands in ${outside.realPath}, outside ${target.writableFolder}; name that file`;
  return null;
}

/** No link is followed out of the folder in which a file is named: of the named file, on this host of an Include, too. */
function mayWrite({ tree, live, writableFolder }: Target, { realPath, shown }: PlannedFile): boolean {
  if (isBelow(realPath, writableFolder)) return true;
  const named = resolve(currentFolder(), shown);
  const folder = tree.stat(folderOf(named))?.realPath;
  return live && folder !== undefined && isBelow(realPath, folder);
}

/** A repository's files are nobody's, until they are written. */
function isOwn({ realPath }: PlannedFile): boolean {
  const main = ownMainFile(folderTree("/"));
  return main !== null && isBelow(realPath, folderOf(main));
}

async function write(target: Target, plan: Plan, session: Session): Promise<string | null> {
  if (target.stdin !== null || plan.files.length === 0) return null;
  if (session.options.repo !== undefined && plan.files.some(isOwn))
    return "this host's own sshd reads it: name the file itself, then it is tested, and sshd restarted";
  if (target.live && session.live !== null) {
    const { applyLive } = await import("./apply.ts");
    const { stopped, rolledBack } = await applyLive(session.live, target, { plan, options: session.options });
    session.rolledBack ||= rolledBack;
    return stopped;
  }
  if (session.options.dryRun === true) return "a dry run; --diff shows what would be";
  const [{ replaceFiles }, { ownMachine }] = await Promise.all([
    import("../host/replace.ts"),
    import("./host.ts"),
  ]);
  const machine = ownMachine();
  const result = await replaceFiles(
    machine,
    plan.files.map(({ realPath, before, after }) => ({
      path: target.rootFolder + realPath,
      before: encode(before),
      after: encode(after),
    })),
  );
  return result.kind === "refused" ? result.because : null;
}
