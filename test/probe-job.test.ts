/** The job of the part of a probe that is inside the sandbox, as it comes through a pipe. */
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { readJob } from "../src/forward/read-job.ts";

it("is read byte for byte, whatever pieces it comes in", async () => {
  const job = { files: [{ name: "sshd_config", text: "Match User m\xc3\xbcller\n" }] };
  const bytes = Buffer.from(`${JSON.stringify(job)}\n`);
  for (let cut = 1; cut < bytes.length; cut++) {
    const input = new PassThrough();
    const read = readJob(input, () => {});
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      input.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await read).toEqual(job);
  }
});
