/** How far a text has come in a wildcard pattern: the positions in it that may come next. */
export type Positions = readonly number[];

export function startOf(pattern: string): Positions {
  return close(pattern, [0]);
}

export function step(pattern: string, positions: Positions, char: string): Positions {
  const next: number[] = [];
  for (const position of positions) {
    const wanted = pattern[position];
    if (wanted === "*") next.push(position);
    else if (wanted === "?" || wanted === char) next.push(position + 1);
  }
  return close(pattern, next);
}

export function follow(pattern: string, from: Positions, added: string): Positions {
  let positions = from;
  for (const char of added) {
    if (positions.length === 0) break;
    positions = step(pattern, positions, char);
  }
  return positions;
}

/** The text that led here matches. */
export function isMatched(pattern: string, positions: Positions): boolean {
  return positions.includes(pattern.length);
}

/** Whatever follows, the text matches. */
export function isSure(pattern: string, positions: Positions): boolean {
  return pattern.endsWith("*") && positions.includes(pattern.length - 1);
}

/** Equal where the rests of all patterns are. */
export function keyOf(states: readonly Positions[]): string {
  return states.map((positions) => positions.join(",")).join(";");
}

function close(pattern: string, positions: Positions): Positions {
  const closed = new Set(positions);
  for (const position of closed) if (pattern[position] === "*") closed.add(position + 1);
  return [...closed].sort((a, b) => a - b);
}
