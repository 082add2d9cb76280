import { readFileSync } from "node:fs";

declare const __VERSION__: string | undefined;

/** Our own version: built in, or read from package.json in a checkout. */
export function ownVersion(): string {
  if (typeof __VERSION__ === "string") return __VERSION__;
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const known = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return known ? String(manifest.version) : "unknown";
}
