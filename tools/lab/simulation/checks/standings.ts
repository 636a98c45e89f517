// How meters stand by the authority's sealed orders, stated here once more and on its own: a block holds only records of meters that
// stand good at the contracts height that it is judged at (I23).

import type { Block } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { parseAnyRecord } from "../../../../src/wire/operation.js";
import type { Action } from "../../../../src/wire/order.js";
import type { Fail } from "./violation.js";

interface Ruling {
  readonly at: number;
  readonly name: "good" | "suspended" | "revoked" | "ended";
  /** the first number that is not sealed, by service */
  readonly ends: ReadonlyMap<number, number>;
}

export interface Standings {
  /** An order is sealed in the contracts block of this height. */
  obey(contractsHeight: number, action: Action): void;
  /** What the last sealed order says of the meter. */
  last(meter: string): Ruling["name"];
  /** Whether a record of this number can ever be sealed, by the last sealed order. */
  isOver(meter: string, service: number, seq: number): boolean;
  /** I23 */
  check(block: Block, fail: Fail): void;
  /** sealed orders of this kind */
  readonly ruled: number;
}

export function createStandings(): Standings {
  const rulings = new Map<string, Ruling[]>();
  let ruled = 0;

  const note = (meter: Uint8Array, ruling: Ruling) => {
    const id = toHex(meter);
    ruled += 1;
    rulings.set(id, [...(rulings.get(id) ?? []), ruling]);
  };

  const isBeyond = ({ ends }: Ruling, service: number, seq: number) => seq >= (ends.get(service) ?? 0);

  return {
    obey(at, action) {
      if (action.type === "suspend")
        for (const id of action.meters) note(id, { at, name: "suspended", ends: new Map() });
      if (action.type === "revoke") for (const id of action.meters) note(id, { at, name: "revoked", ends: new Map() });
      if (action.type === "resume") for (const id of action.meters) note(id, { at, name: "good", ends: new Map() });
      if (action.type === "end") note(action.meter, { at, name: "ended", ends: new Map(action.ends) });
    },
    last: (meter) => rulings.get(meter)?.at(-1)?.name ?? "good",
    isOver(meter, service, seq) {
      const last = rulings.get(meter)?.at(-1);
      return last?.name === "revoked" || (last?.name === "ended" && isBeyond(last, service, seq));
    },
    check({ chain, height, judgedAt, batches }, fail) {
      if (rulings.size === 0) return;
      for (const bytes of batches.flatMap(({ records }) => records)) {
        const { kid, claims } = parseAnyRecord(bytes);
        const id = toHex(kid);
        const ruling = rulings.get(id)?.findLast(({ at }) => at <= judgedAt);
        if (ruling === undefined || ruling.name === "good") continue;
        if (ruling.name === "ended" && !isBeyond(ruling, chain, claims.seq)) continue;
        const where = `${chain}/${id}/${claims.seq}, ${ruling.name} at ${ruling.at}, in block ${chain}/${height} judged at ${judgedAt}`;
        fail("I23 only records of meters that stand good are sealed", where);
      }
    },
    get ruled() {
      return ruled;
    },
  };
}
