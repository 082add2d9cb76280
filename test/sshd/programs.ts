/** The sshds that tests can ask: the machine's own, and those of the lab (test/lab/host make) that are there. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LAB } from "../lab/hosts.ts";
import type { Program } from "./driver.ts";

const FROM_LAB: readonly Program[] = ["bullseye", "trixie", "sid"]
  .map((suite) => join(LAB, suite))
  .filter((root) => existsSync(join(root, "usr/sbin/sshd")))
  .map((chroot) => ({ chroot }));

export const PROGRAMS: readonly Program[] = [{}, ...FROM_LAB];
