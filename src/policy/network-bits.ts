/** A network as the bits that it fixes, behind its family: one holds another where its bits begin the other's. */
import type { Network } from "../../grammar/addresses.ts";

const OCTETS = Array.from({ length: 256 }, (_, octet) => octet.toString(2).padStart(8, "0"));

/** "4" or "6", then "0" and "1". */
export function networkBits({ bytes, length }: Pick<Network, "bytes" | "length">): string {
  let bits = bytes.length === 4 ? "4" : "6";
  for (const octet of bytes) bits += OCTETS[octet] ?? "";
  return bits.slice(0, length + 1);
}
