// What chains tell each other, held against what they have sealed: numbers without holes on either side, each taken once (I32).

import type { Fail } from "./violation.js";

export interface MessageChecks {
  /** A block of `chain` puts a message out. */
  onSent(where: string, chain: number, to: { readonly service: number; readonly number: number }): void;
  /** A block of `chain` takes one. */
  onTaken(where: string, chain: number, from: { readonly service: number; readonly number: number }): void;
  /** Lanes between chains on which messages wait, by name; `exists`: there is such a chain. */
  waiting(exists: (service: number) => boolean): string[];
  readonly taken: number;
}

const ONCE = "I32 messages between two chains are numbered from 0 without holes, and each is taken once, in its turn";

export function createMessageChecks(fail: Fail): MessageChecks {
  /** numbers that come next, by chain and chain */
  const sent = new Map<string, number>();
  const taken = new Map<string, number>();

  const count = (counts: Map<string, number>, lane: string, number: number, where: string) => {
    const next = counts.get(lane) ?? 0;
    if (number !== next) fail(ONCE, `${where}: ${number} on ${lane}, not ${next}`);
    counts.set(lane, next + 1);
  };

  return {
    onSent: (where, chain, { service, number }) => count(sent, `${chain}>${service}`, number, where),
    onTaken: (where, chain, { service, number }) => count(taken, `${service}>${chain}`, number, where),
    waiting: (exists) =>
      [...sent].flatMap(([lane, next]) => {
        const isWanted = exists(Number(lane.split(">")[1]));
        return isWanted && (taken.get(lane) ?? 0) !== next ? [`${taken.get(lane) ?? 0} of ${next} on ${lane}`] : [];
      }),
    get taken() {
      return [...taken.values()].reduce((sum, next) => sum + next, 0);
    },
  };
}
