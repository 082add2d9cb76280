/** `recover`: finishes or undoes what an interrupted `audit --fix` left on this host. */
import { ownMachine } from "./host.ts";
import { openLive, recoverRuns } from "./live.ts";
import { complain, refuse } from "./output.ts";
import { openProgress, type ProgressOptions } from "./progress.ts";

export async function runRecover(options: ProgressOptions): Promise<number> {
  const machine = ownMachine();
  const tell = openProgress(machine, options);
  if (typeof tell !== "function") return refuse(tell.refused);
  const live = openLive(machine, tell, options);
  if ("refused" in live) {
    complain(`nothing was recovered: ${live.refused}`);
    return 2;
  }
  try {
    const { runs, problems } = await recoverRuns(live, { unconfirmed: "undo" });
    if (runs === 0) complain("nothing to recover: no fix was interrupted, none waits for its confirmation");
    return problems.length === 0 ? 0 : 3;
  } finally {
    live.release();
  }
}
