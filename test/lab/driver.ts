/** Runs inside a booted host: the functions of src/host, one a call, their answers as JSON. */
import { restartService, silentListens } from "../../src/host/restart.ts";
import { commandLine, findService, type Service } from "../../src/host/service.ts";
import { openSessions, originOf } from "../../src/host/sessions.ts";
import { thisMachine } from "../../src/host/this-machine.ts";

/** Systems that are not at hand: what can be seen without their process tables. */
const PRETENDED: Readonly<Record<string, NodeJS.Platform>> = { freebsd: "freebsd", darwin: "darwin" };

const machine = thisMachine({
  pid: process.pid,
  uid: process.getuid?.() ?? 0,
  platform: PRETENDED[process.env["PLATFORM"] ?? ""] ?? process.platform,
  command: [],
  caller: "a test",
});

const [verb, configFile = "/etc/ssh/sshd_config", restartCommand = null] = process.argv.slice(2);
const question = { configFile, restartCommand };

/** What a test reads of a service. */
function summary(service: Service): unknown {
  const { kind, name, daemon, listens, advice } = service;
  const command = commandLine(machine, service, {
    options: ["Banner none"],
    configFile: "/etc/ssh/none",
    limit: null,
  });
  return { kind, name, listens, advice, pid: daemon?.process.pid ?? null, command };
}

async function sessions(): Promise<unknown> {
  const open = await openSessions(machine);
  const origin = originOf(machine, open, process.pid);
  return open.map((session) => ({
    ...session,
    present: origin.kind === "session" && session === origin.session,
  }));
}

async function answer(): Promise<unknown> {
  switch (verb) {
    case "service":
      return summary(await findService(machine, question));
    case "restart":
    case "reload": {
      const service = await findService(machine, question);
      const silent = await silentListens(machine, service);
      return restartService(machine, { ...question, how: verb, service, silent });
    }
    case "sessions":
      return sessions();
    default:
      throw new Error(`no verb ${verb}`);
  }
}

process.stdout.write(`${JSON.stringify(await answer())}\n`);
