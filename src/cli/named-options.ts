/**
 * Of a command's options only those are made that the call names, as each takes commander 10 µs: all of them where the call
 * has something else with a dash, such as `--help`, a misspelled option or `-p22`, of which commander is to say what it says.
 */
import { Command, type Option } from "commander";

type Declared = Option | Parameters<Command["option"]>;

export interface Delayed {
  readonly command: Command;
  /** Makes the options that these arguments need. */
  readonly makeOptions: (args: readonly string[]) => void;
}

/** A command whose options wait until makeOptions. */
export function delayOptions(name?: string): Delayed {
  const command = new Command(name);
  const declared: Declared[] = [];
  const later = (each: Declared): Command => {
    declared.push(each);
    return command;
  };
  const { option, addOption } = command;
  command.option = ((...each: Parameters<Command["option"]>) => later(each)) as Command["option"];
  command.addOption = later;
  const makeOptions = (args: readonly string[]): void => {
    Object.assign(command, { option, addOption });
    for (const each of needed(declared, args)) {
      if (Array.isArray(each)) command.option(...(each as Parameters<Command["option"]>));
      else command.addOption(each as Option);
    }
  };
  return { command, makeOptions };
}

function needed(declared: readonly Declared[], args: readonly string[]): readonly Declared[] {
  const asked = new Set<string>();
  for (const arg of args)
    if (arg.startsWith("-") && arg !== "-")
      asked.add(arg.startsWith("--") ? (arg.split("=", 1)[0] ?? arg) : arg);
  const names = declared.map((each) => namesIn(Array.isArray(each) ? each[0] : (each as Option).flags));
  const all = new Set(names.flat());
  for (const name of asked) if (!all.has(name)) return declared;
  // of one that turns something off, commander asks whether there is one that turns it on
  for (const name of all)
    if (name.startsWith("--no-")) asked.add(name).add(`--${name.slice("--no-".length)}`);
  // a made one may have a default
  return declared.filter(
    (each, index) => !Array.isArray(each) || (names[index] ?? []).some((name) => asked.has(name)),
  );
}

/** `-q, --quiet` and `--root <dir>` */
function namesIn(flags: string): readonly string[] {
  return flags.split(" ").flatMap((word) => {
    if (!word.startsWith("-")) return [];
    return [word.endsWith(",") ? word.slice(0, -1) : word];
  });
}
