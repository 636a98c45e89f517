// Receipts judged before a record leaves the outbox. The records of one block share its header, and each node has a certificate of its own
// for it, with most signatures the same: the newest ones found good are remembered. Checking one costs as much as all the rest of a record.

import { concatBytes } from "../wire/bytes.js";
import { WireError } from "../wire/error.js";
import type { Genesis } from "../wire/genesis.js";
import { sha256 } from "../wire/hash.js";
import type { Verify } from "../wire/key.js";
import { decodeReceipt, type Receipt, verifyInclusionOf, verifySealOf } from "../wire/receipt.js";
import type { Members } from "./members.js";

/** Signatures remembered: those of a few chains' newest blocks. */
const SIGNATURES_MAX = 32;
const DIGEST_BYTES = 32;

export type Judgement =
  | { readonly kind: "sealed"; readonly recordHash: Uint8Array }
  | { readonly kind: "stray receipt" }
  | { readonly kind: "wrong receipt"; readonly reason: string };

/** Judges the bytes of a receipt that came for `service`; never throws on them. */
export type ReceiptJudge = (bytes: Uint8Array, service: number) => Judgement;

/** `isExpected` tells whether a record of this hash waits for its receipt; no signature is checked of any other. */
export function createReceiptJudge(
  genesis: Genesis,
  members: Pick<Members, "at" | "lack">,
  verify: Verify,
  isExpected: (recordHash: Uint8Array) => boolean,
): ReceiptJudge {
  const verifyOnce = rememberGood(verify);

  const checkSeal = (receipt: Receipt): void => {
    const { chain, height } = receipt;
    const sealers = members.at(chain, height);
    if (sealers === undefined) {
      throw new WireError("unproven", `genesis has no chain ${chain}, and no order is known that adds it`);
    }
    try {
      verifySealOf(receipt, genesis, sealers, verifyOnce);
    } catch (thrown) {
      members.lack(chain);
      throw thrown;
    }
  };

  return (bytes, service) => {
    try {
      const receipt = decodeReceipt(bytes);
      const { chain, recordHash } = receipt;
      if (!isExpected(recordHash)) return { kind: "stray receipt" };
      if (chain !== service) return { kind: "wrong receipt", reason: `receipt of chain ${chain} came for ${service}` };
      verifyInclusionOf(receipt, genesis);
      checkSeal(receipt);
      return { kind: "sealed", recordHash };
    } catch (thrown) {
      if (thrown instanceof WireError) return { kind: "wrong receipt", reason: thrown.message };
      throw thrown;
    }
  };
}

/** Verification that knows the newest good signatures again, by all that was signed and by whom. */
function rememberGood(verify: Verify): Verify {
  /** their digests, one behind the other: one array takes a fifth of what an array each would */
  const good = new Uint8Array(SIGNATURES_MAX * DIGEST_BYTES);
  let oldest = 0;
  const isKnown = (digest: Uint8Array): boolean => {
    for (let at = 0; at < good.length; at += DIGEST_BYTES) {
      let index = 0;
      while (index < DIGEST_BYTES && good[at + index] === digest[index]) index += 1;
      if (index === DIGEST_BYTES) return true;
    }
    return false;
  };
  return (key, message, signature) => {
    const digest = sha256(concatBytes(key.x, signature, message));
    if (isKnown(digest)) return true;
    if (!verify(key, message, signature)) return false;
    good.set(digest, oldest * DIGEST_BYTES);
    oldest = (oldest + 1) % SIGNATURES_MAX;
    return true;
  };
}
