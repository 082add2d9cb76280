/** The options of the commands that answer a question about configurations and change nothing. */
import type { Command } from "commander";
import { answered } from "./answered.ts";
import type { CheckCommandOptions } from "./check.ts";
import {
  collect,
  type Done,
  userName,
  withCommon,
  withImages,
  withOutput,
  withTargets,
} from "./command-options.ts";
import type { CompareCommandOptions } from "./compare.ts";
import type { EffectiveCommandOptions } from "./effective.ts";
import type { ExposureCommandOptions } from "./exposure.ts";
import type { OutputOptions } from "./output.ts";
import type { RecordOptions } from "./recorded.ts";

export function addExposure(program: Command, done: Done): void {
  const command = program
    .command("exposure")
    .description("who may forward what, with the lines that decide")
    .option(
      "--capability <name>",
      "only this: tcp-local, tcp-remote, unix-local, unix-remote, tun, x11, agent (repeatable)",
      collect,
    )
    .option("--user <name>", "only this user, or users by pattern (repeatable)", userName)
    .option("--all", "show closed regions, too")
    .option("--exclude-no-login", "leave out regions in which nobody can log in")
    .option("-C <spec>", "also say in which region this connection lies (repeatable)", collect);
  withCommon(
    withOutput(withImages(withTargets(command)), ["pretty", "concise", "json", "html", "svg"]),
  ).action(async (files: string[], options: ExposureCommandOptions & RecordOptions) => {
    const { runExposure } = await import("./exposure.ts");
    done(await answered("exposure", options, () => runExposure(files, options)));
  });
}

export function addCompare(program: Command, done: Done): void {
  const command = program
    .command("compare")
    .description(
      "which connections gained or lost which kind of forwarding: OLD NEW, --git REV [FILE], or FILE with --openssh A..B",
    )
    .option("--git <rev>", "compare with the file as it is in that commit");
  withCommon(withOutput(withImages(withTargets(command)), ["pretty", "concise", "json"])).action(
    async (files: string[], options: CompareCommandOptions & RecordOptions) => {
      const { runCompare } = await import("./compare.ts");
      done(await answered("compare", options, () => runCompare(files, options)));
    },
  );
}

export function addEffective(program: Command, done: Done): void {
  const command = program
    .command("effective")
    .description("the effective value of every keyword for a connection, as sshd -T prints it")
    .option(
      "-C <spec>",
      "a connection, as sshd -C: user=,host=,addr=,laddr=,lport=,rdomain=,group= (repeatable)",
      collect,
    )
    .option("--why", "name the line that decides")
    .option("--as-sshd", "treat missing fields as sshd -T of that release does");
  withCommon(withOutput(withImages(withTargets(command, "[FILE]")), ["pretty", "concise", "json"])).action(
    async (file: string | undefined, options: EffectiveCommandOptions & RecordOptions) => {
      const { runEffective } = await import("./effective.ts");
      done(await answered("effective", options, () => runEffective(file, options)));
    },
  );
}

export function addCheck(program: Command, done: Done): void {
  const command = program
    .command("check")
    .description("would sshd accept the file? Every error, not the first one only");
  withCommon(
    withOutput(
      withImages(withTargets(command)),
      ["pretty", "concise", "json"],
      "errors and warnings alone, no verdict",
    ),
  ).action(async (files: string[], options: CheckCommandOptions & RecordOptions) => {
    const { runCheck } = await import("./check.ts");
    done(await answered("check", options, () => runCheck(files, options)));
  });
}

export function addRules(program: Command, done: Done): void {
  const command = program
    .command("rules")
    .argument("[ID]", "a rule, as findings name it")
    .description("list the rules, or explain one");
  withCommon(withOutput(command, ["pretty", "concise", "json"])).action(
    async (id: string | undefined, options: OutputOptions & RecordOptions) => {
      const { runRules } = await import("./rules.ts");
      done(await answered("rules", options, async () => runRules(id, options)));
    },
  );
}
