// Closed slots as entries: the contracts that ask for slots are shown their rows, part by part.

import type { Value } from "../../../src/wire/value.js";
import type { EntriesPlace, PlannedEntry } from "../entry.js";
import { SHOWN_ROWS_MAX, type ShownRows } from "./settle.js";

/** The rows of closed slots that the block shows, by time and part, then by the names of the contracts. */
export function slotEntries({ contracts, settlement }: EntriesPlace): PlannedEntry[] {
  return settlement.shown.flatMap((shown) => {
    const entry = { kind: "slot", start_s: shown.slot.start_s, part: shown.first / SHOWN_ROWS_MAX } as const;
    const argument = argumentOf(shown);
    const called = contracts.filter(({ install }) => shown.to.includes(install.name));
    return called.map((contract): PlannedEntry => ({ entry, fate: { type: "run", contract, argument } }));
  });
}

function argumentOf({ slot, first, rows }: ShownRows): Value {
  const { start_s, slot_s, points: count } = slot;
  const points = rows.map(({ point, imported, exported, quality, doubts }) => {
    return [point, imported, exported, quality, doubts];
  });
  return { start_s, length_s: slot_s, count, first, points };
}
