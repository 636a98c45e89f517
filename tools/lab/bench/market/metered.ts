// Readings of many points through the rules of settlement, as a chain takes them: records at each slot's end, counters, rows. Records have
// no true signature, as nobody here verifies one: `npm run bench` measures that.

import { ED25519 } from "../../../../src/wire/key.js";
import { signRecord } from "../../../../src/wire/record.js";
import { encodeSlotRows, type PointRow } from "../../../../src/wire/slot.js";
import { assertInvariant } from "../../../errors.js";
import { atOnce } from "../../../ledger/pieces.js";
import { readSignedRecords } from "../../../ledger/record-scan.js";
import { MemorySettlement } from "../../../ledger/settlement/memory-settlement.js";
import { encodeMeterCounters } from "../../../ledger/settlement/meter-counters.js";
import { closeSlots, takeReadings } from "../../../ledger/settlement/settle.js";
import { SLOTS_KEPT } from "../../../node/chain/tables/settlement.js";
import { type HomeEnergy, SLOT_S } from "./homes.js";

const WH = 30;
/** Counters are in mWh. */
const MILLI = -3;
const IMPORTED = Uint8Array.of(1, 0, 1, 8, 0, 255);
const EXPORTED = Uint8Array.of(1, 0, 2, 8, 0, 255);
const plan = { slot_s: SLOT_S, lateness_s: 3_600, gapMax_s: 3_600 };
const unsigned = { key: { algorithm: ED25519, x: new Uint8Array(32) }, sign: () => new Uint8Array(64) } as const;

/** The point of a home: that of its meter, which is its ID. */
export function pointOf(home: number): string {
  return home.toString(16).padStart(16, "0");
}

export class MeteredPoints {
  readonly #view = new MemorySettlement();
  readonly #counters: { imported: number; exported: number }[];
  readonly #kids: readonly Uint8Array[];
  readonly #now_ms: () => number;
  #height = 0;
  #seq = 0;
  /** spent in the settlement, without making records */
  settle_ms = 0;
  records_bytes = 0;
  /** of rows of closed slots that a node keeps */
  readonly #rows_bytes: number[] = [];

  /** Reads all counters for the first time. What is spent is told by the clock of whoever measures. */
  constructor(points: number, begin_s: number, now_ms: () => number) {
    this.#now_ms = now_ms;
    this.#counters = Array.from({ length: points }, () => ({ imported: 0, exported: 0 }));
    this.#kids = Array.from({ length: points }, (_, home) => Uint8Array.from(Buffer.from(pointOf(home), "hex")));
    this.#seal(begin_s);
  }

  /** Bytes that a node keeps: rows of the newest slots, and a row of counters a meter. */
  get kept_bytes(): number {
    const rows = this.#rows_bytes.reduce((sum, bytes) => sum + bytes, 0);
    return rows + [...this.#view.all()].reduce((sum, [, counters]) => sum + encodeMeterCounters(counters).length, 0);
  }

  /** The rows of a slot with these energies, which a block closes behind its end. */
  slot(start_s: number, energies: readonly HomeEnergy[]): readonly PointRow[] {
    for (const [home, { taken, given }] of energies.entries()) {
      const counter = this.#counters[home]!;
      counter.imported += taken;
      counter.exported += given;
    }
    const [closed] = this.#seal(start_s + SLOT_S);
    assertInvariant(closed?.slot.start_s === start_s, "a slot closes when all its points have been read");
    this.#rows_bytes.push(encodeSlotRows({ height: this.#height, rows: closed.rows }).length);
    if (this.#rows_bytes.length > SLOTS_KEPT) this.#rows_bytes.shift();
    return closed.rows;
  }

  #seal(time_s: number) {
    const bytes = this.#kids.map((kid, home) => this.#record(kid, this.#counters[home]!, time_s));
    this.#height += 1;
    this.#seq += 1;
    const begin_ms = this.#now_ms();
    const records = readSignedRecords(bytes).map(({ record }) => record);
    const place = { height: this.#height, time_ms: 1_000 * time_s, judgedAt: 0, plan, asking: ["community"] };
    const settling = takeReadings({ ...place, assignments: new Map(), view: this.#view }, records);
    const settlement = atOnce(closeSlots(settling));
    this.#view.apply(settlement);
    this.settle_ms += this.#now_ms() - begin_ms;
    for (const record of bytes) this.records_bytes += record.length;
    return settlement.closed;
  }

  #record(kid: Uint8Array, counter: { readonly imported: number; readonly exported: number }, time_s: number) {
    const registers = [
      { obis: IMPORTED, value: counter.imported, scaler: MILLI, unit: WH },
      { obis: EXPORTED, value: counter.exported, scaler: MILLI, unit: WH },
    ];
    const seq = this.#seq;
    const place = { service: 1, serviceId: 0, seq, previous: new Uint8Array(seq === 0 ? 0 : 32) };
    return signRecord({ ...place, time_s, quality: 2, registers }, [], unsigned, kid);
  }
}
