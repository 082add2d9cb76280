/** How far a text has come in a wildcard pattern: positions as text, "0,3", so that equal rests are equal. */

export function startOf(pattern: string): string {
  return close(pattern, [0]);
}

export function follow(pattern: string, states: string, added: string): string {
  let positions = states;
  for (const char of added) {
    if (positions === "") return "";
    const next = positions.split(",").flatMap((text) => {
      const position = Number(text);
      if (pattern[position] === "*") return [position];
      return pattern[position] === "?" || pattern[position] === char ? [position + 1] : [];
    });
    positions = close(pattern, next);
  }
  return positions;
}

function close(pattern: string, positions: readonly number[]): string {
  const closed = new Set(positions);
  for (const position of closed) if (pattern[position] === "*") closed.add(position + 1);
  return [...closed].sort((a, b) => a - b).join();
}
