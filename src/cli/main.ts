/** The command line: options to calls, answers to exit codes. Commands are loaded when they run. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { CheckCommandOptions } from "./check.ts";
import type { CompareCommandOptions } from "./compare.ts";
import type { ConfirmOptions } from "./confirm.ts";
import type { EffectiveCommandOptions } from "./effective.ts";
import type { ExposureCommandOptions } from "./exposure.ts";
import type { ForwardCommandOptions } from "./forward.ts";
import type { OutputOptions } from "./output.ts";
import type { AuditCommandOptions } from "./prepare-audit.ts";
import type { ProbeCommandOptions } from "./probe.ts";
import type { ProgressOptions } from "./progress.ts";
import { writeStandardOutput } from "./standard-output.ts";
import { ownVersion } from "./version.ts";

const EXIT = { usage: 2, internal: 3 } as const;

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** Whole seconds, up to a day. */
function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 86_400)
    throw new InvalidArgumentError("whole seconds up to 86400, please");
  return Number(text);
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("a number from 1 to 999, please");
  return Number(text);
}

function withTargets(command: Command, argument = "[FILE...]"): Command {
  return command
    .argument(argument, "sshd_config files; - is standard input (default: the live host's own)")
    .option("--stdin-filename <path>", "where standard input would lie")
    .option("--root <dir>", "a folder that is the / of a server")
    .option("--openssh <release>", "the release to judge by: 9.2, 9.9p1, 9.2+debian, a package version")
    .option(
      "--accounts <who>",
      "who may exist: open (default), target, host, or a passwd or group file (repeatable)",
      collect,
    )
    .option("-o <keyword=value>", "as sshd's own -o (repeatable)", collect)
    .option("--as-host", "resolve Includes as sshd -f FILE on this machine does");
}

/** An image holds the / of a server, too; probing needs files on the disk. */
function withImages(command: Command): Command {
  return command
    .option(
      "--image <file>",
      "an image: docker-archive, OCI archive or layout, tar of a root file system (repeatable)",
      collect,
    )
    .option("--platform <os/arch>", "which image of an index");
}

function withOutput(command: Command, formats: readonly string[]): Command {
  return command
    .addOption(
      new Option("--format <format>", "default: pretty on a terminal, else concise").choices(formats),
    )
    .option("--output <file>", "write there instead of standard output")
    .addOption(new Option("--color <when>").choices(["auto", "always", "never"]).default("auto"))
    .option("--quiet", "findings alone, no summary");
}

function addAudit(program: Command, done: Done): void {
  const command = program.command("audit").description("run the rules and print findings");
  withOutput(withImages(withTargets(command)), [
    "pretty",
    "concise",
    "json",
    "sarif",
    "github",
    "junit",
    "markdown",
    "html",
  ])
    .option("--repo <dir>", "find sshd_config files and drop-ins in a tree of configuration")
    .option("--rule <id>", "only this rule (repeatable)", collect)
    .addOption(
      new Option("--profile <name>", "which rules: default, or strict, which adds reminders").choices([
        "default",
        "strict",
      ]),
    )
    .addOption(
      new Option("--fail-on <severity>", "exit code 1 from this severity on (default: low)").choices([
        "info",
        "low",
        "medium",
        "high",
        "error",
      ]),
    )
    .addOption(
      new Option("--allow-forwarding <kind>", "forwarding that is meant to be open (default: none)").choices([
        "none",
        "local",
        "remote",
      ]),
    )
    .option(
      "--config <file>",
      "the policy file (default: .sshd-policy.yaml beside FILE or above it in its repository)",
    )
    .option("--no-config", "follow no policy file")
    .option("--no-suppressions", "show what comments in the files accept, too")
    .option("--baseline <file>", "leave out the findings that this file names")
    .option("--write-baseline <file>", "write today's findings there, and leave them out")
    .option("--jobs <n>", "audit many files in that many threads", positive)
    .option("--fix", "make the safe changes")
    .option("--unsafe-fixes", "with --fix or --diff: also close what somebody opened on purpose")
    .option("--diff", "print what --fix would change as a unified diff, and write nothing")
    .option("--dry-run", "with --fix: every step but the change itself")
    .option("--no-restart", "with --fix on this host: leave sshd as it runs")
    .option("--reload", "with --fix on this host: reload sshd instead of restarting it")
    .option("--restart-command <command>", "with --fix on this host: how sshd is restarted")
    .option("--no-validate", "with --fix on this host: do not test the result with sshd -t")
    .option(
      "--confirm <seconds>",
      "with --fix on this host: undone unless sshd-policy confirm comes from a new login in time (over SSH on a terminal: 120; 0 turns it off)",
      seconds,
    )
    .option("--probe", "with --fix on this host: also let a throw-away sshd forward with the new files")
    .option("--force", "with --fix on this host: go on where a guard stops")
    .option("--events <file>", "with --fix on this host: the steps as JSON lines; - is standard output")
    .action(async (files: string[], options: AuditCommandOptions) => {
      const fixing = options.fix === true || options.diff === true;
      if (fixing) done(await (await import("./fix.ts")).runFix(files, options));
      else done(await (await import("./audit.ts")).runAudit(files, options));
    });
}

type Done = (code: number) => void;

function addExposure(program: Command, done: Done): void {
  const command = program.command("exposure").description("who may forward what, with the lines that decide");
  withOutput(withImages(withTargets(command)), ["pretty", "concise", "json", "html", "svg"])
    .option(
      "--capability <name>",
      "only this: tcp-local, tcp-remote, unix-local, unix-remote, tun, x11, agent (repeatable)",
      collect,
    )
    .option("--user <name>", "only this user, or users by pattern (repeatable)", collect)
    .option("--all", "show closed regions, too")
    .option("--exclude-no-login", "leave out regions in which nobody can log in")
    .option("-C <spec>", "also say in which region this connection lies (repeatable)", collect)
    .action(async (files: string[], options: ExposureCommandOptions) => {
      const { runExposure } = await import("./exposure.ts");
      done(await runExposure(files, options));
    });
}

function addCompare(program: Command, done: Done): void {
  const command = program
    .command("compare")
    .description(
      "which connections gained or lost which kind of forwarding: OLD NEW, --git REV [FILE], or FILE with --openssh A..B",
    );
  withOutput(withImages(withTargets(command)), ["pretty", "json"])
    .option("--git <rev>", "compare with the file as it is in that commit")
    .action(async (files: string[], options: CompareCommandOptions) => {
      const { runCompare } = await import("./compare.ts");
      done(await runCompare(files, options));
    });
}

function addEffective(program: Command, done: Done): void {
  const command = program
    .command("effective")
    .description("the effective value of every keyword for a connection, as sshd -T prints it");
  withOutput(withImages(withTargets(command, "[FILE]")), ["pretty", "json"])
    .option(
      "-C <spec>",
      "a connection, as sshd -C: user=,host=,addr=,laddr=,lport=,rdomain=,group= (repeatable)",
      collect,
    )
    .option("--why", "name the line that decides")
    .option("--as-sshd", "treat missing fields as sshd -T of that release does")
    .action(async (file: string | undefined, options: EffectiveCommandOptions) => {
      const { runEffective } = await import("./effective.ts");
      done(await runEffective(file, options));
    });
}

function addCheck(program: Command, done: Done): void {
  const command = program.command("check").description("would sshd of that release accept the file?");
  withOutput(withImages(withTargets(command)), ["pretty", "concise", "json"]).action(
    async (files: string[], options: CheckCommandOptions) => {
      const { runCheck } = await import("./check.ts");
      done(await runCheck(files, options));
    },
  );
}

function addConfirm(program: Command, done: Done): void {
  program
    .command("confirm")
    .description(
      "keep the fix that waits for it; call it from a new login, which proves that one still works",
    )
    .addOption(new Option("--watch <run>", "undo that run at its deadline").hideHelp())
    .addOption(new Option("--boot", "undo what waits, before sshd starts").hideHelp())
    .action(async (options: ConfirmOptions) => {
      const { runConfirm } = await import("./confirm.ts");
      done(await runConfirm(options));
    });
}

function addRecover(program: Command, done: Done): void {
  program
    .command("recover")
    .description("finish or undo an audit --fix of this host that was interrupted or not confirmed")
    .option("--events <file>", "the steps as JSON lines; - is standard output")
    .option("--quiet", "say nothing of the steps")
    .action(async (options: ProgressOptions) => {
      const { runRecover } = await import("./recover.ts");
      done(await runRecover(options));
    });
}

function addProbe(program: Command, done: Done): void {
  const command = program
    .command("probe")
    .description("a throw-away real sshd with this configuration: try every kind of forwarding, compare");
  withOutput(withTargets(command, "[FILE]"), ["pretty", "json"])
    .option("--against <user@host[:port]>", "log in to this live server instead, and try what is harmless")
    .option("-i <file>", "with --against: a private key (repeatable)", collect)
    .option(
      "--key-options <text>",
      "log in with a key that has these options, as authorized_keys writes them",
    )
    .option("--sshd <path>", "the sshd to run (default: this machine's)")
    .option("--sshd-root <dir>", "run the sshd of this root file system, in namespaces; needs root")
    .option("--events <file>", "write each login and attempt there as a JSON line, - is standard output")
    .action(async (file: string | undefined, options: ProbeCommandOptions) => {
      const { runProbe } = await import("./probe.ts");
      done(await runProbe(file, options));
    });
  program.command("probe-inside <folder>", { hidden: true }).action(async (folder: string) => {
    const { runProbeInside } = await import("./probe.ts");
    await runProbeInside(folder);
  });
}

function addForward(program: Command, done: Done): void {
  program
    .command("forward")
    .description("the bundled SSH forwarder: opens the forwards of ssh(1) and shows what happens on them")
    .argument("<destination>", "[user@]host or ssh://[user@]host[:port]")
    .option(
      "-L <[bind:]port:host:hostport>",
      "this machine listens, the server connects (repeatable)",
      collect,
    )
    .option(
      "-R <[bind:]port[:host:hostport]>",
      "the server listens, this machine connects (repeatable)",
      collect,
    )
    .option("-D <[bind:]port>", "this machine listens and speaks SOCKS 4, 4a and 5 (repeatable)", collect)
    .option("-W <host:port>", "standard input and output become a connection of the server")
    .option("-J <[user@]host[:port],...>", "reach the server through these hosts")
    .option("-N", "no command: accepted as in ssh(1), there never is one")
    .option("-g", "other hosts may use -L and -D that name no address")
    .option("-p <port>", "port of the server")
    .option("-l <user>", "whom to log in as")
    .option("-i <file>", "a private key (repeatable)", collect)
    .option("-o <keyword=value>", "as ssh_config(5) (repeatable)", collect)
    .option("-F <file>", "instead of ~/.ssh/config; none for none")
    .option("--events <file>", "what happens, as JSON lines; - is standard output")
    .option("--quiet", "nothing on standard output")
    .action(async (destination: string, options: ForwardCommandOptions) => {
      done(await (await import("./forward.ts")).runForward(destination, options));
    });
}

function addRules(program: Command, done: Done): void {
  const command = program.command("rules").argument("[ID]").description("list the rules, or explain one");
  withOutput(command, ["pretty", "json"]).action(async (id: string | undefined, options: OutputOptions) => {
    const { runRules } = await import("./rules.ts");
    done(runRules(id, options));
  });
}

async function main(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("sshd-policy")
    .description("audits and edits OpenSSH's sshd_config: who can forward what through this server")
    .version(ownVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeStandardOutput(Buffer.from(text)),
      outputError: (text, write) => write(`sshd-policy: ${text.replace(/^error: /, "")}`),
    });
  const done: Done = (found) => {
    code = found;
  };
  for (const add of [
    addAudit,
    addExposure,
    addCompare,
    addEffective,
    addCheck,
    addConfirm,
    addRecover,
    addProbe,
    addForward,
    addRules,
  ])
    add(program, done);
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : EXIT.usage;
  }
}

/** A thread of `audit --jobs` runs the same bundle. */
async function start(): Promise<number> {
  if (process.getBuiltinModule("node:worker_threads").isMainThread) return main(process.argv);
  await (await import("./audit-worker.ts")).answerShare();
  return 0;
}

start().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`sshd-policy: internal error: ${text}\n`);
    process.exitCode = EXIT.internal;
  },
);
