/**
 * Every single step of a live fix fails once, in every way; prints what became of it as JSON. Runs inside a mount
 * namespace of its own (unshare --mount): it mounts small disks, and changes nothing of this machine.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { thisMachine } from "../../src/host/this-machine.ts";
import { applyFix, type LiveFix, type Outcome } from "../../src/host/transaction.ts";
import type { SshdCommand } from "../../src/host/validate.ts";
import { type Call, type Fault, faultyMachine } from "./faulty-machine.ts";
import {
  fillDisk,
  isWhole,
  leftOver,
  liveFix,
  makeHost,
  makeReadOnly,
  mendDisk,
  recoverHost,
  refuseStarts,
  removeHost,
  type SmallHost,
  stateOf,
} from "./host.ts";
import { FAULTS, type FaultName, type Row } from "./rows.ts";

/** "refusal": sshd refuses the staged files; "rollback": the service does not come up, and the faults strike while everything is put back. */
type Scenario = "apply" | "refusal" | "rollback";

const TAKE_BACK = "take back";

/** Where the faults strike; null: at every step. */
const SCENARIOS: readonly (readonly [Scenario, string | null])[] = [
  ["apply", null],
  ["refusal", TAKE_BACK],
  ["rollback", "undo"],
];

const machine = thisMachine({
  pid: process.pid,
  uid: 0,
  platform: "linux",
  command: [process.execPath],
  caller: "the fault test",
});
const work = mkdtempSync(join(tmpdir(), "sshd-policy-faults-"));
const sshd = { program: "/usr/sbin/sshd", key: `${work}/key` };
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", sshd.key]);

interface Seen extends Call {
  readonly step: string;
}

/** One run with a fault at effect `at`; the effects that it came to. */
async function runOnce(
  scenario: Scenario,
  name: FaultName,
  at: number,
): Promise<{ readonly row: Row | null; readonly seen: readonly Seen[] }> {
  const host = makeHost(`${work}/host`);
  if (scenario === "rollback") refuseStarts(host, 1);
  const seen: Seen[] = [];
  let step = "";
  const strikes = (call: Call): boolean => {
    seen.push({ name: call.name, operands: call.operands.map(ownName), step });
    return seen.length - 1 === at;
  };
  const faulty = faultyMachine(machine, faultOf(host, name, strikes));
  let outcome: Outcome | null = null;
  try {
    const fix = liveFix(host, faulty, sshd);
    outcome = await applyFix(
      faulty,
      scenario === "refusal" ? { ...fix, sshd: pickySshd(host, 0) } : fix,
      (told) => {
        if (told.state === "begun") step = told.step;
        else if (told.state === "failed" && scenario === "refusal") step = TAKE_BACK;
        else if (told.step === "proof") step = "finish";
      },
    );
  } catch (error) {
    if (name !== "killed") throw error;
  }
  const whole = isWhole(host);
  const state = stateOf(host);
  mendDisk(host);
  await recoverHost(host, machine);
  const recovered = stateOf(host);
  const left = leftOver(host, machine);
  removeHost(host);
  const struck = seen[at];
  if (struck === undefined) return { row: null, seen };
  const row = { step: struck.step, what: inWords(struck, host), fault: name, state, recovered, left, whole };
  return { row: { ...row, outcome: name === "killed" ? null : (outcome?.kind ?? null) }, seen };
}

function faultOf(host: SmallHost, name: FaultName, strikes: (call: Call) => boolean): Fault {
  const never = (): boolean => false;
  switch (name) {
    case "error":
      return { before: strikes, after: never };
    case "killed":
      return { before: never, after: strikes };
    default: {
      const spoil = name === "disk full" ? fillDisk : makeReadOnly;
      const before = (call: Call): boolean => {
        if (strikes(call)) spoil(host);
        return false;
      };
      return { before, after: never };
    }
  }
}

function inWords({ name, operands }: Call, host: SmallHost): string {
  if (name !== "run") return `${name} ${operands.map((path) => objectOf(path, host)).join(" to ")}`;
  const [program = ""] = operands;
  if (program === "cp") return "copy mode, owner, attributes to the new file";
  if (program === "unshare") return "sshd -t on the staged files";
  return program === host.service ? "start the service" : "sshd -t";
}

function objectOf(path: string, { stateFolder, files }: SmallHost): string {
  if (path === stateFolder) return "the state folder";
  if (path.endsWith("/journal.new")) return "the next journal";
  if (path.endsWith("/journal.json")) return "the journal";
  if (path.startsWith(stateFolder)) return /\/\d-[^/]*$/.test(path) ? "a backup" : "the run's folder";
  if (/-new$/.test(path)) return "the new file";
  if (/-again$/.test(path)) return "the old file, made anew";
  if (/-old$/.test(path)) return "the kept old file";
  return files.some((file) => file.path === path) ? "the configuration file" : "its folder";
}

/** Of a file whose folder is held open, the name by which people know it. */
function ownName(path: string): string {
  const [, folder, rest = ""] = /^(\/proc\/self\/fd\/\d+)\/(.*)$/.exec(path) ?? [];
  return folder === undefined ? path : join(readlinkSync(folder), rest);
}

/** Something that is wrong from outside, and what is expected of it. */
interface Trouble {
  readonly step: string;
  readonly what: string;
  readonly arrange: (host: SmallHost, fix: LiveFix) => LiveFix;
}

const TROUBLES: readonly Trouble[] = [
  {
    step: "test",
    what: "sshd refuses the staged files",
    arrange: (host, fix) => ({ ...fix, sshd: pickySshd(host, 0) }),
  },
  {
    step: "test",
    what: "sshd cannot be run",
    arrange: (_, fix) => ({ ...fix, sshd: { program: "/nowhere/sshd", options: [] } }),
  },
  {
    step: "write",
    what: "sshd refuses the files after the swap",
    arrange: (host, fix) => ({ ...fix, sshd: pickySshd(host, 1) }),
  },
  {
    step: "restart",
    what: "the service does not come up with the new files, or its port is taken",
    arrange: (host, fix) => {
      refuseStarts(host, 1);
      return fix;
    },
  },
  {
    step: "restart",
    what: "the service does not come up, with the old files neither",
    arrange: (host, fix) => {
      refuseStarts(host, 3);
      return fix;
    },
  },
  {
    step: "proof",
    what: "sshd -T says otherwise than planned",
    arrange: (_, fix) => ({ ...fix, prove: async () => ({ kind: "fails", because: "yes instead of no" }) }),
  },
  ...["backup", "stage", "test", "write", "restart", "proof"].map((step, index) => ({
    step,
    what: "SIGTERM or SIGINT comes before it",
    arrange: (_: SmallHost, fix: LiveFix) => {
      let asked = 0;
      return { ...fix, stopped: () => (asked++ === index ? "stopped by SIGTERM" : null) };
    },
  })),
];

/** An sshd that accepts so many times, and then no more. */
function pickySshd({ folder }: SmallHost, accepts: number): SshdCommand {
  const program = `${folder}/sshd`;
  const script = `#!/bin/sh
n=$(cat ${folder}/asked 2>/dev/null || echo 0); echo $((n + 1)) >${folder}/asked
[ "$n" -lt ${accepts} ] || { echo "sshd_config line 2: Bad configuration option" >&2; exit 255; }
`;
  writeFileSync(program, script, { mode: 0o755 });
  return { program, options: [] };
}

async function runTrouble({ step, what, arrange }: Trouble): Promise<Row> {
  const host = makeHost(`${work}/host`);
  const outcome = await applyFix(machine, arrange(host, liveFix(host, machine, sshd)), () => {});
  const [whole, state] = [isWhole(host), stateOf(host)];
  await recoverHost(host, machine);
  const row = { step, what, fault: "error", outcome: outcome.kind, state, whole } as const;
  const ended = { ...row, recovered: stateOf(host), left: leftOver(host, machine) };
  removeHost(host);
  return ended;
}

async function main(): Promise<void> {
  const rows: Row[] = [];
  for (const [scenario, only] of SCENARIOS) {
    const { seen } = await runOnce(scenario, "error", Number.POSITIVE_INFINITY);
    for (const [at, { step }] of seen.entries()) {
      if (only !== null && step !== only) continue;
      for (const fault of FAULTS) {
        const { row } = await runOnce(scenario, fault, at);
        if (row !== null) rows.push(row);
      }
    }
  }
  const troubles: Row[] = [];
  for (const trouble of TROUBLES) troubles.push(await runTrouble(trouble));
  process.stdout.write(JSON.stringify({ rows, troubles }));
}

try {
  await main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
