// For how long credentials are valid, stated here once more and on its own: a block holds only records of meters whose newest
// credential on its chain is valid at the block's time (I23).

import type { Block } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { parseCredential } from "../../../../src/wire/credential.js";
import { keyId } from "../../../../src/wire/key.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { parseAnyRecord } from "../../../../src/wire/operation.js";
import type { Fail } from "./violation.js";

export interface Terms {
  /** The authority has issued a credential that ends while the run lasts, to whoever has this id. */
  watch(meter: string): void;
  /** I23 */
  check(block: Block, fail: Fail): void;
  /** credentials on a chain that have taken the place of others */
  readonly prolonged: number;
}

export function createTerms(): Terms {
  const watched = new Set<string>();
  /** UTC seconds, by chain and meter */
  const ends = new Map<string, number>();
  let prolonged = 0;

  const bring = ({ chain, batches }: Block) => {
    for (const bytes of batches.flatMap(({ notices }) => noticesOf(notices, "credential"))) {
      const { key, expires_s } = parseCredential(bytes);
      const name = `${chain}/${toHex(keyId(key))}`;
      if (ends.has(name)) prolonged += 1;
      ends.set(name, Math.max(expires_s, ends.get(name) ?? 0));
    }
  };

  return {
    watch: (meter) => void watched.add(meter),
    check(block, fail) {
      if (watched.size === 0) return;
      bring(block);
      const { chain, height, time_ms } = block;
      for (const bytes of block.batches.flatMap(({ records }) => records)) {
        const { kid, claims } = parseAnyRecord(bytes);
        const id = toHex(kid);
        const end_s = watched.has(id) ? ends.get(`${chain}/${id}`) : undefined;
        if (end_s === undefined || time_ms < end_s * 1_000) continue;
        const where = `${chain}/${id}/${claims.seq}, ended at ${end_s}, in block ${chain}/${height} of ${time_ms} ms`;
        fail("I23 only records of valid credentials are sealed", where);
      }
    },
    get prolonged() {
      return prolonged;
    },
  };
}
