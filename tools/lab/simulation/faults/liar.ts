// What stands before a faulty member's own node and talks to the agent in its name: it refuses,
// passes on, and keeps back as it likes. An agent that knows one honest broker must not mind for
// long, and whatever it does, no meter may be named for a gap.

import { decodeHeader, encodeHeader, headerHash } from "../../../../src/wire/header.js";
import { inclusionPath, leafHash, merkleLevels, rootOfLevels } from "../../../../src/wire/merkle.js";
import { encodeReceipt, type Receipt } from "../../../../src/wire/receipt.js";
import { type RefusalReason, refusalReasons } from "../../../../src/wire/refusal.js";
import { createRandom, type Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";

/**
 * `pick`: refuses some records for ever and takes the others · `refuse`: refuses all, and passes half of them on all the same ·
 * `busy`: says that it is busy, whatever comes · `swallow`: acknowledges and passes nothing on · `drip`: passes on a few
 * · `forge`: passes half of them on, and shows of the others receipts that no quorum has signed, each leading to the one before
 */
export const starvings = ["pick", "refuse", "busy", "swallow", "drip", "forge"] as const;
export type Starving = (typeof starvings)[number];

/** What is done with a record. */
export interface Treatment {
  readonly passes: boolean;
  readonly refusal: RefusalReason | undefined;
  /** whether a receipt of it is made up */
  readonly forges?: true;
}

export interface Liar {
  /** Of the record of this number. */
  treat(seq: number): Treatment;
}

/** Of so many numbers one is refused for ever. */
const PICKED = 40;
const DRIP = 12;
const reasons = Object.keys(refusalReasons) as RefusalReason[];
/** Those after which a record is set aside. */
const lasting = reasons.filter((reason) => !["unknown-meter", "rate-limited", "busy"].includes(reason));

export function createLiar(
  seed: number,
  starving: Starving,
  coverage: Pick<Coverage, "refusalsForged" | "recordsKeptBack">,
): Liar {
  const random = createRandom(seed ^ 0x1b873593);
  return {
    treat(seq) {
      const treatment = treatments[starving](seq, random);
      if (treatment.refusal !== undefined) coverage.refusalsForged += 1;
      if (!treatment.passes) coverage.recordsKeptBack += 1;
      return treatment;
    },
  };
}

/** A receipt of this record that no quorum has signed, in a block of its own right behind that of the receipt before. */
export function forgedReceipt(before: Receipt, recordHash: Uint8Array): Uint8Array {
  const tree = merkleLevels([before.recordHash, recordHash].map(leafHash));
  const header = encodeHeader({
    ...decodeHeader(before.header),
    previous: headerHash(before.header),
    merkleRoot: rootOfLevels(tree),
  });
  const place = { height: before.height + 1, leaf: 1, size: 2, path: inclusionPath(tree, 1) };
  return encodeReceipt({ ...before, ...place, recordHash, header });
}

const treatments: { readonly [Name in Starving]: (seq: number, random: Random) => Treatment } = {
  pick: (seq, random) =>
    seq % PICKED === 3 ? { passes: false, refusal: random.pick(lasting) } : { passes: true, refusal: undefined },
  refuse: (_, random) => ({ passes: random.chance(0.5), refusal: random.pick(reasons) }),
  busy: () => ({ passes: false, refusal: "busy" }),
  swallow: () => ({ passes: false, refusal: undefined }),
  forge: (_, random) =>
    random.chance(0.5) ? { passes: true, refusal: undefined } : { passes: false, refusal: undefined, forges: true },
  drip: (seq) => ({ passes: seq % DRIP === 0, refusal: undefined }),
};
