/** A real sshd in vitest's groups. */
import { afterAll } from "vitest";
import { describeUnless, type Missing } from "../needs.ts";
import { openSshd, type Program, type Sshd } from "./driver.ts";

export interface Needed extends Program {
  /** something else that the group needs */
  readonly missing?: Missing;
}

/** A group of tests that share an sshd as their judge; where it does not run here, they are skipped. */
export async function describeWithSshd(
  { missing = null, ...program }: Needed,
  name: string,
  run: (sshd: Sshd) => void,
): Promise<void> {
  if (missing !== null) return describeUnless(missing, name, () => {});
  const opened = await openSshd(program);
  if (opened.kind === "skipped") return describeUnless(opened.reason, name, () => {});
  const { sshd } = opened;
  describeUnless(null, `${name} on ${sshd.name}`, () => {
    afterAll(() => sshd.close());
    run(sshd);
  });
}
