// Goes round what contracts remember, a few entries at a time, so that each entry's proof is asked for in turn however many there are.

import type { StateEntry } from "../sources/source.js";
import { type AskedState, entryComplaint } from "./states.js";

/** Entries of a contract that are looked at each time. */
const ENTRIES_AT_ONCE = 4;
/** Contracts of one node whose rounds are kept between two looks. */
const CONTRACTS_MAX = 256;

export interface StateRounds {
  /** What is wrong with a contract's state after the next entries: it stands until a whole round finds nothing. */
  look(asked: AskedState): Promise<string | undefined>;
}

interface Round {
  readonly entries: AsyncIterator<StateEntry>;
  /** what this round has found */
  found: string | undefined;
}

export function createStateRounds(): StateRounds {
  const rounds = new Map<string, Round>();
  const complaints = new Map<string, string>();
  const begin = (asked: AskedState): Round => {
    const entries = asked.source.stateEntries({ ...asked, prefix: "" })[Symbol.asyncIterator]();
    return { entries, found: undefined };
  };
  return {
    async look(asked) {
      const name = `${asked.service}/${asked.contract}`;
      if (rounds.size === CONTRACTS_MAX && !rounds.has(name)) rounds.clear();
      const round = rounds.get(name) ?? begin(asked);
      rounds.set(name, round);
      try {
        const isOver = await lookOn(asked, round);
        if (round.found !== undefined) complaints.set(name, round.found);
        else if (isOver) complaints.delete(name);
        if (isOver) rounds.delete(name);
      } catch (error) {
        rounds.delete(name);
        throw error;
      }
      return complaints.get(name);
    },
  };
}

/** Whether the round has come to its end. */
async function lookOn(asked: AskedState, round: Round): Promise<boolean> {
  for (let looked = 0; looked < ENTRIES_AT_ONCE; looked += 1) {
    const next = await round.entries.next();
    if (next.done) return true;
    round.found ??= await entryComplaint(asked, next.value.key, next.value.value);
  }
  return false;
}
