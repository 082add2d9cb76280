/** Configurations of a given size, the same at every run. */
import { readFileSync } from "node:fs";
import { STOCK_FILE } from "./commands.ts";

/** Small numbers in a fixed order (a linear congruential generator; Numerical Recipes' constants). */
export function makeNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Debian's stock file again and again. */
export function stockText(bytes: number): string {
  const text = readFileSync(STOCK_FILE, "latin1");
  return text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes);
}

/** That many lines, most of them in Match blocks for one user each. */
export function longConfiguration(lines: number): string {
  const blocks = Array.from(
    { length: Math.ceil(lines / 5) },
    (_, number) =>
      `# user ${number} of the bastion\nMatch User user${number}\n\tAllowTcpForwarding local\n\tPermitOpen db${number}.example:5432\n\tX11Forwarding no\n`,
  );
  return blocks.join("").split("\n").slice(0, lines).join("\n").concat("\n");
}

/** None to six blocks as above, drawn at random: for several people, from a network or with settings of their own. */
export function ownPolicy(seed: number): string {
  const below = makeNumbers(seed);
  const people = (): string => Array.from({ length: 1 + below(3) }, () => `person${below(1000)}`).join(",");
  const blocks = Array.from({ length: below(7) }, (_, number) => {
    const place = below(3) === 0 ? ` Address 10.${below(256)}.0.0/16` : "";
    const limit = below(2) === 0 ? `\tPermitOpen db${number}.site${seed}.example:${5432 + below(9)}\n` : "";
    const value = ["yes", "no", "local", "remote"][below(4)] ?? "no";
    return `Match User ${people()}${place}\n\tAllowTcpForwarding ${value}\n${limit}\tX11Forwarding no\n`;
  });
  return `AllowGroups staff${seed}\nLoginGraceTime ${30 + below(90)}\n${blocks.join("")}`;
}

/** Each block with a user list, an address list and a group list with a negation, drawn at random. */
export function mixedBlocks(blocks: number, seed: number): string {
  const below = makeNumbers(seed);
  const some = (least: number, name: () => string): string =>
    Array.from({ length: least + below(3) }, name).join(",");
  const lines = Array.from({ length: blocks }, () => {
    const users = some(1, () => `user${below(500)}`);
    const networks = some(1, () => `10.${below(256)}.${below(256)}.0/24`);
    const groups = `${some(1, () => `group${below(200)}`)},!group${below(200)}`;
    const value = ["yes", "no", "local", "remote"][below(4)] ?? "no";
    return `Match User ${users} Address ${networks} Group ${groups}\n\tAllowTcpForwarding ${value}\n`;
  });
  return `AllowTcpForwarding no\n${lines.join("")}`;
}

export function userBlocks(blocks: number): string {
  const lines = Array.from(
    { length: blocks },
    (_, number) => `Match User user${number}\n\tAllowTcpForwarding ${number % 2 === 0 ? "yes" : "no"}\n`,
  );
  return `AllowTcpForwarding no\n${lines.join("")}`;
}

/** Prefix, suffix and infix wildcards in turn. */
export function wildcardBlocks(blocks: number, seed: number): string {
  const below = makeNumbers(seed);
  const lines = Array.from({ length: blocks }, (_, number) => {
    const word = `w${below(10_000)}`;
    const pattern = [`${word}*`, `*${word}`, `*${word}*`][number % 3] ?? word;
    return `Match User ${pattern}\n\tAllowTcpForwarding ${number % 2 === 0 ? "yes" : "no"}\n`;
  });
  return `AllowTcpForwarding no\n${lines.join("")}`;
}

/**
 * A block that nobody can enter, which takes an automaton of 2^16 states to prove: a name with an "a" in the 17th place
 * from its end, and no such name. The search gives up, which must end in "unknown" (design.md, "Limits").
 */
export function puzzle(places: number): string {
  const pattern = `*a${"?".repeat(places)}`;
  return `AllowTcpForwarding no\nMatch User ${pattern} User *,!${pattern}\n\tAllowTcpForwarding yes\n`;
}
