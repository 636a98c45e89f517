// Receipts judged before a record leaves the outbox. The records of one block share its header, and a certificate that is good once proves
// it for all of them: the newest blocks found sealed are remembered. Checking one costs more than all the rest of many records, so a step
// checks one signature, and the port is looked at and the broker answered before the next.

import { concatBytes, equalBytes, standsAt, toHex } from "../wire/bytes.js";
import { precommitBytes } from "../wire/certificate.js";
import { WireError } from "../wire/error.js";
import type { Genesis, MemberKey } from "../wire/genesis.js";
import { sha256 } from "../wire/hash.js";
import { HEADER_BYTES, headerHash } from "../wire/header.js";
import type { Verify } from "../wire/key.js";
import { quorum } from "../wire/quorum.js";
import { decodeReceipt, type Receipt, verifyInclusionOf } from "../wire/receipt.js";
import type { Members } from "./members.js";

/** Blocks remembered: the newest ones of a few chains. */
const BLOCKS_MAX = 8;
const DIGEST_BYTES = 32;
/** Certificates that wait to be checked, one for each of as many services. Where more come, the oldest is checked in one step. */
const CHECKS_MAX = 5;
/** Of a certificate that waits: the place of a signer among the members, and its signature. */
const SIGNATURE_BYTES = 64;
const ENTRY_BYTES = 1 + SIGNATURE_BYTES;

export type Judgement =
  | { readonly kind: "sealed"; readonly recordHash: Uint8Array }
  /** what can be told without its signatures is good: `check` tells the rest */
  | { readonly kind: "being checked" }
  | { readonly kind: "stray receipt" }
  /** nothing is wrong that this meter could tell: it may not have been shown those who sealed this height */
  | { readonly kind: "unknown members"; readonly recordHash: Uint8Array; readonly reason: string }
  | { readonly kind: "wrong receipt"; readonly reason: string };

export interface ReceiptJudge {
  /** Judges the bytes of a receipt that came for `service`, but for signatures; never throws on them. */
  take(bytes: Uint8Array, service: number): Judgement;
  /** Checks one signature of those that wait: what is known by that, or an empty list. */
  check(): Judgement[];
  readonly isChecking: boolean;
}

/** `isExpected` tells whether a record of this hash waits for its receipt; no signature is checked for any other. */
export function createReceiptJudge(
  genesis: Genesis,
  members: Pick<Members, "at" | "lack">,
  verify: Verify,
  isExpected: (recordHash: Uint8Array) => boolean,
): ReceiptJudge {
  return new StepwiseJudge(genesis, members, verify, isExpected);
}

/** A certificate that waits for its signatures to be checked, and the records that it proves: few arrays, for each takes six slots. */
interface Check {
  /** what its signatures are of */
  readonly message: Uint8Array;
  /** the block's digest, then ENTRY_BYTES for each signature */
  readonly block: Uint8Array;
  readonly sealers: readonly MemberKey[];
  /** one behind the other */
  recordHashes: Uint8Array;
  /** signatures found good so far */
  good: number;
}

/** A class where closures would do: XS keeps a method in ROM, a closure in RAM. */
class StepwiseJudge implements ReceiptJudge {
  private readonly sealed = new SealedBlocks();
  private readonly checks: Check[] = [];
  private readonly judged: Judgement[] = [];

  constructor(
    private readonly genesis: Genesis,
    private readonly members: Pick<Members, "at" | "lack">,
    private readonly verify: Verify,
    private readonly isExpected: (recordHash: Uint8Array) => boolean,
  ) {}

  get isChecking(): boolean {
    return this.checks.length > 0 || this.judged.length > 0;
  }

  take(bytes: Uint8Array, service: number): Judgement {
    try {
      const receipt = decodeReceipt(bytes);
      const { chain, height, recordHash } = receipt;
      if (!this.isExpected(recordHash)) return { kind: "stray receipt" };
      if (chain !== service) return { kind: "wrong receipt", reason: `receipt of chain ${chain} came for ${service}` };
      verifyInclusionOf(receipt, this.genesis);
      const block = digestOfBlock(receipt);
      if (this.sealed.has(block)) return { kind: "sealed", recordHash };
      const sealers = this.members.at(chain, height);
      const reason = whyUnknown(receipt, sealers);
      if (reason !== undefined) {
        this.members.lack(chain);
        return { kind: "unknown members", recordHash, reason };
      }
      this.put(receipt, block, sealers!);
      return { kind: "being checked" };
    } catch (thrown) {
      if (thrown instanceof WireError) return { kind: "wrong receipt", reason: thrown.message };
      throw thrown;
    }
  }

  check(): Judgement[] {
    const check = this.checks[0];
    if (check !== undefined) this.advance(check);
    return this.judged.splice(0);
  }

  /** The same certificate is checked once, whichever record came with it; another one of the same block, for itself. */
  private put(receipt: Receipt, digest: Uint8Array, sealers: readonly MemberKey[]): void {
    const { certificate, recordHash, chain, height } = receipt;
    const message = precommitBytes(this.genesis.hash, chain, height, certificate.round, headerHash(receipt.header));
    const block = concatBytes(digest, entriesOf(certificate, sealers));
    for (const known of this.checks) {
      if (!equalBytes(known.message, message) || !equalBytes(known.block, block)) continue;
      if (!hasHash(known.recordHashes, recordHash)) known.recordHashes = concatBytes(known.recordHashes, recordHash);
      return;
    }
    if (this.checks.length === CHECKS_MAX) {
      const oldest = this.checks[0]!;
      while (this.checks[0] === oldest) this.advance(oldest);
    }
    this.checks.push({ message, block, sealers, recordHashes: recordHash.slice(), good: 0 });
  }

  private advance(check: Check): void {
    const { sealers, block, message } = check;
    const at = DIGEST_BYTES + check.good * ENTRY_BYTES;
    const { id, key } = sealers[block[at]!]!;
    if (!this.verify(key, message, block.slice(at + 1, at + ENTRY_BYTES))) {
      this.checks.shift();
      const reason = `certificate's signature of ${toHex(id)} does not verify`;
      this.judgeAll(check, () => ({ kind: "wrong receipt", reason }));
      return;
    }
    check.good += 1;
    if (at + ENTRY_BYTES < block.length) return;
    this.sealed.add(block.subarray(0, DIGEST_BYTES));
    for (let index = 0; index < this.checks.length; ) {
      const proved = this.checks[index]!;
      if (standsAt(proved.block, 0, block.subarray(0, DIGEST_BYTES))) {
        this.checks.splice(index, 1);
        this.judgeAll(proved, (recordHash) => this.sealOf(recordHash));
      } else index += 1;
    }
  }

  private judgeAll({ recordHashes }: Check, judgementOf: (recordHash: Uint8Array) => Judgement): void {
    for (let at = 0; at < recordHashes.length; at += DIGEST_BYTES)
      this.judged.push(judgementOf(recordHashes.slice(at, at + DIGEST_BYTES)));
  }

  /** It may have been proved by another receipt meanwhile. */
  private sealOf(recordHash: Uint8Array): Judgement {
    return this.isExpected(recordHash) ? { kind: "sealed", recordHash } : { kind: "stray receipt" };
  }
}

function hasHash(hashes: Uint8Array, hash: Uint8Array): boolean {
  for (let at = 0; at < hashes.length; at += DIGEST_BYTES) if (standsAt(hashes, at, hash)) return true;
  return false;
}

/** ENTRY_BYTES for each signature of those whom `whyUnknown` found to be members in their order. */
function entriesOf({ signatures }: Receipt["certificate"], sealers: readonly MemberKey[]): Uint8Array {
  const entries = new Uint8Array(signatures.length * ENTRY_BYTES);
  let member = 0;
  for (let index = 0; index < signatures.length; index += 1) {
    const { node, signature } = signatures[index]!;
    while (!equalBytes(sealers[member]!.id, node)) member += 1;
    entries[index * ENTRY_BYTES] = member;
    entries.set(signature, index * ENTRY_BYTES + 1);
  }
  return entries;
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
