/** Where nobody knows the target's release: what others would make of it. Nothing where it is known. */
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { readOnce } from "../files/read-once.ts";
import { otherReadings } from "../policy/other-releases.ts";
import type { Target } from "./target.ts";

/** Of a drop-in without the sshd_config that includes it. */
export const BY_ITSELF =
  "a drop-in by itself: no sshd_config beside or above it includes it, so what it does not set is unknown";

/** A fragment has no meaning of its own that could differ. */
export function readingsElsewhere(target: Target, config: Config = target.config): readonly string[] {
  if (target.fragment) return [BY_ITSELF];
  if (!target.releaseAssumed) return [];
  const tree = readOnce(target.tree);
  return otherReadings(config, (release) =>
    loadConfig(tree, target.path, { ...target.loadOptions, release }),
  );
}
