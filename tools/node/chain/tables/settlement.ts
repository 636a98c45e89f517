// Tables `settlements`, `counters` and `slots`: where a chain's settlement stands, what is kept of its meters' counters, and the rows of
// its closed slots. They follow from the chain, so a repair leaves them to the replay.

import { HEIGHT_MAX, TIME_S_MAX, WORD_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asArray, asText, asUint } from "../../../../src/wire/shape.js";
import {
  decodeSlotRows,
  encodeSlotRows,
  planFrom,
  planToArray,
  type SlotRows,
  slotsFromArray,
  slotsToArray,
} from "../../../../src/wire/slot.js";
import {
  decodeMeterCounters,
  encodeMeterCounters,
  type MeterCounters,
} from "../../../ledger/settlement/meter-counters.js";
import type { SettlementHead } from "../../../ledger/settlement/settle.js";
import { type ChainKey, chainIn, type IdKey, idIn, type SlotKey, startIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

/** Closed slots whose rows a node keeps: a week of quarters of an hour. Those before follow from an export. */
export const SLOTS_KEPT = 672;

export const settlements: Table<ChainKey, SettlementHead> = {
  name: "settlements",
  describe: (key) => `settlement of chain ${chainIn(key)}`,
  encode({ plan, height, epoch, open_s, awaited, beyond, showing }) {
    const shown = showing === undefined ? null : [slotsToArray([showing.slot]), showing.shown, showing.behind ?? null];
    return encodeCbor([planToArray(plan), height, epoch, open_s, awaited, beyond, shown]);
  },
  decode(content) {
    const [plan, height, epoch, open, awaited, beyond, shown] = asArray(decodeCbor(content), "settlement", 7);
    return {
      plan: planFrom(plan),
      height: asUint(height, "settlement height", HEIGHT_MAX),
      epoch: asUint(epoch, "settlement epoch", HEIGHT_MAX),
      open_s: asUint(open, "settlement begin", TIME_S_MAX),
      awaited: asUint(awaited, "settlement awaited", WORD_MAX),
      beyond: asUint(beyond, "settlement beyond", WORD_MAX),
      showing: shown === null ? undefined : showingFrom(asArray(shown, "settlement shown", 3)),
    };
  },
  checksum: sha256Checksum,
};

function showingFrom([slots, shown, behind]: readonly Parameters<
  typeof slotsFromArray
>[0][]): SettlementHead["showing"] {
  const [slot] = slotsFromArray(slots);
  if (slot === undefined) throw new Error("a settlement shows no slot");
  return {
    slot,
    shown: asUint(shown, "settlement rows shown", WORD_MAX),
    behind: behind === null ? undefined : asText(behind, "settlement contract shown"),
  };
}

/** Kept decoded: a meter's reading changes what is kept of it. */
export const counters: Table<IdKey, MeterCounters> = {
  name: "counters",
  describe: (key) => `counters of meter ${toHex(idIn(key))}`,
  encode: encodeMeterCounters,
  decode: decodeMeterCounters,
  checksum: sha256Checksum,
  kept: { rows_max: 16_384, copy: (row) => row },
};

/** By the begin of the slot. */
export const slots: Table<SlotKey, SlotRows> = {
  name: "slots",
  describe: (key) => `rows of slot ${startIn(key)} of chain ${chainIn(key)}`,
  encode: encodeSlotRows,
  decode: decodeSlotRows,
  checksum: sha256Checksum,
};
