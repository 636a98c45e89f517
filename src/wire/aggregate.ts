// Sums over a group of meters, slot by slot, as a custodian has worked them out on a sealed grant and signs them (PROTOCOL.md, section 32).
// Custodians that are right come to the same; who has signed anything else is known by it.

import { TIME_S_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import type { PublicKey, Signer, Verify } from "./key.js";
import { asArray, asBytes, asInteger, asList, asService, asText, asUint } from "./shape.js";

/** Slots of one aggregate. */
export const AGGREGATE_SLOTS_MAX = 1_440;
/** Meters of a group. */
export const AGGREGATE_METERS_MAX = 256;
/** Either way, in thousandths of the register's unit. */
export const AGGREGATE_SUM_MAX = 2n ** 63n - 1n;
/** The ID of who has asked, a hyphen, the number of the operation. */
export const REQUEST_NAME_MAX = 32;
export const AGGREGATE_BYTES_MAX = 32_768;
const limits = { size: AGGREGATE_BYTES_MAX, items: 3 * AGGREGATE_SLOTS_MAX + 16 };

export interface SlotSum {
  /** meters that have a value in the slot */
  readonly count: number;
  /** sum of their means, in thousandths of the unit; null where it is withheld, or there is none */
  readonly sum: bigint | null;
}

export interface Aggregate {
  /** id of the node that has computed it */
  readonly node: Uint8Array;
  readonly chain: number;
  /** name of the request that it is granted by */
  readonly request: string;
  /** UTC seconds at which the first slot begins, a multiple of `slot_s` */
  readonly from_s: number;
  readonly slot_s: number;
  /** one behind the other */
  readonly slots: readonly SlotSum[];
}

/** What custodians that are right have in common. */
function sharedItems({ chain, request, from_s, slot_s, slots }: Aggregate): CborValue[] {
  return [chain, request, from_s, slot_s, slots.map(({ count, sum }) => [count, sum])];
}

function signedBytes(genesisHash: Uint8Array, aggregate: Aggregate): Uint8Array {
  return encodeCbor(["gs1/aggregate", genesisHash, aggregate.node, ...sharedItems(aggregate)]);
}

export function signAggregate(genesisHash: Uint8Array, aggregate: Aggregate, signer: Signer): Uint8Array {
  return encodeCbor([aggregate.node, ...sharedItems(aggregate), signer.sign(signedBytes(genesisHash, aggregate))]);
}

/** Whether two custodians have come to the same. */
export function isSameAggregate(one: Aggregate, other: Aggregate): boolean {
  return equalBytes(encodeCbor(sharedItems(one)), encodeCbor(sharedItems(other)));
}

/** HPKE's info where a custodian seals its aggregate to who has asked. */
export function aggregateInfo(node: Uint8Array, request: string, from_s: number): Uint8Array {
  return encodeCbor(["gs1/aggregate", node, request, from_s]);
}

/** The aggregate, where its node has signed it. Throws a WireError. */
export function verifyAggregate(
  genesisHash: Uint8Array,
  bytes: Uint8Array,
  keyOf: (node: Uint8Array) => PublicKey | undefined,
  verify: Verify,
): Aggregate {
  const { aggregate, signature } = aggregateIn(bytes);
  const key = keyOf(aggregate.node);
  if (key === undefined) throw new WireError("untimely", "aggregate is of no member that is known here");
  if (!verify(key, signedBytes(genesisHash, aggregate), signature)) {
    throw new WireError("unproven", "aggregate is not signed by its node");
  }
  return aggregate;
}

/** What an aggregate says, whoever has signed it. Throws a WireError. */
export function decodeAggregate(bytes: Uint8Array): Aggregate {
  return aggregateIn(bytes).aggregate;
}

function aggregateIn(bytes: Uint8Array): { readonly aggregate: Aggregate; readonly signature: Uint8Array } {
  const [node, chain, request, from, length, slots, signature] = asArray(decodeCbor(bytes, limits), "aggregate", 7);
  const slot_s = asUint(length, "aggregate's slot", 86_400);
  const from_s = asUint(from, "aggregate's begin", TIME_S_MAX);
  if (slot_s === 0 || from_s % slot_s !== 0) {
    throw new WireError("shape", `aggregate begins at ${from_s} s, which is no multiple of its slot of ${slot_s} s`);
  }
  const aggregate: Aggregate = {
    node: asBytes(node, "aggregate's node", 8),
    chain: asService(chain, "aggregate's chain"),
    request: asText(request, "aggregate's request", REQUEST_NAME_MAX),
    ...{ from_s, slot_s },
    slots: asList(slots, "aggregate's slots", AGGREGATE_SLOTS_MAX).map(slotFrom),
  };
  return { aggregate, signature: asBytes(signature, "aggregate's signature", 64) };
}

function slotFrom(item: CborValue): SlotSum {
  const [count, stated] = asArray(item, "aggregate's slot", 2);
  const sum = stated === null ? null : BigInt(asInteger(stated, "aggregate's sum"));
  if (sum !== null && (sum > AGGREGATE_SUM_MAX || sum < -AGGREGATE_SUM_MAX)) {
    throw new WireError("limit", "aggregate's sum is beyond 63 bits");
  }
  return { count: asUint(count, "aggregate's count", AGGREGATE_METERS_MAX), sum };
}
