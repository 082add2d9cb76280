/** Options that several commands have, and how the texts of options are read. */
import { type Command, InvalidArgumentError, Option } from "commander";

/** Takes the exit code of a command. */
export type Done = (code: number) => void;

export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** A second one would leave the first unread, without a word. */
export function once(value: string, previous: string | undefined): string {
  if (previous !== undefined) throw new InvalidArgumentError("it can be given once only");
  return value;
}

/** Whole seconds, up to a day. */
export function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 86_400)
    throw new InvalidArgumentError("whole seconds up to 86400, please");
  return Number(text);
}

/** A command that is empty restarts nothing, and does so with success. */
export function shellCommand(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("a command of the shell, please: it restarts sshd");
  return text;
}

export function positive(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("a number from 1 to 999, please");
  return Number(text);
}

export function withTargets(command: Command, argument = "[FILE...]"): Command {
  return command
    .argument(
      argument,
      `${argument === "[FILE]" ? "an sshd_config" : "sshd_config files"}; - is standard input (default: what this host's own sshd reads)`,
    )
    .option("--stdin-filename <path>", "the path that standard input stands for (default: sshd_config here)")
    .option("--root <dir>", "a folder that is the / of a server; FILE is a path inside it", once)
    .option("--openssh <release>", "the release to judge by: 9.2, 9.9p1, 9.2+debian, a package version")
    .option(
      "--accounts <who>",
      "who may exist: open (default), target, host, or a passwd or group file (repeatable)",
      collect,
    )
    .option("-o <keyword=value>", "a setting in front of the file's, as sshd's own -o (repeatable)", collect)
    .option("--as-host", "read Includes of FILE from this machine's /etc/ssh, as sshd -f FILE does");
}

/** An image holds the / of a server, too; probing needs files on the disk. */
export function withImages(command: Command): Command {
  return command
    .option(
      "--image <file>",
      "an image: docker-archive, OCI archive or layout (FILE:TAG of several), tar of a root file system (repeatable)",
      collect,
    )
    .option("--platform <os/arch>", "which one, where the image is for several (linux/arm64)");
}

/** `quiet`: what that leaves out. */
export function withOutput(
  command: Command,
  formats: readonly string[],
  quiet = "the answer alone, without the release that it holds for",
): Command {
  return command
    .addOption(
      new Option(
        "--format <format>",
        "how the answer is written; pretty on a terminal, else concise",
      ).choices(formats),
    )
    .option("--output <file>", "write there instead of standard output")
    .addOption(
      new Option("--color <when>", "colours in pretty").choices(["auto", "always", "never"]).default("auto"),
    )
    .option("--quiet", quiet);
}

/** What every command accepts (cli.md), also where it has little to do. */
export function withCommon(command: Command): Command {
  return withUnneeded(command).option(
    "--events <file>",
    "write when it begins and ends there, as JSON lines; - is standard output",
  );
}

/** For commands whose events tell more. */
export function withUnneeded(command: Command): Command {
  return command
    .option("--jobs <n>", "as for audit; this command needs one thread", positive)
    .option("--config <file>", "as for audit; nothing is judged here by a policy file");
}

/** An empty one is no user, and an answer about nobody would be empty, too. */
export function userName(value: string, previous: readonly string[] | undefined): readonly string[] {
  if (value === "") throw new InvalidArgumentError("a user's name or a pattern, please");
  return collect(value, previous);
}
