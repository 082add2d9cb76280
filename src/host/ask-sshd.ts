/** What the host's own sshd says of one connection: `sshd -T -C` on its own command line (sshd(8), "extended test mode"). */
import type { Machine } from "./machine.ts";
import { GAVE_NO_ANSWER, runTest, type SshdCommand } from "./validate.ts";

export type Said =
  /** values by lower-case keyword; a keyword printed on several lines has them joined by blanks */
  | { readonly kind: "settings"; readonly settings: ReadonlyMap<string, string> }
  | { readonly kind: "nothing"; readonly because: string };

/** `specification` as -C takes it: "user=alice,host=…". */
export async function askSshd(
  machine: Machine,
  { program, options }: SshdCommand,
  specification: string,
): Promise<Said> {
  const { status, stdout, stderr, failed } = await runTest(machine, [
    program,
    "-T",
    ...options,
    "-C",
    specification,
  ]);
  if (status === null) return { kind: "nothing", because: failed ?? GAVE_NO_ANSWER };
  if (status !== 0) return { kind: "nothing", because: stderr.trim() };
  const settings = new Map<string, string>();
  for (const line of stdout.split("\n")) {
    const [, keyword, value = ""] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (keyword === undefined) continue;
    const name = keyword.toLowerCase();
    const earlier = settings.get(name);
    settings.set(name, earlier === undefined ? value : `${earlier} ${value}`);
  }
  return { kind: "settings", settings };
}
