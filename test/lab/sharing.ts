/** Booted hosts in vitest's groups. */
import { afterAll, beforeAll } from "vitest";
import { describeUnless } from "../needs.ts";
import { installDriver } from "./driving.ts";
import { type LabHost, layerHost, whyNoHost } from "./hosts.ts";

/** A group of tests that is skipped, saying why, where hosts of this base cannot be booted. */
export function whenBootable(base: string): (name: string, run: () => void) => void {
  return (name, run) => describeUnless(whyNoHost(base), name, run);
}

/** Declares a booted host that the tests of a group share; `install` puts on it what they call. */
export function shareHost(base: string, install: (host: LabHost) => void = installDriver): LabHost {
  const host = layerHost(base);
  beforeAll(async () => {
    install(host);
    await host.boot();
  });
  afterAll(() => host.remove());
  return host;
}
