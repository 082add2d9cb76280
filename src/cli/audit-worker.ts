/** A worker thread of `audit --jobs`: audits its share of the files and answers with the reports as data. */
import { parentPort, workerData } from "node:worker_threads";
import { auditTargets } from "./audit.ts";
import type { Share, ShareAnswer } from "./jobs.ts";

export async function answerShare(): Promise<void> {
  const { files, options }: Share = workerData;
  parentPort?.postMessage(await answerOf({ files, options }));
}

async function answerOf({ files, options }: Share): Promise<ShareAnswer> {
  try {
    return await auditTargets(files, options, () => {});
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
