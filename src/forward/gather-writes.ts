/**
 * ssh2 writes each packet in three pieces (length, text, tag). With TCP_NODELAY each would be a system call and a segment
 * of its own; held until the end of the turn, what one event brings about leaves as one.
 */
import type { Transport } from "./session.ts";

export function gatherWrites(transport: Transport): void {
  const write: (chunk: Buffer) => boolean = transport.write.bind(transport);
  let held = false;
  const release = (): void => {
    held = false;
    transport.uncork();
  };
  transport.write = (chunk: Buffer): boolean => {
    if (!held) {
      held = true;
      transport.cork();
      setImmediate(release);
    }
    return write(chunk);
  };
}
