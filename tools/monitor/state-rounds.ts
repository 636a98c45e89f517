// Goes round what contracts remember, a few entries at a time, so that each entry's proof is asked for in turn however many there are.
// Keys that the newest blocks have written come first: a value that is told otherwise is found within a block.

import type { StateEntry } from "../sources/source.js";
import { type AskedState, entryComplaint, keyComplaint } from "./states.js";

/** Entries of a contract that are looked at each time, and of those that blocks have written. */
const ENTRIES_AT_ONCE = 4;
const WRITTEN_AT_ONCE = 16;
/** Written keys of a contract that wait to be looked at; of more the oldest come with their round. */
const WRITTEN_MAX = 256;
/** Contracts of one node whose rounds are kept between two looks. */
const CONTRACTS_MAX = 256;

export interface StateRounds {
  /** A block has written these keys, each behind its contract's name and a slash. */
  note(service: number, written: readonly string[]): void;
  /** What is wrong with a contract's state after the next entries: it stands until a whole round finds nothing. */
  look(asked: AskedState): Promise<string | undefined>;
}

interface Round {
  /** under way */
  entries: AsyncIterator<StateEntry> | undefined;
  readonly written: Set<string>;
  /** what this round has found, and what the last one did or this one has */
  found: string | undefined;
  complaint: string | undefined;
}

export function createStateRounds(): StateRounds {
  const rounds = new Map<string, Round>();
  const roundOf = (name: string): Round => {
    const fresh = { entries: undefined, written: new Set<string>(), found: undefined, complaint: undefined };
    const round = rounds.get(name) ?? fresh;
    if (rounds.size === CONTRACTS_MAX && !rounds.has(name)) rounds.clear();
    rounds.set(name, round);
    return round;
  };
  return {
    note(service, written) {
      for (const whole of written) {
        const end = whole.indexOf("/");
        const keys = roundOf(`${service}/${whole.slice(0, end)}`).written;
        keys.delete(whole.slice(end + 1));
        keys.add(whole.slice(end + 1));
        if (keys.size > WRITTEN_MAX) keys.delete(keys.values().next().value!);
      }
    },
    async look(asked) {
      const round = roundOf(`${asked.service}/${asked.contract}`);
      try {
        await lookOn(asked, round);
      } catch (error) {
        round.entries = undefined;
        throw error;
      }
      return round.complaint;
    },
  };
}

async function lookOn(asked: AskedState, round: Round): Promise<void> {
  for (const key of [...round.written].slice(0, WRITTEN_AT_ONCE)) {
    const complaint = await keyComplaint(asked, key);
    round.written.delete(key);
    note(round, complaint);
  }
  round.entries ??= asked.source.stateEntries({ ...asked, prefix: "" })[Symbol.asyncIterator]();
  for (let looked = 0; looked < ENTRIES_AT_ONCE; looked += 1) {
    const next = await round.entries.next();
    if (next.done) {
      if (round.found === undefined) round.complaint = undefined;
      round.found = undefined;
      round.entries = undefined;
      return;
    }
    note(round, await entryComplaint(asked, next.value.key, next.value.value));
  }
}

function note(round: Round, complaint: string | undefined): void {
  if (complaint === undefined) return;
  round.found ??= complaint;
  round.complaint = round.found;
}
