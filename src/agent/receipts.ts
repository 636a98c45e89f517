// Receipts judged before a record leaves the outbox. The records of one block share its header, and a certificate that is good once proves
// it for all of them: the newest blocks found sealed are remembered. Checking one costs more than all the rest of many records. So of
// what comes within a minute one certificate is checked, the newest: from its header `previous` leads to the others (PROTOCOL.md, section 15).

import { equalBytes, standsAt } from "../wire/bytes.js";
import { WireError } from "../wire/error.js";
import type { Genesis, MemberKey } from "../wire/genesis.js";
import { sha256 } from "../wire/hash.js";
import { decodeHeader, HEADER_BYTES, headerHash } from "../wire/header.js";
import type { Verify } from "../wire/key.js";
import { quorum } from "../wire/quorum.js";
import { decodeReceipt, decodeSentReceipt, type Receipt, verifyInclusionOf, verifySealOf } from "../wire/receipt.js";
import type { Members } from "./members.js";

/** Blocks remembered: the newest ones of a few chains. */
const BLOCKS_MAX = 8;
const DIGEST_BYTES = 32;

/** On a chip a receipt of a service is checked at most once in so long, while its records are no burden and others follow. */
export const DEFER_MS = 60_000;
/** Where no receipt follows the newest for so long, none is waited for. */
export const QUIET_MS = 20_000;
/** After a certificate that was none no receipt of the service is deferred for so long: whoever forges them delays nothing else. */
export const DISTRUST_MS = 600_000;
/** A longer receipt is checked when it comes: it would take too much of the memory. */
const DEFERRED_BYTES_MAX = 1_536;

export type Judgement =
  | { readonly kind: "sealed"; readonly recordHash: Uint8Array }
  /** nothing is wrong with it; its certificate, or the one of a later block, is checked within a minute */
  | { readonly kind: "deferred"; readonly recordHash: Uint8Array }
  /** all deferred ones of the service are good */
  | { readonly kind: "proved"; readonly service: number }
  /** the certificate of the deferred ones of the service is none: they prove nothing */
  | { readonly kind: "unproved"; readonly service: number; readonly reason: string }
  | { readonly kind: "stray receipt" }
  /** nothing is wrong that this meter could tell: it may not have been shown those who sealed this height */
  | { readonly kind: "unknown members"; readonly recordHash: Uint8Array; readonly reason: string }
  | { readonly kind: "wrong receipt"; readonly reason: string };

export interface ReceiptJudge {
  /** Judges the bytes of a receipt that came for `service`; never throws on them. */
  judge(bytes: Uint8Array, service: number, uptime_ms: number): Judgement;
  /** Checks the certificate that is due, of the service whose deferred receipts are due first; undefined where none is. */
  settle(uptime_ms: number, isPressed: boolean): Judgement | undefined;
  /** uptime at which `settle` has something to do; infinite where nothing is deferred */
  wakeAt_ms(isPressed: boolean): number;
}

/**
 * `isExpected` tells whether a record of this hash and service waits for its receipt; no signature is checked for any other. With a
 * deferral of 0 each receipt is checked when it comes.
 */
export function createReceiptJudge(
  genesis: Genesis,
  members: Pick<Members, "at" | "lack">,
  verify: Verify,
  isExpected: (recordHash: Uint8Array, service: number) => boolean,
  deferral_ms = DEFER_MS,
): ReceiptJudge {
  return new DeferringJudge(genesis, members, verify, isExpected, deferral_ms);
}

/** The newest block of a chain whose receipts are deferred. Its certificate proves all blocks before it, as each header names the last. */
interface Top {
  readonly height: number;
  readonly headerHash: Uint8Array;
  /** the receipt, encoded: decoded it would take several times as much */
  readonly receipt: Uint8Array;
  /** the members of its height, as they were known when it came */
  readonly sealers: readonly MemberKey[];
  readonly since_ms: number;
}

interface Deferral {
  top: Top | undefined;
  /** until then a receipt may be deferred: so long after the last check */
  dueAt_ms: number;
  trustedAt_ms: number;
}

/** A class where closures would do: XS keeps a method in ROM, a closure in RAM. */
class DeferringJudge implements ReceiptJudge {
  private readonly sealed = new SealedBlocks();
  private readonly deferrals = new Map<number, Deferral>();

  constructor(
    private readonly genesis: Genesis,
    private readonly members: Pick<Members, "at" | "lack">,
    private readonly verify: Verify,
    private readonly isExpected: (recordHash: Uint8Array, service: number) => boolean,
    private readonly deferral_ms: number,
  ) {}

  judge(sent: Uint8Array, service: number, uptime_ms: number): Judgement {
    try {
      const { receipt, bytes, links } = decodeSentReceipt(sent);
      const { chain, height, recordHash } = receipt;
      if (!this.isExpected(recordHash, chain)) return { kind: "stray receipt" };
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
      const deferral = this.deferralOf(chain);
      const hash = headerHash(receipt.header);
      const isOfTop = deferral.top?.height === height && equalBytes(deferral.top.headerHash, hash);
      if (isOfTop) return { kind: "deferred", recordHash };
      if (bytes.length <= DEFERRED_BYTES_MAX && mayDefer(deferral, receipt, links, uptime_ms)) {
        const top = { height, headerHash: hash, receipt: bytes.slice(), sealers: sealers! };
        deferral.top = { ...top, since_ms: uptime_ms };
        return { kind: "deferred", recordHash };
      }
      verifySealOf(receipt, this.genesis, sealers!, this.verify);
      this.sealed.add(block);
      if (deferral.top === undefined) deferral.dueAt_ms = uptime_ms + this.deferral_ms;
      return { kind: "sealed", recordHash };
    } catch (thrown) {
      if (thrown instanceof WireError) return { kind: "wrong receipt", reason: thrown.message };
      throw thrown;
    }
  }

  settle(uptime_ms: number, isPressed: boolean): Judgement | undefined {
    const service = this.next();
    if (service === undefined || this.wakeAt_ms(isPressed) > uptime_ms) return undefined;
    const deferral = this.deferrals.get(service)!;
    const { receipt: bytes, sealers } = deferral.top!;
    deferral.top = undefined;
    try {
      const receipt = decodeReceipt(bytes);
      verifySealOf(receipt, this.genesis, sealers, this.verify);
      this.sealed.add(digestOfBlock(receipt));
      deferral.dueAt_ms = uptime_ms + this.deferral_ms;
      return { kind: "proved", service };
    } catch (thrown) {
      if (!(thrown instanceof WireError)) throw thrown;
      deferral.trustedAt_ms = uptime_ms + DISTRUST_MS;
      return { kind: "unproved", service, reason: thrown.message };
    }
  }

  wakeAt_ms(isPressed: boolean): number {
    const service = this.next();
    if (service === undefined) return Number.POSITIVE_INFINITY;
    return isPressed ? 0 : checkAt_ms(this.deferrals.get(service)!);
  }

  private deferralOf(service: number): Deferral {
    let deferral = this.deferrals.get(service);
    if (deferral === undefined) {
      deferral = { top: undefined, dueAt_ms: Number.NEGATIVE_INFINITY, trustedAt_ms: 0 };
      this.deferrals.set(service, deferral);
    }
    return deferral;
  }

  /** The service whose deferred receipts are due first. */
  private next(): number | undefined {
    let next: number | undefined;
    let at_ms = Number.POSITIVE_INFINITY;
    for (const [service, deferral] of this.deferrals) {
      const due_ms = checkAt_ms(deferral);
      if (due_ms >= at_ms) continue;
      next = service;
      at_ms = due_ms;
    }
    return next;
  }
}

/** When the certificate of the deferred ones is to be checked; infinite where there are none. */
function checkAt_ms({ top, dueAt_ms }: Deferral): number {
  return top === undefined ? Number.POSITIVE_INFINITY : Math.min(dueAt_ms, top.since_ms + QUIET_MS);
}

/** Whether the receipt may be the top of its chain's deferred ones: one was checked shortly before, or it leads to the last top. */
function mayDefer(deferral: Deferral, { height, header }: Receipt, links: Uint8Array, uptime_ms: number): boolean {
  const { top, dueAt_ms, trustedAt_ms } = deferral;
  if (top === undefined) return uptime_ms >= trustedAt_ms && uptime_ms < dueAt_ms;
  return leadsTo(header, links, height - top.height, top.headerHash);
}

/** Whether so many steps back from the header, over its links, stands the header of this hash. */
function leadsTo(header: Uint8Array, links: Uint8Array, steps: number, hash: Uint8Array): boolean {
  if (steps < 1 || links.length < (steps - 1) * HEADER_BYTES) return false;
  let current = header;
  for (let step = 0; step < steps - 1; step += 1) {
    const link = links.subarray(step * HEADER_BYTES, (step + 1) * HEADER_BYTES);
    if (!namesBefore(current, headerHash(link))) return false;
    current = link;
  }
  return namesBefore(current, hash);
}

function namesBefore(header: Uint8Array, hash: Uint8Array): boolean {
  return equalBytes(decodeHeader(header).previous, hash);
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
