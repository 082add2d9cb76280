/** The part of a probe inside the sandbox, a process of its own, which needs nothing of what plans a probe. */
import { writeSync } from "node:fs";
import { folderTree } from "../files/folder.ts";
import type { Report } from "../forward/job.ts";
import { whyNoSsh } from "./v8-flags.ts";

/** Its job is the first line of standard input, whose end is the end of the caller. */
export async function runProbeInside(folder: string): Promise<never> {
  const emit = (report: Report): void => {
    writeSync(1, `${JSON.stringify(report)}\n`);
  };
  const { readJob } = await import("../forward/read-job.ts");
  const job = await readJob(process.stdin, () => process.exit(1));
  const noSsh = whyNoSsh();
  if (noSsh !== null) {
    emit({ kind: "failed", because: noSsh });
    process.exit(0);
  }
  const { runInside } = await import("../forward/inside.ts");
  await runInside(job, folder, {
    emit,
    isThere: (root, path) => folderTree(root).stat(path) !== null,
  });
  // the open standard input would keep the process
  process.exit(0);
}
