// Table `waitingNotices`: orders and evidence that wait on this node for its next temporary block, one a row.

import { decodeCbor } from "../../../../src/wire/cbor.js";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../../../src/wire/contract-order.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { encodeNotices, type Notice, noticesFromArray } from "../../../../src/wire/notice.js";
import { chainIn, type IdKey, idKey } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

/** Around a notice there are two arrays and its kind. */
const storedLimits = { size: ORDER_WITH_SOURCE_BYTES_MAX + 16, items: 4 };

/** By `noticeKey`. */
export const waitingNotices: Table<IdKey, Notice> = {
  name: "waitingNotices",
  describe: (key) => `a waiting order or evidence of chain ${chainIn(key)}`,
  encode: (notice) => encodeNotices([notice]),
  decode: (content) => noticesFromArray(decodeCbor(content, storedLimits), "waiting notice")[0]!,
  checksum: sha256Checksum,
  isTakenOver: true,
};

/** What it is stored under: the beginning of its hash. */
export function noticeKey(chain: number, { bytes }: Notice): IdKey {
  return idKey(chain, sha256(bytes).subarray(0, 8));
}
