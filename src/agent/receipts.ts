// Receipts judged before a record leaves the outbox. The records of one block share its header, and a certificate that is good once proves
// it for all of them: the newest blocks found sealed are remembered. Checking one costs more than all the rest of many records.

import { equalBytes, standsAt } from "../wire/bytes.js";
import { WireError } from "../wire/error.js";
import type { Genesis, MemberKey } from "../wire/genesis.js";
import { sha256 } from "../wire/hash.js";
import { HEADER_BYTES } from "../wire/header.js";
import type { Verify } from "../wire/key.js";
import { quorum } from "../wire/quorum.js";
import { decodeReceipt, type Receipt, verifyInclusionOf, verifySealOf } from "../wire/receipt.js";
import type { Members } from "./members.js";

/** Blocks remembered: the newest ones of a few chains. */
const BLOCKS_MAX = 8;
const DIGEST_BYTES = 32;

export type Judgement =
  | { readonly kind: "sealed"; readonly recordHash: Uint8Array }
  | { readonly kind: "stray receipt" }
  /** nothing is wrong that this meter could tell: it may not have been shown those who sealed this height */
  | { readonly kind: "unknown members"; readonly recordHash: Uint8Array; readonly reason: string }
  | { readonly kind: "wrong receipt"; readonly reason: string };

/** Judges the bytes of a receipt that came for `service`; never throws on them. */
export type ReceiptJudge = (bytes: Uint8Array, service: number) => Judgement;

/** `isExpected` tells whether a record of this hash waits for its receipt; no signature is checked for any other. */
export function createReceiptJudge(
  genesis: Genesis,
  members: Pick<Members, "at" | "lack">,
  verify: Verify,
  isExpected: (recordHash: Uint8Array) => boolean,
): ReceiptJudge {
  const sealed = new SealedBlocks();

  return (bytes, service) => {
    try {
      const receipt = decodeReceipt(bytes);
      const { chain, height, recordHash } = receipt;
      if (!isExpected(recordHash)) return { kind: "stray receipt" };
      if (chain !== service) return { kind: "wrong receipt", reason: `receipt of chain ${chain} came for ${service}` };
      verifyInclusionOf(receipt, genesis);
      const block = digestOfBlock(receipt);
      if (!sealed.has(block)) {
        const sealers = members.at(chain, height);
        const reason = whyUnknown(receipt, sealers);
        if (reason !== undefined) {
          members.lack(chain);
          return { kind: "unknown members", recordHash, reason };
        }
        verifySealOf(receipt, genesis, sealers!, verify);
        sealed.add(block);
      }
      return { kind: "sealed", recordHash };
    } catch (thrown) {
      if (thrown instanceof WireError) return { kind: "wrong receipt", reason: thrown.message };
      throw thrown;
    }
  };
}

/** Why the certificate may be of other members than those known of its height; undefined where it is of a quorum of these. */
function whyUnknown(
  { chain, certificate: { signatures } }: Receipt,
  sealers: readonly MemberKey[] | undefined,
): string | undefined {
  if (sealers === undefined) return `no members of chain ${chain} are known for its height`;
  const needed = quorum(sealers.length);
  if (signatures.length < needed) return `${signatures.length} have signed it, of those known ${needed} would have to`;
  let next = 0;
  for (let index = 0; index < signatures.length; index += 1) {
    while (next < sealers.length && !equalBytes(sealers[next]!.id, signatures[index]!.node)) next += 1;
    if (next === sealers.length) return "who has signed it are not the members that are known, in their order";
    next += 1;
  }
  return undefined;
}

/** What a certificate of this meter's network signs, but for the round. */
function digestOfBlock({ chain, height, header }: Receipt): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + 16);
  const view = new DataView(bytes.buffer);
  bytes.set(header);
  view.setFloat64(HEADER_BYTES, chain);
  view.setFloat64(HEADER_BYTES + 8, height);
  return sha256(bytes);
}

/** The newest blocks that a certificate has proved. A class where closures would do: XS keeps a method in ROM, a closure in RAM. */
class SealedBlocks {
  /** their digests, one behind the other: one array takes a fifth of what an array each would */
  private readonly digests = new Uint8Array(BLOCKS_MAX * DIGEST_BYTES);
  private oldest = 0;

  add(digest: Uint8Array): void {
    this.digests.set(digest, this.oldest * DIGEST_BYTES);
    this.oldest = (this.oldest + 1) % BLOCKS_MAX;
  }

  has(digest: Uint8Array): boolean {
    for (let at = 0; at < this.digests.length; at += DIGEST_BYTES) {
      if (standsAt(this.digests, at, digest)) return true;
    }
    return false;
  }
}
