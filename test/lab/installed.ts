/** The built program on a booted host. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "./hosts.ts";

const DIST = new URL("../../dist", import.meta.url).pathname;

/** Before the host boots. */
export function installBundle(host: LabHost): void {
  for (const name of readdirSync(DIST, { recursive: true, encoding: "utf8" }))
    if (/\.js(on)?$/.test(name))
      host.write(`/opt/sshd-policy/${name}`, readFileSync(join(DIST, name), "utf8"));
}

/** After it has booted: `sshd-policy` is a command. */
export const LINK_COMMAND =
  "chmod +x /opt/sshd-policy/cli.js && ln -sf /opt/sshd-policy/cli.js /usr/local/bin/sshd-policy";
