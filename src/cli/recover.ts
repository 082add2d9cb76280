/** `recover`: finishes or undoes what an interrupted `audit --fix` left on this host. */
import { STATE_FOLDER, setAside, unreadableRuns } from "../host/journal.ts";
import { visible } from "../report/text.ts";
import { ownMachine, typedSelf } from "./host.ts";
import { type Live, openLive, recoverRuns } from "./live.ts";
import { complain, refuse } from "./output.ts";
import { openProgress, type ProgressOptions } from "./progress.ts";

export async function runRecover(options: ProgressOptions): Promise<number> {
  const machine = ownMachine();
  if (machine.self.uid !== 0)
    return refuse(`only root can recover a fix: sudo ${typedSelf(machine)} recover`);
  const tell = openProgress(machine, options);
  if (typeof tell !== "function") return refuse(tell.refused);
  const live = openLive(machine, tell, options);
  if ("refused" in live) {
    complain(visible(`nothing was recovered: ${live.refused}`));
    return 1;
  }
  try {
    const { runs, problems } = await recoverRuns(live, { unconfirmed: "undo" });
    const damaged = unreadableRuns(machine, STATE_FOLDER);
    for (const folder of damaged) tellSetAside(live, folder);
    if (runs === 0 && damaged.length === 0)
      complain("nothing to recover: no fix was interrupted, none waits for its confirmation");
    return problems.length === 0 && damaged.length === 0 ? 0 : 3;
  } finally {
    live.release();
  }
}

/** Which files it was about is not known any more: a person must compare. */
function tellSetAside({ machine, tell }: Live, folder: string): void {
  const place = setAside(machine, folder);
  const backups = (machine.list(place) ?? []).filter((name) => /^\d+-/.test(name));
  const lines = [
    `the journal in ${folder} cannot be read: whether that run was undone is not known; set aside as ${place}`,
    ...backups.map((name) => `compare with the file as it is: ${place}/${name}`),
  ];
  tell({ step: "recover", state: "failed", text: lines.join("\n") });
}
