/** The options of `audit`. */
import { type Command, Option } from "commander";
import { answered } from "./answered.ts";
import {
  collect,
  type Done,
  once,
  positive,
  seconds,
  shellCommand,
  withImages,
  withOutput,
  withTargets,
} from "./command-options.ts";
import type { AuditCommandOptions } from "./prepare-audit.ts";

const FORMATS = ["pretty", "concise", "json", "sarif", "github", "junit", "markdown", "html"];

export function addAudit(program: Command, done: Done): void {
  const command = program
    .command("audit")
    .description("run the rules and print findings; --fix closes them")
    .option("--rule <id>", "only this rule (repeatable)", collect)
    .addOption(
      new Option("--profile <name>", "which rules: strict adds reminders").choices(["default", "strict"]),
    )
    .addOption(
      new Option(
        "--fail-on <severity>",
        "exit code 1 for findings from this severity on (default: low)",
      ).choices(["info", "low", "medium", "high", "error"]),
    )
    .addOption(
      new Option("--allow-forwarding <kind>", "forwarding that is meant to be open (default: none)").choices([
        "none",
        "local",
        "remote",
      ]),
    )
    .option("--no-suppressions", "show what comments in the files accept, too")
    .option("--baseline <file>", "leave out the findings that this file names")
    .option("--write-baseline <file>", "write today's findings there, and leave them out")
    .option("--fix", "make the safe changes, with the smallest edits")
    .option("--unsafe-fixes", "with --fix or --diff: also close what somebody opened on purpose")
    .option("--diff", "print what --fix would change as a unified diff, and write nothing")
    .option("--dry-run", "with --fix: every step but the change itself")
    .option("--no-restart", "with --fix on this host: leave sshd as it runs")
    .option("--reload", "with --fix on this host: reload sshd instead of restarting it")
    .option("--restart-command <command>", "with --fix on this host: how sshd is restarted", shellCommand)
    .option("--no-validate", "with --fix on this host: do not test the result with sshd -t")
    .option(
      "--confirm <seconds>",
      "with --fix on this host: undo it unless a new login runs sshd-policy confirm in time (default over SSH on a terminal: 120; 0 turns it off)",
      seconds,
    )
    .option("--probe", "with --fix on this host: also let a throw-away sshd forward with the new files")
    .option("--force", "with --fix on this host: go on where a guard stops");
  withOutput(withImages(withTargets(command)), FORMATS, "findings alone: no summary, no progress")
    .option(
      "--repo <dir>",
      "audit the sshd_config files and drop-ins of a tree, such as a repository of configuration",
      once,
    )
    .option(
      "--config <file>",
      "the policy file (default: .sshd-policy.yaml beside FILE or above it in its repository)",
    )
    .option("--no-config", "follow no policy file")
    .option("--jobs <n>", "audit many files or images in that many threads", positive)
    .option(
      "--events <file>",
      "write when it begins and ends there, with --fix on this host each step, as JSON lines; - is standard output",
    )
    .action(async (files: string[], options: AuditCommandOptions) => {
      const lonely = withoutFix(options);
      if (lonely !== null) command.error(lonely);
      const fixing = options.fix === true || options.diff === true;
      if (fixing) done(await (await import("./fix.ts")).runFix(files, options));
      else {
        const { runAudit } = await import("./audit.ts");
        done(await answered("audit", options, () => runAudit(files, options)));
      }
    });
}

/** Options that say how a fix is made, each with whether it was given; --diff shows what unsafe fixes would do, too. */
const OF_A_FIX: readonly (readonly [option: string, isGiven: (options: AuditCommandOptions) => boolean])[] = [
  ["--unsafe-fixes", ({ unsafeFixes, diff }) => unsafeFixes === true && diff !== true],
  ["--dry-run", ({ dryRun, diff }) => dryRun === true && diff !== true],
  ["--no-restart", ({ restart }) => !restart],
  ["--reload", ({ reload }) => reload === true],
  ["--restart-command", ({ restartCommand }) => restartCommand !== undefined],
  ["--no-validate", ({ validate }) => !validate],
  ["--confirm", ({ confirm }) => confirm !== undefined],
  ["--probe", ({ probe }) => probe === true],
  ["--force", ({ force }) => force === true],
];

/** Why a call is wrong usage: an option that says how a fix is made, and no fix is asked for. */
function withoutFix(options: AuditCommandOptions): string | null {
  if (options.fix === true) return null;
  const given = OF_A_FIX.flatMap(([option, isGiven]) => (isGiven(options) ? [option] : []));
  if (given.length === 0) return null;
  const means = given.length === 1 ? "says" : "say";
  return `${given.join(", ")} ${means} how a fix is made: add --fix, or ${given.length === 1 ? "leave it out" : "leave them out"} for an audit alone`;
}

/** A thread of `audit --jobs` runs the same program with this command. */
export function addAuditShare(program: Command, done: Done): void {
  program.command("audit-share", { hidden: true }).action(async () => {
    done(await (await import("./audit-worker.ts")).answerShare());
  });
}
