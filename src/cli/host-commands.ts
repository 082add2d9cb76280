/** The options of the commands that act: on this host's sshd, or over SSH. */
import { type Command, Option } from "commander";
import { answered } from "./answered.ts";
import {
  collect,
  type Done,
  once,
  withCommon,
  withImages,
  withOutput,
  withTargets,
  withUnneeded,
} from "./command-options.ts";
import type { ConfirmOptions } from "./confirm.ts";
import type { ForwardCommandOptions, Given } from "./forward.ts";
import type { ProbeCommandOptions } from "./probe.ts";
import type { ProgressOptions } from "./progress.ts";
import type { RecordOptions } from "./recorded.ts";

export function addConfirm(program: Command, done: Done): void {
  const command = program
    .command("confirm")
    .description(
      "keep the fix that waits for it: run it from a new login, which proves that logins still work",
    );
  withCommon(command)
    .option("--quiet", "as for audit; here is nothing to leave out")
    .addOption(new Option("--watch <run>", "undo that run at its deadline").hideHelp())
    .addOption(new Option("--boot", "undo what waits, before sshd starts").hideHelp())
    .action(async (options: ConfirmOptions & RecordOptions) => {
      const { runConfirm } = await import("./confirm.ts");
      done(await answered("confirm", options, () => runConfirm(options)));
    });
}

export function addRecover(program: Command, done: Done): void {
  const command = program
    .command("recover")
    .description("finish or undo an audit --fix of this host that was interrupted or not confirmed");
  withUnneeded(command)
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
    )
    .option("--against <user@host[:port]>", "log in to this live server instead, and try what is harmless")
    .option("-i <file>", "with --against: a private key (repeatable)", collect)
    .option(
      "--key-options <text>",
      "log in with a key that has these options, as authorized_keys writes them",
    )
    .option("--sshd <path>", "the sshd to run (default: this machine's)")
    .option("--sshd-root <dir>", "run the sshd of this root file system, in namespaces; needs root");
  withUnneeded(withOutput(withImages(withTargets(command, "[FILE]")), ["pretty", "concise", "json"]))
    .option("--events <file>", "write each login and attempt there, as JSON lines; - is standard output")
    .action(async (file: string | undefined, options: ProbeCommandOptions) => {
      const { runProbe } = await import("./probe.ts");
      done(await runProbe(file, options));
    });
}

/** What `probe` runs inside its namespaces. */
export function addProbeInside(program: Command): void {
  program.command("probe-inside <folder>", { hidden: true }).action(async (folder: string) => {
    const { runProbeInside } = await import("./probe-inside.ts");
    await runProbeInside(folder);
  });
}

export function addForward(program: Command, done: Done): void {
  const given: Given[] = [];
  const notHere: string[] = [];
  /** the option's place among the others counts */
  const as = (letter: Given["letter"]) => (value: string) => {
    given.push({ letter, value });
    return value;
  };
  const command = program
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
    .option("-T", "no terminal, as in ssh(1): there never is one here; -n, -a, -x and -k are taken, too")
    .option("-4", "IPv4 alone", () => as("4")("inet"))
    .option("-6", "IPv6 alone", () => as("6")("inet6"))
    .option("-g", "other hosts may use -L and -D that name no address")
    .option("-p <port>", "port of the server", as("p"))
    .option("-l <user>", "whom to log in as", as("l"))
    .option("-i <file>", "a private key (repeatable)", (value, previous: readonly string[] | undefined) =>
      collect(as("i")(value), previous),
    )
    .option("-o <keyword=value>", "as ssh_config(5) (repeatable)", as("o"))
    .option("-F <file>", "instead of ~/.ssh/config; none for none");
  withUnneeded(command)
    .option("--events <file>", "what happens, as JSON lines; - is standard output")
    .option("--quiet", "nothing on standard output")
    .action(async (destination: string, options: ForwardCommandOptions) => {
      done(await (await import("./forward.ts")).runForward(destination, { ...options, given, notHere }));
    });
  for (const flag of "naxk") command.addOption(new Option(`-${flag}`).hideHelp());
  for (const flag of "12ACGKMVXYfqstvy") {
    const refused = new Option(`-${flag}`).hideHelp().argParser(() => notHere.push(flag));
    command.addOption(refused);
  }
  // what the destination says of user and port counts from its place on
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) => {
    const at = firstOperand(args, command.options);
    const before = parse(args.slice(0, at));
    const words = args.slice(at, at + 1);
    given.push(...words.map((value): Given => ({ letter: "destination", value })));
    const after = parse(args.slice(at + 1));
    return {
      operands: [...before.operands, ...words, ...after.operands],
      unknown: [...before.unknown, ...after.unknown],
    };
  };
}

/** Where the first word stands that is neither an option nor the value of one; the end where there is none. */
function firstOperand(args: readonly string[], options: readonly Option[]): number {
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") return at + 1;
    if (!word.startsWith("-") || word === "-") return at;
    if (valueFollows(word, options)) at++;
  }
  return at;
}

/** Letters stand together until one takes the rest as its value (getopt(3)). */
function valueFollows(word: string, options: readonly Option[]): boolean {
  if (word.startsWith("--")) return options.some(({ long, required }) => required && long === word);
  const letters = [...word.slice(1)];
  const taking = letters.findIndex((letter) =>
    options.some(({ short, required }) => required && short === `-${letter}`),
  );
  return taking !== -1 && taking === letters.length - 1;
}
