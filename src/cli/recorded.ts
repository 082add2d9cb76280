/** `--events` of a command that answers a question: when it began, and with which exit code it ended. */
import { openEventLog, stamped } from "./event-log.ts";
import { refuse } from "./output.ts";

export interface RecordOptions {
  /** a file, or "-" for standard output */
  readonly events?: string;
}

/** @param run answers, and gives the exit code */
export async function recorded(command: string, events: string, run: () => Promise<number>): Promise<number> {
  const log = openEventLog(events);
  if (typeof log !== "function") return refuse(log.refused);
  const tell = stamped(log);
  tell({ event: "begun", command });
  const exit = await run();
  tell({ event: "ended", exit });
  return exit;
}
