// What a faulty member sends to make the others look through their chain: temporary blocks of its own, one number after another, of
// records that others have gathered and that are sealed soon, or already.

import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { BoundedMap } from "../../../bounded-map.js";
import { makeBatch, readBatch } from "../../../ledger/compose.js";
import type { ExecutionRecord } from "../../../ledger/record-scan.js";
import { decodeFrame, encodeFrame } from "../../../node/chain/frame.js";
import { attempt, type Forger } from "./forgery.js";

const BATCHES = 8;
const RECORDS_MAX = 40;
/** As many have come behind those that are sealed for long. */
const BEHIND = 40;
/** Its node itself uses those below. */
const NUMBER_MIN = 200;
const NUMBERS = 800;

export interface Repetitions {
  /** A frame that this member has received. */
  hear(bytes: Uint8Array): void;
  /** The frames of one moment. */
  frames(chain: number): Uint8Array[];
}

/** Of who repeats anything; who recalls sends what is sealed for long, and nothing else. */
export function createRepetitions(forger: Forger, behaviours: readonly string[]): Repetitions | undefined {
  const { genesis, self, sign } = forger;
  const isOld = behaviours.includes("recall");
  if (!isOld && !behaviours.includes("repeat")) return undefined;
  const known = new Map<number, Map<string, ExecutionRecord>>();
  let count = 0;

  const frameOf = (chain: number, records: readonly ExecutionRecord[]): Uint8Array => {
    count += 1;
    const number = NUMBER_MIN + (count % NUMBERS);
    const content = { chain, origin: fromHex(self)!, number, notices: [] };
    return encodeFrame("batch", chain, makeBatch(genesis.hash, content, records, sign).bytes);
  };

  return {
    hear(bytes) {
      const frame = decodeFrame(bytes);
      if (frame?.kind !== "batch") return;
      const read = attempt(() => readBatch(genesis.hash, frame.payload));
      const records = known.get(frame.chain) ?? new BoundedMap<string, ExecutionRecord>(RECORDS_MAX + BEHIND);
      for (const record of read?.records ?? []) records.set(toHex(record.hash), record);
      known.set(frame.chain, records);
    },
    frames(chain) {
      const all = [...(known.get(chain)?.values() ?? [])];
      const isEarly = isOld && all.length < RECORDS_MAX + BEHIND;
      const records = isOld ? all.slice(0, RECORDS_MAX) : all.slice(-RECORDS_MAX);
      return isEarly || records.length === 0 ? [] : Array.from({ length: BATCHES }, () => frameOf(chain, records));
    },
  };
}
