// Tables `batches` and `acceptances`: temporary blocks that no block seals yet, with their origins' signatures, and a quorum's
// acknowledgements of each where they are known.

import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { readBatch } from "../../../ledger/compose.js";
import { kidOf } from "../../../ledger/record-scan.js";
import { chainIn, chainRange, idIn, type NumberKey, numberIn, numberKey } from "../../store/keys.js";
import { soundOf } from "../../store/sound.js";
import type { StoreReader } from "../../store/store.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";
import type { Writer } from "../../store/writer.js";
import { admitted } from "./admitted.js";
import { noticeKey, waitingNotices } from "./waiting-notices.js";

export const batches: Table<NumberKey, Uint8Array> = {
  name: "batches",
  describe: (key) => `a temporary block of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
  /** Of its own: what is in it waits by itself again. Where it is sealed or comes back from peers, that is a repetition and falls out. */
  takeOver(key, row, { self, genesis, presentable, encrypted, put }) {
    if (!equalBytes(idIn(key), self)) return;
    const chain = chainIn(key);
    const read = soundOf(() => readBatch(genesis.hash, row));
    for (const record of read?.records ?? []) {
      const kid = kidOf(record);
      const isLost = record.hides && !encrypted.has(toHex(record.hash));
      if (!isLost && presentable.has(toHex(kid))) put(admitted, numberKey(chain, kid, record.seq), record.bytes);
    }
    for (const notice of read?.notices ?? []) {
      if (notice.kind !== "credential") put(waitingNotices, noticeKey(chain, notice), notice);
    }
  },
};

export const acceptances: Table<NumberKey, Uint8Array> = {
  name: "acceptances",
  describe: (key) => `a temporary block's acceptance of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

export interface StoredBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly acceptance: Uint8Array | undefined;
}

export function storedBatches(store: StoreReader, chain: number): StoredBatch[] {
  return store.range(batches, chainRange(chain)).map(({ key, row }) => ({
    origin: idIn(key),
    number: numberIn(key),
    bytes: row,
    acceptance: store.get(acceptances, key),
  }));
}

/** Removes a temporary block and its acceptance. */
export function deleteBatch(writer: Writer, chain: number, origin: Uint8Array, number: number): void {
  writer.delete(batches, numberKey(chain, origin, number));
  writer.delete(acceptances, numberKey(chain, origin, number));
}
