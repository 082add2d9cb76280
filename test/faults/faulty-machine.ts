/** A machine whose k-th effect goes wrong. Reading never counts as an effect. */
import type { Machine, Ran } from "../../src/host/machine.ts";

/** One effect as it was asked for: "rename", "/etc/ssh/.x-new", "/etc/ssh/x". */
export interface Call {
  readonly name: string;
  readonly operands: readonly string[];
}

export interface Fault {
  /** before the call; true: the call does not happen and fails with an error */
  readonly before: (call: Call) => boolean;
  /** after it; true: the process is killed here: nothing it asks for happens any more */
  readonly after: (call: Call) => boolean;
}

class Killed extends Error {}

const INJECTED: Ran = { status: 1, stdout: "", stderr: "injected", failed: null };

function ioError(): Error {
  return Object.assign(new Error("EIO: injected"), { code: "EIO" });
}

export function faultyMachine(machine: Machine, fault: Fault): Machine {
  let dead = false;
  const living = (): void => {
    if (dead) throw new Killed();
  };
  const reading =
    <Args extends readonly unknown[], R>(act: (...args: Args) => R) =>
    (...args: Args): R => {
      living();
      return act(...args);
    };
  const effect =
    <Args extends readonly unknown[]>(name: string, act: (...args: Args) => void) =>
    (...args: Args): void => {
      living();
      const call = { name, operands: args.filter((arg) => typeof arg === "string") };
      if (fault.before(call)) throw ioError();
      act(...args);
      dead ||= fault.after(call);
      living();
    };
  return {
    ...machine,
    readFile: reading(machine.readFile),
    status: reading(machine.status),
    list: reading(machine.list),
    readLink: reading(machine.readLink),
    realPath: reading(machine.realPath),
    makeFolder: effect("make folder", machine.makeFolder),
    removeFolder: effect("remove", machine.removeFolder),
    create: effect("create", machine.create),
    write: effect("write", machine.write),
    append: effect("append", machine.append),
    setOwnerAndMode: effect("set owner and mode", machine.setOwnerAndMode),
    sync: effect("sync", machine.sync),
    rename: effect("rename", machine.rename),
    link: effect("link", machine.link),
    unlink: effect("remove", machine.unlink),
    run: async (argv, options) => {
      living();
      const call = { name: "run", operands: argv };
      if (fault.before(call)) return INJECTED;
      const ran = await machine.run(argv, options);
      dead ||= fault.after(call);
      living();
      return ran;
    },
  };
}
