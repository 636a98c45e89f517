// What a member that lies makes of what readings hide: ciphertexts that open nothing, of its own records, of what others ask it for, and of
// records of others that it is the first to seal.

import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { decodeSealedList, encodeSealedList, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { BoundedMap } from "../../../bounded-map.js";
import { makeBatch, readBatch } from "../../../ledger/compose.js";
import { type ExecutionRecord, kidOf } from "../../../ledger/record-scan.js";
import { byteOf, chainOf, decodeFrame, encodeFrame, frameByte, frameOf, payloadOf } from "../../../node/chain/frame.js";
import { ENVELOPE_FRAME, FOUND_DISCLOSURES_FRAME } from "../../../node/disclosures/ports.js";
import type { Coverage } from "../coverage.js";
import { attempt, type Forger } from "./forgery.js";

const RECORDS_MAX = 8;
/** Its node itself uses those below, and who repeats those above. */
const NUMBER_MIN = 100;
const NUMBERS = 60;
const CIPHERTEXT_BYTES = 90;

export interface Inventions {
  /** A frame that this member has received. */
  hear(bytes: Uint8Array): void;
  /** What leaves in the place of a frame about what readings hide. */
  onSend(bytes: Uint8Array): Uint8Array;
  /** The frames of one moment: a temporary block of what others gather, and before it what its records are said to hide. */
  frames(chain: number): Uint8Array[];
}

export function createInventions(
  { genesis, self, random, sign }: Forger,
  coverage: Pick<Coverage, "invented">,
): Inventions {
  const known = new BoundedMap<number, BoundedMap<string, ExecutionRecord>>(64);
  let count = 0;

  const inventedFor = (record: ExecutionRecord): SealedDisclosures => ({
    ...{ kid: kidOf(record), seq: record.seq, recordHash: record.hash },
    ...{ envelope: random.bytes(32), nonce: random.bytes(12), ciphertext: random.bytes(CIPHERTEXT_BYTES) },
  });

  const spoilt = (bytes: Uint8Array): Uint8Array => {
    const list = attempt(() => decodeSealedList(payloadOf(bytes)));
    if (list === undefined) return bytes;
    const lies = list.map((each) => ({
      ...each,
      ciphertext: random.bytes(each.ciphertext.length),
      envelope: random.chance(0.3) ? random.bytes(32) : each.envelope,
    }));
    return frameOf(byteOf(bytes)!, chainOf(bytes), encodeSealedList(lies));
  };

  return {
    hear(bytes) {
      const frame = decodeFrame(bytes);
      if (frame?.kind !== "batch") return;
      const records = attempt(() => readBatch(genesis.hash, frame.payload))?.records ?? [];
      const ofChain = known.get(frame.chain) ?? new BoundedMap<string, ExecutionRecord>(RECORDS_MAX);
      for (const record of records) if (record.hides) ofChain.set(toHex(record.hash), record);
      known.set(frame.chain, ofChain);
    },
    onSend(bytes) {
      const byte = byteOf(bytes);
      const isChanged =
        byte === frameByte("disclosures") || byte === FOUND_DISCLOSURES_FRAME || byte === ENVELOPE_FRAME;
      if (!isChanged || random.chance(0.5)) return bytes;
      coverage.invented += 1;
      if (byte !== ENVELOPE_FRAME) return spoilt(bytes);
      const changed = Uint8Array.from(bytes);
      changed[changed.length - 1]! ^= 1; // the end of the sealed share
      return changed;
    },
    frames(chain) {
      const records = [...(known.get(chain)?.values() ?? [])];
      if (records.length === 0) return [];
      count += 1;
      coverage.invented += 1;
      const content = { chain, origin: fromHex(self)!, number: NUMBER_MIN + (count % NUMBERS), notices: [] };
      const { bytes } = makeBatch(genesis.hash, content, records, sign);
      const lies = encodeSealedList(records.map(inventedFor));
      return [encodeFrame("disclosures", chain, lies), encodeFrame("batch", chain, bytes)];
    },
  };
}
