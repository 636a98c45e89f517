// What the stranger makes of orders and of evidence: sections 8, 11 and 22 of PROTOCOL.md. It imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import {
  bytesOf,
  demand,
  hex,
  list,
  mapOf,
  numberOf,
  readKey,
  readSign1,
  type StrangerKey,
  same,
  signed,
  verifies,
} from "./stranger-proof.js";

export interface StrangerMember {
  readonly id: string;
  readonly key: StrangerKey;
  /** [id, COSE_Key] as the genesis or an order has it */
  readonly entry: Item;
}

interface MemberSet {
  /** contracts height of its order */
  readonly at: number;
  /** effective height */
  readonly from: number;
  readonly members: readonly StrangerMember[];
}

/** What the orders sealed so far have come to. */
export interface StrangerOrders {
  last: number;
  /** heights of contracts blocks that hold orders */
  readonly heights: Set<number>;
  /** by service: the first set, and those of orders behind it */
  readonly sets: Map<number, MemberSet[]>;
  readonly names: Set<string>;
  readonly nodes: Set<string>;
  readonly revoked: Set<string>;
}

export function noOrders(
  chains: readonly { readonly service: number; readonly name: string; readonly members: readonly StrangerMember[] }[],
  nodes: readonly StrangerMember[],
): StrangerOrders {
  return {
    last: 0,
    heights: new Set(),
    sets: new Map(chains.map(({ service, members }) => [service, [{ at: 0, from: 1, members }]])),
    names: new Set(chains.map(({ name }) => name)),
    nodes: new Set(nodes.map(({ id }) => id)),
    revoked: new Set(),
  };
}

/** [id, COSE_Key, ...] of a genesis or an order. */
export function readMember(item: Item): StrangerMember {
  const [id, key] = list(item, 3);
  const member = { id: hex(id), key: readKey(key), entry: [id!, key!] };
  demand(member.id === member.key.id, "a node's id is not its key's");
  return member;
}

/** Section 11: who seals the height behind `height`, judged at this contracts height. */
export function membersAfter(
  orders: StrangerOrders,
  service: number,
  height: number,
  judgedAt: number,
): readonly StrangerMember[] {
  const [first, ...others] = orders.sets.get(service)!;
  return (others.filter(({ at, from }) => at <= judgedAt && from <= height + 1).at(-1) ?? first!).members;
}

/** Section 22: an order in the contracts block of this height. */
export function takeOrder(
  orders: StrangerOrders,
  authority: StrangerKey,
  genesisHash: Uint8Array,
  bytes: Uint8Array,
  height: number,
): void {
  const message = readSign1(bytes);
  demand(signed(authority, message), "order is not signed by the authority");
  const payload = mapOf(independentDecode(message.payload));
  demand(payload.get(1) === 1, "order version is not 1");
  same(bytesOf(payload.get(2)), genesisHash, "network of an order");
  demand(numberOf(payload.get(3)) === orders.last + 1, "order does not follow the one before");
  const action = list(payload.get(5));
  if (action[0] === 1) takeMembers(orders, genesisHash, action, height);
  else if (action[0] === 2) takeChain(orders, action, height);
  else takeRevocation(orders, action);
  orders.last += 1;
  orders.heights.add(height);
}

function takeMembers(orders: StrangerOrders, genesisHash: Uint8Array, action: readonly Item[], at: number): void {
  const [, chain, effective, items, readies] = action;
  const sets = orders.sets.get(numberOf(chain));
  const before = sets?.at(-1);
  if (sets === undefined || before === undefined) throw new Error("order is for no chain");
  const members = list(items).map(readMember);
  const from = numberOf(effective);
  demand(from > before.from, "order's effective height is not above the one before");
  const has = (set: readonly StrangerMember[], { id }: StrangerMember) => set.some((member) => member.id === id);
  const admitted = members.filter((member) => !has(before.members, member));
  const removed = before.members.filter((member) => !has(members, member));
  demand(admitted.length <= 1 && removed.length <= 1 && members.length > 0, "order changes more than one member");
  for (const { id, key } of admitted) {
    const ready = list(readies).find((item) => hex(list(item, 2)[0]) === id);
    const message = independentCbor(["gs1/ready", genesisHash, chain!, Buffer.from(id, "hex")]);
    demand(ready !== undefined && verifies(key, message, bytesOf(list(ready, 2)[1], 64)), "a node is not ready");
    orders.nodes.add(id);
  }
  sets.push({ at, from, members });
}

function takeChain(orders: StrangerOrders, action: readonly Item[], at: number): void {
  const [, service, name, items] = list(action, 5);
  const members = list(items).map(readMember);
  demand(!orders.sets.has(numberOf(service)) && !orders.names.has(String(name)), "order adds a chain that there is");
  demand(
    members.every(({ id }) => orders.nodes.has(id)),
    "order's member is no node of the network",
  );
  orders.sets.set(numberOf(service), [{ at, from: 1, members }]);
  orders.names.add(String(name));
}

function takeRevocation(orders: StrangerOrders, action: readonly Item[]): void {
  demand(action[0] === 3, "order's action is not known");
  for (const meter of list(list(action, 2)[1]).map(hex)) {
    demand(!orders.revoked.has(meter), "order revokes a meter twice");
    orders.revoked.add(meter);
  }
}

/** Section 8: throws unless the evidence proves that the node of this chain signed two things; its height otherwise. */
export function proveEquivocation(
  orders: StrangerOrders,
  genesisHash: Uint8Array,
  service: number,
  node: string,
  evidence: Uint8Array,
  judgedAt: number,
): number {
  const known = orders.sets.get(service)!.flatMap(({ at, members }) => (at <= judgedAt ? members : []));
  const member = known.find(({ id }) => id === node);
  if (member === undefined) throw new Error("evidence is against no member");
  const [first, second] = list(independentDecode(evidence), 2).map((item) => {
    const statement = list(item);
    const [type, height, round] = statement;
    const name = ["", "gs1/proposal", "gs1/prevote", "gs1/precommit"][numberOf(type)]!;
    const message = independentCbor([name, genesisHash, service, height!, round!, ...statement.slice(3, -2)]);
    demand(hex(statement.at(-2)) === node, "evidence is against another node");
    demand(verifies(member.key, message, bytesOf(statement.at(-1), 64)), "evidence is not signed by its node");
    return { place: [type, height, round].join("/"), height: numberOf(height), message };
  });
  demand(first!.place === second!.place && !first!.message.equals(second!.message), "evidence shows no equivocation");
  return first!.height;
}
