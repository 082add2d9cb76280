/** The options of the commands that act: on this host's sshd, or over SSH. */
import { type Command, Option } from "commander";
import { collect, type Done, once, withImages, withOutput, withTargets } from "./command-options.ts";
import type { ConfirmOptions } from "./confirm.ts";
import type { ForwardCommandOptions, Given } from "./forward.ts";
import type { ProbeCommandOptions } from "./probe.ts";
import type { ProgressOptions } from "./progress.ts";

export function addConfirm(program: Command, done: Done): void {
  program
    .command("confirm")
    .description(
      "keep the fix that waits for it: run it from a new login, which proves that logins still work",
    )
    .addOption(new Option("--watch <run>", "undo that run at its deadline").hideHelp())
    .addOption(new Option("--boot", "undo what waits, before sshd starts").hideHelp())
    .action(async (options: ConfirmOptions) => {
      const { runConfirm } = await import("./confirm.ts");
      done(await runConfirm(options));
    });
}

export function addRecover(program: Command, done: Done): void {
  program
    .command("recover")
    .description("finish or undo an audit --fix of this host that was interrupted or not confirmed")
    .option("--events <file>", "write the steps there, as JSON lines; - is standard output")
    .option("--quiet", "say nothing of the steps")
    .action(async (options: ProgressOptions) => {
      const { runRecover } = await import("./recover.ts");
      done(await runRecover(options));
    });
}

export function addProbe(program: Command, done: Done): void {
  const command = program
    .command("probe")
    .description(
      "start a throw-away sshd with this configuration, try every kind of forwarding, and compare with the policy",
    );
  withOutput(withImages(withTargets(command, "[FILE]")), ["pretty", "concise", "json"])
    .option("--against <user@host[:port]>", "log in to this live server instead, and try what is harmless")
    .option("-i <file>", "with --against: a private key (repeatable)", collect)
    .option(
      "--key-options <text>",
      "log in with a key that has these options, as authorized_keys writes them",
    )
    .option("--sshd <path>", "the sshd to run (default: this machine's)")
    .option("--sshd-root <dir>", "run the sshd of this root file system, in namespaces; needs root")
    .option("--events <file>", "write each login and attempt there, as JSON lines; - is standard output")
    .action(async (file: string | undefined, options: ProbeCommandOptions) => {
      const { runProbe } = await import("./probe.ts");
      done(await runProbe(file, options));
    });
}

/** What `probe` runs inside its namespaces. */
export function addProbeInside(program: Command): void {
  program.command("probe-inside <folder>", { hidden: true }).action(async (folder: string) => {
    const { runProbeInside } = await import("./probe.ts");
    await runProbeInside(folder);
  });
}

export function addForward(program: Command, done: Done): void {
  const given: Given[] = [];
  /** the option's place among the others counts */
  const as = (letter: Given["letter"]) => (value: string) => {
    given.push({ letter, value });
    return value;
  };
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
    .option("-W <host:port>", "standard input and output become a connection of the server", once)
    .option(
      "-J <[user@]host[:port],...>",
      "reach the server through these hosts",
      (value, previous: string | undefined) => as("J")(once(value, previous)),
    )
    .option("-N", "no command, as in ssh(1): there never is one here")
    .option("-T", "no terminal, as in ssh(1): there never is one here")
    .option("-4", "IPv4 alone", () => as("4")("inet"))
    .option("-6", "IPv6 alone", () => as("6")("inet6"))
    .option("-g", "other hosts may use -L and -D that name no address")
    .option("-p <port>", "port of the server", as("p"))
    .option("-l <user>", "whom to log in as", as("l"))
    .option("-i <file>", "a private key (repeatable)", as("i"))
    .option("-o <keyword=value>", "as ssh_config(5) (repeatable)", as("o"))
    .option("-F <file>", "instead of ~/.ssh/config; none for none")
    .option("--events <file>", "what happens, as JSON lines; - is standard output")
    .option("--quiet", "nothing on standard output")
    .action(async (destination: string, options: ForwardCommandOptions) => {
      done(await (await import("./forward.ts")).runForward(destination, { ...options, given }));
    });
}
