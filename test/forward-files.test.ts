/** The files that a client goes by, while others have their hands on them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ClientFile, openClientFiles } from "../src/forward/client-files.ts";
import { makeFolder } from "./own-folder.ts";

describe("a file that a client goes by", () => {
  const folder = makeFolder();
  const read = (name: string): ClientFile => openClientFiles(() => {}).read(join(folder, name));

  it("is judged by what was opened, while others exchange it", async () => {
    const modes: Readonly<Record<string, number>> = { mine: 0o600, theirs: 0o666 };
    for (const [name, mode] of Object.entries(modes)) {
      writeFileSync(join(folder, name), name);
      chmodSync(join(folder, name), mode);
    }
    const script = `const { linkSync, renameSync, writeSync } = require("node:fs");
      writeSync(1, "ready");
      for (;;) for (const name of ["mine", "theirs"]) { linkSync(name, "new"); renameSync("new", "key"); }`;
    const child = spawn(process.execPath, ["-e", script], {
      cwd: folder,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout, "data");
    const seen = new Set<string>();
    const begun = Date.now();
    for (let ms = 0; ms < 1_500 || (seen.size < 2 && ms < 30_000); ms = Date.now() - begun) {
      try {
        const { bytes, mode } = read("key");
        seen.add(`${bytes} ${(mode & 0o777).toString(8)}`);
      } catch {
        // not yet
      }
    }
    child.kill("SIGKILL");
    expect([...seen].sort()).toEqual(["mine 600", "theirs 666"]);
  });

  it("has at most 64 MiB, pipe or not", () => {
    for (const bytes of [64 * 1024 * 1024, 64 * 1024 * 1024 + 1]) {
      writeFileSync(join(folder, "large"), "");
      truncateSync(join(folder, "large"), bytes);
      if (bytes % 2 === 0) expect(read("large").bytes.length).toBe(bytes);
      else expect(() => read("large")).toThrow("there are more than 64 MiB in it");
    }
  });
});
