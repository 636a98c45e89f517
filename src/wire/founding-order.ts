// The order that adds a chain, apart from the others (order.ts): it stands at the head of the chain's lineage, and a meter reads no other.

import { CODE_MAX, NODES_MAX, TIME_S_MAX, WORD_MAX } from "./bounds.js";
import { equalBytes, toHex } from "./bytes.js";
import { type CborValue, decodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { type Genesis, type Member, memberFromArray, networkName, verifiersOf } from "./genesis.js";
import { isTarget } from "./header.js";
import type { Verify } from "./key.js";
import { orderPayload, orderSignatures } from "./order-signatures.js";
import { asArray, asBytes, asMap, asOrderNumber, asService, asUint } from "./shape.js";

export const ORDER_BYTES_MAX = 32_768;
export const CHAIN_ACTION = 2;

/** A chain that the genesis does not have, among nodes that the network knows. */
export interface ChainAction {
  readonly type: "chain";
  readonly service: number;
  readonly name: string;
  readonly members: readonly Member[];
  /** difficulty in Bitcoin's compact form; 0 where any nonce will do */
  readonly target: number;
  /** how many members are to verify a temporary block */
  readonly verifiers: number;
}

/** What every order says, its action as encoded. */
export interface OrderBody {
  readonly number: number;
  readonly time_s: number;
  readonly action: readonly CborValue[];
}

/** The action of a founding order, signed as the genesis asks; undefined where it is another action. Throws a WireError on anything else. */
export function verifyFounding(
  bytes: Uint8Array,
  genesis: Pick<Genesis, "hash" | "authority" | "ordering">,
  verify: Verify,
): ChainAction | undefined {
  const { action } = orderBody(bytes, genesis);
  if (action[0] !== CHAIN_ACTION) return undefined;
  const founding = chainAction(action);
  checkOrdered(bytes, genesis, verify);
  return founding;
}

/** Reads what is around the action, for this network where one is given. */
export function orderBody(bytes: Uint8Array, genesis?: Pick<Genesis, "hash">): OrderBody {
  const map = asMap(decodeCbor(orderPayload(bytes, ORDER_BYTES_MAX)), "order", [1, 2, 3, 4, 5]);
  const version = asUint(map.get(1), "order version", CODE_MAX);
  if (version !== 1) throw new WireError("unsupported", `order format version ${version} is not supported`);
  const hash = asBytes(map.get(2), "order genesis hash", 32);
  if (genesis !== undefined && !equalBytes(hash, genesis.hash)) {
    throw new WireError("unproven", "order is for another network");
  }
  return {
    number: asOrderNumber(map.get(3), "order number"),
    time_s: asUint(map.get(4), "order time", TIME_S_MAX),
    action: asArray(map.get(5), "order action"),
  };
}

/** Throws a WireError unless the authority has signed the order with as many keys as the genesis asks for. */
export function checkOrdered(
  bytes: Uint8Array,
  genesis: Pick<Genesis, "authority" | "ordering">,
  verify: Verify,
): void {
  const { signed, needed } = orderSignatures(bytes, genesis, verify);
  if (signed !== needed)
    throw new WireError("unproven", `order has ${signed} of ${needed} signatures of the authority`);
}

/** The action of these items, of which the first is CHAIN_ACTION. */
export function chainAction(items: readonly CborValue[]): ChainAction {
  const [, service, name, named, target, verifiers] = asArray(items, "order of a chain", 6);
  const members = orderMembers(named);
  const compact = asUint(target, "order target", WORD_MAX);
  if (!isTarget(compact)) throw new WireError("shape", `order target ${compact} is no compact difficulty`);
  return {
    type: "chain",
    service: asService(service, "order chain"),
    name: networkName(name, "order chain name"),
    members,
    target: compact,
    verifiers: verifiersOf(verifiers, members.length, "order verifiers"),
  };
}

export function orderMembers(value: CborValue | undefined): Member[] {
  const members = asArray(value, "order members").map((member) => memberFromArray(member, "order member"));
  if (members.length === 0 || members.length > NODES_MAX) {
    throw new WireError("shape", `order must name 1 to ${NODES_MAX} members, not ${members.length}`);
  }
  if (new Set(members.map(({ id }) => toHex(id))).size !== members.length) {
    throw new WireError("shape", "order names a member twice");
  }
  return members;
}
