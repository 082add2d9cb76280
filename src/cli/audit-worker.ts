/** A worker thread of `audit --jobs`: audits its share of the files and answers with the reports as data. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { auditTargets } from "./audit-targets.ts";
import type { Share, ShareAnswer } from "./jobs.ts";
import { refuse } from "./output.ts";

/** The exit code: whoever types the command gets a wrong usage. */
export async function answerShare(): Promise<number> {
  if (isMainThread) return refuse("audit-share is for threads of audit --jobs only");
  const { files, options }: Share = workerData;
  parentPort?.postMessage(await answerOf({ files, options }));
  return 0;
}

async function answerOf({ files, options }: Share): Promise<ShareAnswer> {
  try {
    return await auditTargets(files, options, { count: () => {}, keep: (report) => report });
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
