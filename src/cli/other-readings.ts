/** Where nobody knows the target's release: what others would make of it. Nothing where it is known. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { otherReadings } from "../policy/other-releases.ts";
import type { Target } from "./target.ts";

/** A fragment has no meaning of its own that could differ. */
export function readingsElsewhere(target: Target, config: Config = target.config): readonly string[] {
  if (!target.releaseAssumed || target.fragment) return [];
  return otherReadings(config, (release) =>
    loadConfig(target.tree, target.path, { ...target.loadOptions, release }),
  );
}
