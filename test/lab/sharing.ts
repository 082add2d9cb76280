/** Booted hosts in vitest's groups. */
import { afterAll, beforeAll, describe, test } from "vitest";
import { installDriver } from "./driving.ts";
import { type LabHost, layerHost, whyNoHost } from "./hosts.ts";

/** A group of tests that is skipped, saying why, where hosts of this base cannot be booted. */
export function whenBootable(base: string): (name: string, run: () => void) => void {
  const reason = whyNoHost(base);
  return (name, run) =>
    reason === null ? describe(name, run) : describe(name, () => test.skip(`${base}: ${reason}`, () => {}));
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
