/** The closed world: nobody but known accounts. Criteria on users and groups are sets of them, one bit an account. */
import type { Account } from "../files/tree.ts";
import type { Atom } from "./atoms.ts";
import type { Theory } from "./box.ts";
import { NO_FIELDS } from "./connection.ts";
import { found, NONE } from "./found.ts";
import type { Holding } from "./holding.ts";

export function indexAccounts(
  accounts: readonly Account[],
  atoms: readonly Atom[],
  holding: Holding,
): Theory {
  const words = Math.ceil(accounts.length / 32);
  const sets = memberSets(accounts, holding, words);
  const nobody = new Uint32Array(words);
  return ({ met, missed }) => {
    // in this world everybody exists
    if (met.some((atom) => atoms[atom]?.attribute === "invalid-user")) return NONE;
    for (let word = 0; word < words; word++) {
      let left = ~0;
      for (const atom of met) left &= (sets.get(atom) ?? nobody)[word] ?? 0;
      for (const atom of missed) left &= ~((sets.get(atom) ?? nobody)[word] ?? 0);
      while (left !== 0) {
        const bit = 31 - Math.clz32(left & -left);
        const account = accounts[word * 32 + bit];
        if (account !== undefined) return found({ user: account.name, groups: account.groups });
        left &= left - 1;
      }
    }
    return NONE;
  };
}

function memberSets(
  accounts: readonly Account[],
  holding: Holding,
  words: number,
): ReadonlyMap<number, Uint32Array> {
  const sets = new Map<number, Uint32Array>();
  for (const [index, { name, groups }] of accounts.entries()) {
    for (const atom of holding.heldBy({ ...NO_FIELDS, user: name, groups }).flatMap((held) => [...held])) {
      const set = sets.get(atom) ?? new Uint32Array(words);
      sets.set(atom, set);
      set[index >> 5] = (set[index >> 5] ?? 0) | (1 << (index & 31));
    }
  }
  return sets;
}
