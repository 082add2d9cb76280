/** `probe`: a throw-away sshd with this configuration, every kind of forwarding tried, prediction compared. */
import { resolve } from "node:path";
import { lookUpKeyword } from "../../grammar/keywords.ts";
import { isRefusal } from "../../grammar/problem.ts";
import { formatRelease, parseRelease, type Release } from "../../grammar/release.ts";
import { loadConfig } from "../config/load.ts";
import type { SandboxChange } from "../config/sandbox.ts";
import { networkAssumptions } from "../policy/assumptions.ts";
import { whyNoKeyOptions } from "../policy/login-key.ts";
import { connectionJson } from "../report/json.ts";
import { attemptJson, type ProbeReport, probeJson, probeTable } from "../report/probe.ts";
import { visible } from "../report/text.ts";
import { eventLine, openEventLog } from "./event-log.ts";
import { chosenPaint, complain, type OutputOptions, refuse, writeAnswer } from "./output.ts";
import { knownAccounts } from "./probe-plan.ts";
import { type ProbeEvent, probe, probeExitCode } from "./probe-run.ts";
import { openOne } from "./sources.ts";
import { findSshd, type SshdProgram } from "./sshd-program.ts";
import type { Target, TargetOptions } from "./target.ts";
import { whyNoSsh } from "./v8-flags.ts";

export interface ProbeCommandOptions extends TargetOptions, OutputOptions {
  readonly against?: string;
  readonly i?: readonly string[];
  readonly keyOptions?: string;
  readonly sshd?: string;
  readonly sshdRoot?: string;
  readonly events?: string;
}

/** The hidden command that is the part inside the sandbox (probe-inside.ts). */
export const INSIDE_COMMAND = "probe-inside";

export async function runProbe(file: string | undefined, options: ProbeCommandOptions): Promise<number> {
  const misuse = misuseOf(options);
  if (misuse !== null) return refuse(visible(misuse));
  const target = await openOne(file, options);
  if (typeof target === "number") return target;
  const given = options.openssh === undefined ? null : parseRelease(options.openssh);
  if (options.against !== undefined) return await runAgainst(target, options.against, { options, given });
  const program = findSshd(resolve(options.sshdRoot ?? "/"), options.sshd, given);
  if (typeof program === "string") return refuse(visible(program));
  return await runThrowAway(target, program, options);
}

function misuseOf({ keyOptions, against, sshd, sshdRoot }: ProbeCommandOptions): string | null {
  const broken = whyNoKeyOptions(keyOptions ?? "");
  if (broken !== null) return `--key-options: ${broken}`;
  const own = sshd ?? sshdRoot;
  return against !== undefined && own !== undefined
    ? `--against asks the server's own sshd: not ${own}`
    : null;
}

async function runThrowAway(
  target: Target,
  program: SshdProgram,
  options: ProbeCommandOptions,
): Promise<number> {
  const release = formatRelease(program.release);
  const config = loadConfig(target.tree, target.path, { ...target.loadOptions, release: program.release });
  const problem = config.problems.find(isRefusal);
  if (problem !== undefined)
    return refuse(visible(`${target.name}: sshd ${release} refuses this configuration: ${problem.sshdText}`));
  const events = openEvents(options.events);
  if (typeof events === "string") return refuse(events);
  const result = await probe({
    config,
    tree: target.tree,
    accounts: knownAccounts(target),
    world: target.world,
    keyOptions: options.keyOptions ?? "",
    program,
    inside: insideCommand(),
    onEvent: events,
  });
  const failures = result.failed === null ? [] : [`the probe failed: ${result.failed}`];
  for (const failure of failures) complain(visible(failure));
  const report = {
    path: target.name,
    sshd: `OpenSSH ${release} (${program.path}, ${program.source})`,
    attempts: result.attempts,
    changes: result.changes.map((change) => changeText(change, program.release)),
    limits: [...failures, ...result.limits],
    assumptions: networkAssumptions(config),
  };
  const failed = await writeReport(report, options);
  return failed === null ? probeExitCode(result) : refuse(failed);
}

async function runAgainst(
  target: Target,
  destination: string,
  { options, given }: { readonly options: ProbeCommandOptions; readonly given: Release | null },
): Promise<number> {
  const noSsh = whyNoSsh();
  if (noSsh !== null) return refuse(noSsh);
  const onEvent = openEvents(options.events);
  if (typeof onEvent === "string") return refuse(onEvent);
  const { probeAgainst } = await import("./probe-against.ts");
  const { i: identities = [], keyOptions = "" } = options;
  const wanted = { destination, identities, keyOptions, release: given, onEvent };
  const result = await probeAgainst(target, wanted);
  if ("misuse" in result) return refuse(visible(result.misuse));
  const report = { ...result, path: target.name, changes: [] };
  const failed = await writeReport(report, options);
  return failed === null ? probeExitCode({ ...report, failed: null }) : refuse(failed);
}

async function writeReport(report: ProbeReport, options: OutputOptions): Promise<string | null> {
  const text = options.format === "json" ? probeJson(report) : probeTable(report, await chosenPaint(options));
  return writeAnswer(text, options);
}

export function insideCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? "", INSIDE_COMMAND];
}

function changeText({ keyword, lines, because }: SandboxChange, release: Release): string {
  const name = lookUpKeyword(keyword, release).keyword?.name ?? keyword;
  const shown = lines.slice(0, 3).join(", ");
  return `${name} ${because} (${shown}${lines.length > 3 ? ` and ${lines.length - 3} more` : ""})`;
}

/** Each event as one JSON line; the text is why they cannot be written. */
function openEvents(path: string | undefined): ((event: ProbeEvent) => void) | string {
  if (path === undefined) return () => {};
  const log = openEventLog(path);
  if (typeof log !== "function") return log.refused;
  return (event) => log(eventLine(eventJson(event)));
}

function eventJson(event: ProbeEvent): object {
  switch (event.event) {
    case "attempt":
      return { event: "attempt", ...attemptJson(event) };
    case "login":
      return { ...event, connection: connectionJson(event.connection) };
    case "started":
      return event;
  }
}
