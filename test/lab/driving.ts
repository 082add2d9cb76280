/** Calls functions of src/host inside a booted host: driver.ts, bundled. */
import { buildSync } from "esbuild";
import type { LabHost } from "./hosts.ts";

const PLACE = "/opt/driver.mjs";

/** Before the host boots. */
export function installDriver(host: LabHost): void {
  const { outputFiles } = buildSync({
    entryPoints: [new URL("driver.ts", import.meta.url).pathname],
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
  });
  host.write(PLACE, outputFiles[0]?.text ?? "");
}

/** What the driver answers, as JSON. */
export async function drive(host: LabHost, words: string): Promise<unknown> {
  return JSON.parse(await host.must(`node ${PLACE} ${words}`));
}
