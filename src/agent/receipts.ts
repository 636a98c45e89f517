// Receipts judged before a record leaves the outbox. The records of one block share header and certificate, so the newest certificates
// found good are remembered: checking one costs a quorum of signatures, checking a path only hashes.

import { concatBytes, equalBytes } from "../wire/bytes.js";
import { encodeCbor } from "../wire/cbor.js";
import { certificateToArray } from "../wire/certificate.js";
import { WireError } from "../wire/error.js";
import type { Genesis } from "../wire/genesis.js";
import { sha256 } from "../wire/hash.js";
import type { Verify } from "../wire/key.js";
import { decodeReceipt, type Receipt, verifyInclusionOf, verifySealOf } from "../wire/receipt.js";
import type { Members } from "./members.js";

/** Certificates remembered; a meter's records are spread over few chains. */
const CERTIFICATES_MAX = 8;

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
  /** digests of chain, height, header and certificate, the newest last */
  const good: Uint8Array[] = [];

  const checkSeal = (receipt: Receipt): void => {
    const place = encodeCbor([receipt.chain, receipt.height, certificateToArray(receipt.certificate)]);
    const digest = sha256(concatBytes(receipt.header, place));
    if (good.some((known) => equalBytes(known, digest))) return;
    const { chain, height } = receipt;
    const sealers = members.at(chain, height);
    if (sealers === undefined) {
      throw new WireError("unproven", `genesis has no chain ${chain}, and no order is known that adds it`);
    }
    try {
      verifySealOf(receipt, genesis, sealers, verify);
    } catch (thrown) {
      members.lack(chain);
      throw thrown;
    }
    good.push(digest);
    if (good.length > CERTIFICATES_MAX) good.shift();
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
