// What an agent makes of the receipts that it is shown, and of what proves their members, held
// against what they are: true ones of the nodes, and receipts that a faulty member's broker makes up.

import type { Message } from "../../../../src/agent/inbox.js";
import type { Members } from "../../../../src/agent/members.js";
import type { Judgement } from "../../../../src/agent/receipts.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { type MemberKey, memberSetHash } from "../../../../src/wire/genesis.js";
import { decodeHandover } from "../../../../src/wire/handover.js";
import { isFounding, nextSet } from "../../../../src/wire/lineage.js";
import { decodeSentReceipt, type Receipt } from "../../../../src/wire/receipt.js";
import { reasonOf } from "../../../errors.js";
import { forgedReceipt } from "../faults/liar.js";
import { simulatedVerify } from "./keys.js";
import { checkReceipt, type MeterWorld } from "./meter.js";

export interface ReceiptWatch {
  /** records that the agent has verified receipts of */
  readonly receipts: number;
  /** A made-up receipt of the record, which leads to the newest true one; undefined where none was shown. */
  forge(recordHash: Uint8Array): Uint8Array | undefined;
  judged(payload: Uint8Array, message: Message): void;
  settled(verdict: Extract<Judgement, { kind: "proved" | "unproved" }>): void;
  /** The agent has refused an item of the chain's lineage, by the members that it knows. */
  refusedItem(item: Uint8Array, reason: string, known: Pick<Members, "at">): void;
  /** What is in the agent's memory alone is gone. */
  forget(): void;
}

export function createReceiptWatch(world: MeterWorld, meter: string, service: number): ReceiptWatch {
  const forged = new WeakSet<Uint8Array>();
  /** of records whose receipts are deferred, by hash, whether theirs proves them sealed */
  const deferred = new Map<string, boolean>();
  /** Whether a forged one is among what is deferred: its record may have been found sealed since, by a true one. */
  let isForgedDeferred = false;
  let newest: Receipt | undefined;
  let receipts = 0;

  return {
    get receipts() {
      return receipts;
    },
    forge(recordHash) {
      if (newest === undefined) return undefined;
      const receipt = forgedReceipt(newest, recordHash);
      forged.add(receipt);
      return receipt;
    },
    judged(payload, message) {
      const isTrue = !forged.has(payload);
      if (isTrue) newest = decodeSentReceipt(payload).receipt;
      const isUnknown = message.kind === "unknown members";
      if (isTrue && (isUnknown || message.kind === "wrong receipt")) {
        checkRefused(world, meter, { payload, reason: message.reason, isUnknown });
      }
      if (message.kind === "deferred") {
        deferred.set(toHex(message.recordHash), isTrue);
        isForgedDeferred ||= !isTrue;
      }
      if (message.kind !== "sealed") return;
      if (!isTrue) world.fail("I13 receipts verify", `${meter}: took a forged one`);
      deferred.delete(toHex(message.recordHash));
      receipts += 1;
    },
    settled(verdict) {
      if (verdict.kind === "proved") {
        const isTrue = [...deferred.values()].every((proves) => proves);
        if (!isTrue) world.fail("I13 receipts verify", `${meter}: took a forged one with the others`);
        receipts += deferred.size;
        world.coverage.receiptsDeferred += deferred.size;
      } else {
        if (!isForgedDeferred) world.fail("I13 receipts verify", `${meter}: ${verdict.reason}`);
        world.coverage.receiptsForged += 1;
      }
      deferred.clear();
      isForgedDeferred = false;
    },
    refusedItem(item, reason, known) {
      checkRefusedItem(world, meter, { service, item, reason, known });
    },
    forget() {
      deferred.clear();
      isForgedDeferred = false;
    },
  };
}

interface RefusedReceipt {
  readonly payload: Uint8Array;
  readonly reason: string;
  /** the meter does not know the members that it is of */
  readonly isUnknown: boolean;
}

/**
 * Nothing that the nodes send is wrong; it may lack the proof of other members, which the meter
 * asks for.
 */
function checkRefused(world: MeterWorld, meter: string, { payload, reason, isUnknown }: RefusedReceipt): void {
  try {
    checkReceipt(world, decodeSentReceipt(payload).receipt);
    if (!isUnknown || world.membership.changes === 0) world.fail("I13 receipts verify", `${meter}: ${reason}`);
    world.coverage.receiptsBeforeMembers += 1;
  } catch (error) {
    world.fail("I13 receipts verify", `${meter}: ${reasonOf(error)}`);
  }
}

interface RefusedItem {
  readonly service: number;
  readonly item: Uint8Array;
  readonly reason: string;
  /** those whom the agent knows */
  readonly known: Pick<Members, "at">;
}

/**
 * Nothing that the nodes send is wrong; it may be out of step. An agent passes over an old item until
 * a receipt lacks it. Before its birth gets through, a later receipt brings the next items, which it
 * cannot prove without that one. This accuses nobody (PROTOCOL.md, section 15): the agent asks again,
 * and I9 holds that it gets what it needs. What it can prove it must take.
 */
function checkRefusedItem(world: MeterWorld, meter: string, { service, item, reason, known }: RefusedItem): void {
  const wrong = (why: string) => world.fail("I13 handovers verify", `${meter}: ${reason}: ${why}`);
  let height = 0;
  let members: readonly MemberKey[] | undefined;
  try {
    if (!isFounding(item)) height = decodeHandover(item).height;
    members = world.membership.at(service, height);
    nextSet(world.genesis, service, members && { from: height, members }, item, simulatedVerify);
  } catch (error) {
    return wrong(reasonOf(error));
  }
  const before = known.at(service, height);
  if (members === undefined || (before !== undefined && equalBytes(memberSetHash(before), memberSetHash(members)))) {
    return wrong("the agent knows what proves it");
  }
  world.coverage.handoversOutOfStep += 1;
}
