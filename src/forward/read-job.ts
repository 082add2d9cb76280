/** The job of the part inside: one line of standard input. */
import type { Readable } from "node:stream";
import type { Job } from "./job.ts";

/** `onEnd` is called when the caller has gone, before or after the line. */
export function readJob(input: Readable, onEnd: () => void): Promise<Job> {
  return new Promise((resolve) => {
    let text = "";
    // a character may come in two pieces
    input.setEncoding("utf8");
    const take = (piece: string): void => {
      text += piece;
      if (!text.endsWith("\n")) return;
      input.off("data", take);
      // what comes after the line is only waited for
      input.resume();
      resolve(JSON.parse(text) as Job);
    };
    input.on("data", take);
    input.on("end", onEnd);
  });
}
