// Own temporary blocks that can be sealed no more, as the chain has sealed their number with another one, or has closed it. What meters
// and submitters of orders were acknowledged is in them: it waits again.

import type { Block } from "../../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import type { ReadBatch } from "../../../ledger/compose.js";
import { type ExecutionRecord, kidOf } from "../../../ledger/record-scan.js";
import { sealNumber } from "../../../ledger/state.js";
import { idKey, numberKey } from "../../store/keys.js";
import type { Writer } from "../../store/writer.js";
import type { ChainPorts } from "../ports.js";
import { admitted } from "../tables/admitted.js";
import { deleteBatch } from "../tables/batches.js";
import { credentials } from "../tables/credentials.js";
import { origins } from "../tables/states.js";
import type { Gather } from "./gather.js";
import type { WaitingNotices } from "./waiting-notices.js";

export interface Displaced {
  /** Those of `own` whose number the block takes or has taken from them; the same before the block is stored and after it. */
  by(block: Block, own: readonly ReadBatch[]): ReadBatch[];
  /** Writes that what is in it waits. */
  keepWaiting(writer: Writer, displaced: ReadBatch): void;
  /** It waits from here on; it is on disk. */
  gatherAgain(displaced: ReadBatch): void;
  /** Both, and its row goes. */
  giveBack(displaced: ReadBatch): Promise<void>;
}

export function createDisplaced(ports: ChainPorts, gather: Gather, waitingNotices: WaitingNotices): Displaced {
  const { store, self } = ports;
  const service = ports.chain.service;

  /** Records of an earlier self may be of meters that have not shown their credential to this one: they come again. */
  const isPresentable = (record: ExecutionRecord) =>
    (store.get(credentials, idKey(service, kidOf(record))) ?? store.get(credentials, idKey(0, kidOf(record)))) !==
    undefined;

  const waitingIn = ({ records, notices }: ReadBatch) => ({ records: records.filter(isPresentable), notices });

  const keep = (writer: Writer, { records, notices }: ReturnType<typeof waitingIn>) => {
    waitingNotices.keep(writer, notices);
    for (const record of records) writer.put(admitted, numberKey(service, kidOf(record), record.seq), record.bytes);
  };

  const add = ({ records, notices }: ReturnType<typeof waitingIn>) => {
    for (const record of records) gather.add(record);
    waitingNotices.add(notices);
  };

  return {
    by(block, own) {
      const sealed = block.batches.filter((batch) => equalBytes(batch.origin, self.id));
      const ids = new Set(sealed.map(({ id }) => toHex(id)));
      let numbers = store.get(origins, idKey(service, self.id));
      for (const { number } of sealed) numbers = sealNumber(numbers, number) ?? numbers;
      return own.filter((read) => !ids.has(toHex(read.id)) && sealNumber(numbers, read.batch.number) === undefined);
    },
    keepWaiting: (writer, displaced) => keep(writer, waitingIn(displaced)),
    gatherAgain: (displaced) => add(waitingIn(displaced)),
    async giveBack(displaced) {
      const { origin, number } = displaced.batch;
      const waiting = waitingIn(displaced);
      await store.write((writer) => {
        deleteBatch(writer, service, origin, number);
        keep(writer, waiting);
      });
      add(waiting);
    },
  };
}
