// Table `heads`: the newest block of each chain and the chain's totals.

import { COUNTER_MAX, HEIGHT_MAX, PLAIN_MAX, TIME_MS_MAX } from "../../../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asArray, asBytes, asHeight, asUint } from "../../../../src/wire/shape.js";
import { type ChainKey, chainIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

export interface Head {
  readonly height: number;
  readonly headerHash: Uint8Array;
  /** violations so far */
  readonly counter: number;
  readonly time_ms: number;
  /** records sealed so far */
  readonly records: number;
  /** contracts height that the block was judged at */
  readonly judgedAt: number;
  /** of what its contracts remember */
  readonly stateRoot: Uint8Array;
}

export const heads: Table<ChainKey, Head> = {
  name: "heads",
  describe: (key) => `head of chain ${chainIn(key)}`,
  encode({ height, headerHash, counter, time_ms, records, judgedAt, stateRoot }) {
    return encodeCbor([height, headerHash, counter, time_ms, records, judgedAt, stateRoot]);
  },
  decode(content) {
    const [height, hash, counter, time_ms, records, judgedAt, root] = asArray(decodeCbor(content), "head", 7);
    return {
      height: asHeight(height, "head height"),
      headerHash: asBytes(hash, "head hash", 32),
      counter: asUint(counter, "head counter", COUNTER_MAX),
      time_ms: asUint(time_ms, "head time", TIME_MS_MAX),
      records: asUint(records, "head records", PLAIN_MAX),
      judgedAt: asUint(judgedAt, "head contracts height", HEIGHT_MAX),
      stateRoot: asBytes(root, "head state root", 32),
    };
  },
  checksum: sha256Checksum,
};
