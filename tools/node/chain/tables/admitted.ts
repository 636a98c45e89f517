// Table `admitted`: what a meter is acknowledged by this node: its record, while no temporary block has it.

import { toHex } from "../../../../src/wire/bytes.js";
import { parseAnyRecord } from "../../../../src/wire/operation.js";
import { executionRecord } from "../../../ledger/record-scan.js";
import { chainIn, chainRange, type NumberKey, numberKey } from "../../store/keys.js";
import { soundOf } from "../../store/sound.js";
import type { StoreReader } from "../../store/store.js";
import { asIs, crc32Checksum, type Table } from "../../store/table.js";

export const admitted: Table<NumberKey, Uint8Array> = {
  name: "admitted",
  describe: (key) => `a waiting record of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: crc32Checksum,
  isTakenOver: true,
  /** What hides something and has lost it is not taken over: its meter, which has no receipt, brings it whole once more. */
  takeOver(key, row, { presentable, encrypted, put }) {
    const record = soundOf(() => parseAnyRecord(row));
    if (record === undefined || !presentable.has(toHex(record.kid))) return;
    if (executionRecord(record).hides && !encrypted.has(toHex(record.hash))) return;
    put(admitted, numberKey(chainIn(key), record.kid, record.claims.seq), row);
  },
};

/** Admitted records that are in no temporary block yet, by meter and number. */
export function admittedRecords(store: StoreReader, chain: number): Uint8Array[] {
  return store.range(admitted, chainRange(chain)).map(({ row }) => row);
}
