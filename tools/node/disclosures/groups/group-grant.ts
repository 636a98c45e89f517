// Grants of sums over a group, as this node has sealed them, and which custodians work for one. It asks nobody: what stands in the state
// after the newest block counts.

import { AGGREGATE_METERS_MAX, AGGREGATE_SLOTS_MAX } from "../../../../src/wire/aggregate.js";
import { compareBytes, fromHex } from "../../../../src/wire/bytes.js";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import { DAY_S } from "../../../../src/wire/envelope.js";
import { sha256 } from "../../../../src/wire/hash.js";
import type { GroupRule } from "../../../../src/wire/hiding.js";
import { isLowOrder } from "../../../../src/wire/low-order.js";
import { faults } from "../../../../src/wire/quorum.js";
import { decodeValue, type Value } from "../../../../src/wire/value.js";
import { contractState } from "../../chain/tables/contract-state.js";
import { stateKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { ACCESS_CONTRACT } from "../chain-policy.js";
import type { DisclosuresPorts, Standing } from "../ports.js";
import type { SlotRange } from "./slot-sums.js";

export interface GroupGrant {
  readonly id: string;
  readonly chain: number;
  /** id as hex */
  readonly requester: string;
  readonly group: string;
  /** ids as hex */
  readonly meters: readonly string[];
  /** OBIS code as hex, and the unit that its values must have */
  readonly register: string;
  readonly unit: number;
  readonly purpose: number;
  /** UTC days since 1970: the first, and the one behind the last */
  readonly from: number;
  readonly until: number;
  readonly slot_s: number;
  /** what a block seals so long after a slot counts in none */
  readonly lateness_s: number;
  readonly rule: GroupRule;
  /** X25519 key as hex */
  readonly key: string;
  readonly until_s: number;
}

/** The grant, where it is in force at this time, and so is the contract by which it stands there. Throws STORE_CORRUPT. */
export function groupGrantInForce(
  { store, hasContract, now_ms }: Pick<DisclosuresPorts, "store" | "hasContract" | "now_ms">,
  chain: number,
  id: string,
): GroupGrant | undefined {
  if (!hasContract(chain, ACCESS_CONTRACT)) return undefined;
  const stated = fieldsIn(valueAt(store, chain, `grant/${id}`));
  if (typeof stated.group !== "string") return undefined;
  const grant = grantIn(stated, metersIn(valueAt(store, chain, `group/${stated.group}`)));
  if (grant === undefined || now_ms() > 1_000 * grant.until_s) return undefined;
  return { ...grant, id, chain };
}

function valueAt(store: StoreReader, chain: number, key: string): Value {
  const bytes = store.get(contractState, stateKey(chain, `${ACCESS_CONTRACT}/${key}`));
  return bytes === undefined ? null : decodeValue(bytes);
}

type Fields = { readonly [name: string]: Value };

function fieldsIn(value: Value): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** A contract of that name may have put anything there. */
function grantIn(
  { requester, group, register, key, ...rest }: Fields,
  meters: readonly string[] | undefined,
): Omit<GroupGrant, "id" | "chain"> | undefined {
  const { unit, purpose, from, until, slot_s, lateness_s, meters_min, share_percent_max, until_s } = rest;
  const isText = typeof requester === "string" && typeof group === "string" && typeof register === "string";
  if (!isText || meters === undefined || fromHex(register)?.length !== 6 || !isKey(key)) return undefined;
  const numbers = [unit, purpose, from, until, slot_s, lateness_s, meters_min, share_percent_max, until_s];
  if (!numbers.every(isCount) || numbers[4] === 0 || DAY_S % numbers[4]! !== 0) return undefined;
  return {
    ...{ requester, group, meters, register, key },
    ...{ unit: numbers[0]!, purpose: numbers[1]!, from: numbers[2]!, until: numbers[3]! },
    ...{ slot_s: numbers[4]!, lateness_s: numbers[5]!, until_s: numbers[8]! },
    rule: { meters_min: numbers[6]!, share_percent_max: numbers[7]! },
  };
}

/** [kind, meters, by whom] */
function metersIn(value: Value): readonly string[] | undefined {
  const [, listed] = Array.isArray(value) ? (value as readonly Value[]) : [];
  const meters = Array.isArray(listed) ? (listed as readonly Value[]) : [];
  const isSound = meters.length > 0 && meters.length <= AGGREGATE_METERS_MAX;
  const areIds = meters.every((meter) => typeof meter === "string" && fromHex(meter)?.length === 8);
  return isSound && areIds && new Set(meters).size === meters.length ? meters.map(String) : undefined;
}

function isKey(value: Value | undefined): value is string {
  const key = typeof value === "string" ? fromHex(value) : undefined;
  return key?.length === 32 && !isLowOrder(key);
}

function isCount(value: Value | undefined): value is number {
  return typeof value === "number" && value >= 0;
}

/** Why there are no such slots; undefined where they are whole ones of one day of the grant, and no more than one answer has. */
export function rangeComplaint(
  { from, until, slot_s }: Pick<GroupGrant, "from" | "until" | "slot_s">,
  { from_s, until_s }: Pick<SlotRange, "from_s" | "until_s">,
): string | undefined {
  if (from_s % slot_s !== 0 || until_s % slot_s !== 0 || from_s >= until_s) {
    return `begin and end must be multiples of ${slot_s} s, one behind the other`;
  }
  const day = dayOf(from_s);
  if (day !== dayOf(until_s - 1) || day < from || day >= until) return "they must lie within one day of the grant";
  return (until_s - from_s) / slot_s > AGGREGATE_SLOTS_MAX ? `there are more than ${AGGREGATE_SLOTS_MAX}` : undefined;
}

export function dayOf(time_s: number): number {
  return Math.floor(time_s / DAY_S);
}

/**
 * Ids as hex of the custodians that work for the request: 2f + 1, by the hash of it and their ids, so that f + 1 are right though f lie.
 * To nobody else is a share given for it.
 */
export function computingFor(request: string, { members, custodians }: Standing): readonly string[] {
  const placed = custodians.map((node) => ({ node, place: sha256(encodeCbor(["gs1/computing", request, node])) }));
  placed.sort((one, other) => compareBytes(one.place, other.place));
  return placed.slice(0, 2 * faults(members.length) + 1).map(({ node }) => node);
}
