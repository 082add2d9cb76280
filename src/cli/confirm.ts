/** `confirm`: keeps a fix that waits; its hidden options are what undoes it when nobody does. */
import { confirmRuns, sayWatched, undoAtBoot, watchRun } from "../host/confirm.ts";
import { latestEnd, STATE_FOLDER } from "../host/journal.ts";
import { remainsText, type Undone } from "../host/undo.ts";
import { visible } from "../report/text.ts";
import { decode } from "../source/source.ts";
import { ROLLED_BACK } from "./exit-code.ts";
import { ownMachine, typedSelf } from "./host.ts";
import { complain, refuse } from "./output.ts";
import { writeStandardOutput } from "./standard-output.ts";

export interface ConfirmOptions {
  /** the folder of a run: undo it at its deadline */
  readonly watch?: string;
  /** undo all that waits, before sshd starts */
  readonly boot?: boolean;
}

export async function runConfirm({ watch, boot }: ConfirmOptions): Promise<number> {
  const machine = ownMachine();
  if (machine.self.uid !== 0)
    return refuse(`only root can confirm a fix: sudo ${typedSelf(machine)} confirm`);
  if (watch !== undefined) {
    const folder = decode(Buffer.from(watch, "utf8"));
    sayWatched(machine, { folder });
    await watchRun(machine, { stateFolder: STATE_FOLDER, folder, stopped: () => null });
    return 0;
  }
  if (boot === true) {
    await undoAtBoot(machine, STATE_FOLDER);
    return 0;
  }
  const confirmation = await confirmRuns(machine, STATE_FOLDER);
  switch (confirmation.kind) {
    case "kept":
      for (const { journal } of confirmation.runs) {
        const files = journal.files.map(({ path }) => path).join(", ");
        writeStandardOutput([Buffer.from(`kept: the fix of ${journal.started} stays (${visible(files)})\n`)]);
      }
      return 0;
    case "nothing":
      complain(`nothing waits for confirmation: ${latestText(latestEnd(machine, STATE_FOLDER))}`);
      return 1;
    case "refused":
      complain(confirmation.because);
      return 1;
    case "late":
      complain(visible(lateText(confirmation.undone)));
      return ROLLED_BACK;
  }
}

/** Whoever comes too late must see it here. */
function latestText(last: ReturnType<typeof latestEnd>): string {
  if (last === null) return "audit --fix never changed this host's sshd";
  const end = last.isKept ? "stays" : "was put back";
  return `the last fix, of ${last.started}, ${end}; ${STATE_FOLDER}/log tells more`;
}

function lateText(undone: Undone): string {
  const remains = remainsText(undone);
  return remains === null
    ? "the time to confirm was up: everything was put back; audit --fix does it again"
    : `the time to confirm was up; ${remains}`;
}
