// What the stranger makes of orders and of evidence: sections 8, 11 and 22 of PROTOCOL.md. It imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import { noContracts, type StrangerContracts, takeContractOrder, withoutSource } from "./stranger-contracts.js";
import {
  readMembers,
  readNode,
  type StrangerChain,
  type StrangerGenesis,
  type StrangerMember,
} from "./stranger-genesis.js";
import {
  bytesOf,
  demand,
  hex,
  isTarget,
  list,
  mapOf,
  numberOf,
  readSign1,
  same,
  signed,
  verifies,
} from "./stranger-proof.js";
import { type StrangerAssignments, takeAssignments } from "./stranger-slots.js";

/** The service whose chain seals orders. */
export const CONTRACTS = 5;
const CHAINS_MAX = 64;

interface MemberSet {
  /** contracts height of its order; 0 for a set of the genesis */
  readonly at: number;
  /** effective height */
  readonly from: number;
  readonly members: readonly StrangerMember[];
  readonly verifiers: number;
  /** number of its order; 0 for a first set */
  readonly order: number;
  /** contracts height of the order that takes it back */
  back?: number;
}

interface OrderedChain {
  readonly name: string;
  readonly target: number;
  /** the first set, and those of orders behind it */
  readonly sets: MemberSet[];
}

/** What the orders sealed so far have come to. */
export interface StrangerOrders {
  last: number;
  /** heights of contracts blocks that hold orders */
  readonly heights: Set<number>;
  /** by service: those of the genesis and those that orders added */
  readonly chains: Map<number, OrderedChain>;
  /** nodes of the genesis and all that were ever admitted */
  readonly nodes: Set<string>;
  readonly revoked: Set<string>;
  /** what orders made of meters, in their order: by contracts height, which numbers of which service are sealed from there on */
  readonly standings: Map<
    string,
    { readonly at: number; readonly name: string; takes(service: number, seq: number): boolean }[]
  >;
  readonly banned: Set<string>;
  /** newest entry of the authority's register that an order names */
  entry: number;
  readonly contracts: StrangerContracts;
  /** by meter, in the order of the orders */
  readonly assignments: StrangerAssignments;
}

export function noOrders({ chains, nodes }: StrangerGenesis): StrangerOrders {
  const ordered = ({ service, name, target, members, verifiers }: StrangerChain): [number, OrderedChain] => [
    service,
    { name, target, sets: [{ at: 0, from: 1, members, verifiers, order: 0 }] },
  ];
  return {
    last: 0,
    heights: new Set(),
    chains: new Map(chains.map(ordered)),
    nodes: new Set(nodes.map(({ id }) => id)),
    revoked: new Set(),
    standings: new Map(),
    banned: new Set(),
    entry: 0,
    contracts: noContracts(),
    assignments: new Map(),
  };
}

/** Section 11: who seals the height behind `height`, judged at this contracts height, and how many of them verify. */
export function membersAfter(
  orders: StrangerOrders,
  service: number,
  height: number,
  judgedAt: number,
): Pick<StrangerChain, "members" | "verifiers"> {
  const [first, ...others] = orders.chains.get(service)!.sets;
  const counts = ({ at, from, back }: MemberSet) =>
    at <= judgedAt && from <= height + 1 && !(back !== undefined && back <= judgedAt);
  return others.filter(counts).at(-1) ?? first!;
}

/** What the next order for the chain changes. */
function lastSet(sets: readonly MemberSet[]): MemberSet {
  return sets.filter(({ back }) => back === undefined).at(-1)!;
}

/** All that are or were members by orders up to this contracts height. */
export function everMembers(orders: StrangerOrders, service: number, judgedAt: number): readonly StrangerMember[] {
  return orders.chains.get(service)!.sets.flatMap(({ at, members }) => (at <= judgedAt ? members : []));
}

/** Section 22: an order in the contracts block of this height. */
export function takeOrder(orders: StrangerOrders, genesis: StrangerGenesis, bytes: Uint8Array, height: number): void {
  const { order, source } = withoutSource(bytes);
  const { number, action } = readOrder(genesis, order);
  demand(source === undefined || action[0] === 9, "order comes with a source that it does not name");
  demand(number === orders.last + 1, "order does not follow the one before");
  if (action[0] === 1) takeMembers(orders, genesis, action, { at: height, order: number });
  else if (action[0] === 13) takeWithdrawal(orders, action, height);
  else if (action[0] === 2) takeChain(orders, readAddedChain(action), height);
  else if (action[0] === 3) takeRevocation(orders, action, height);
  else if (action[0] === 4) takeBan(orders, action);
  else if (action[0] === 7) takeEnd(orders, action, height);
  else if (action[0] === 8) takeRegister(orders, action);
  else if (action[0] === 9 || action[0] === 10 || action[0] === 11) {
    const membersOf = (service: number) => {
      const sets = orders.chains.get(service)?.sets;
      return sets && lastSet(sets).members;
    };
    takeContractOrder(orders.contracts, { genesis: genesis.hash, membersOf }, action, height, source);
  } else if (action[0] === 12) takeAssignments(orders.assignments, action, height);
  else takeSuspension(orders, action, height);
  orders.last = number;
  orders.heights.add(height);
}

/** An order that the authority has signed for this network, and each READY in it its node; whether it applies is not asked. */
function readOrder(genesis: StrangerGenesis, bytes: Uint8Array): { number: number; action: readonly Item[] } {
  const payload = mapOf(independentDecode(readSigned(genesis, bytes)));
  demand(payload.size === 5 && payload.get(1) === 1, "order version is not 1");
  same(bytesOf(payload.get(2)), genesis.hash, "network of an order");
  numberOf(payload.get(4), bounds.time_s);
  return { number: numberOf(payload.get(3), bounds.order, 1), action: list(payload.get(5)) };
}

/** Section 22: what the authority has signed, by its key alone or by as many keys as the genesis asks for. */
function readSigned(genesis: StrangerGenesis, bytes: Uint8Array): Uint8Array {
  const { authority, ordering } = genesis;
  if (ordering === undefined) {
    const message = readSign1(bytes, sizes.order);
    demand(signed(authority, message), "order is not signed by the authority");
    return message.payload;
  }
  demand(bytes.length <= sizes.order, "order is too long");
  demand(bytes[0] === 0xd8 && bytes[1] === 98, "order has no tag 98");
  const [header, unprotected, payload, items] = list(independentDecode(bytes.subarray(2)), 4);
  demand(bytesOf(header).length === 0 && mapOf(unprotected).size === 0, "order has a header of its own");
  const signatures = list(items, ordering.signatures);
  let before = -1;
  for (const [own, beside, signature] of signatures.map((item) => list(item, 3))) {
    const named = mapOf(independentDecode(bytesOf(own)));
    const place = ordering.keys.findIndex(({ id }) => id === hex(named.get(4)));
    demand(
      place > before && named.size === 2 && mapOf(beside).size === 0,
      "order's signers are not keys in their order",
    );
    const key = ordering.keys[place]!;
    const structure = independentCbor(["Signature", Buffer.alloc(0), bytesOf(own), Buffer.alloc(0), bytesOf(payload)]);
    demand(named.get(1) === key.algorithm, "order is signed by another algorithm than its key's");
    demand(verifies(key, structure, bytesOf(signature, 64)), "order's signature does not verify");
    before = place;
  }
  return bytesOf(payload);
}

/** Section 14: the chain that an order at the head of a lineage adds. */
export function readFoundingOrder(genesis: StrangerGenesis, bytes: Uint8Array): StrangerChain {
  const { action } = readOrder(genesis, bytes);
  demand(action[0] === 2, "order at the head of a lineage adds no chain");
  return readAddedChain(action);
}

function takeMembers(
  orders: StrangerOrders,
  genesis: StrangerGenesis,
  action: readonly Item[],
  place: { readonly at: number; readonly order: number },
): void {
  const [, chain, effective, items, readies, verify] = list(action, 6);
  const sets = orders.chains.get(numberOf(chain, bounds.service, 1))?.sets;
  const before = sets && lastSet(sets);
  if (sets === undefined || before === undefined) throw new Error("order is for no chain");
  const members = readMembers(items, readNode);
  const verifiers = numberOf(verify, members.length, 1);
  const from = numberOf(effective, bounds.height, 1);
  demand(from > before.from, "order's effective height is not above the one before");
  const has = (set: readonly StrangerMember[], { id }: StrangerMember) => set.some((member) => member.id === id);
  const admitted = members.filter((member) => !has(before.members, member));
  const removed = before.members.filter((member) => !has(members, member));
  demand(admitted.length <= 1 && removed.length <= 1, "order changes more than one member");
  const ids = (set: readonly StrangerMember[]) => set.map(({ id }) => id).join();
  demand(ids(members) !== ids(before.members) || verifiers !== before.verifiers, "order changes nothing");
  const ready = verifyReadies(genesis, chain!, members, readies);
  demand(
    admitted.every(({ id }) => ready.has(id)),
    "a node is not ready",
  );
  demand(!members.some(({ id }) => orders.banned.has(id)), "order's member is banned");
  for (const { id } of admitted) orders.nodes.add(id);
  sets.push({ ...place, from, members, verifiers });
}

function takeWithdrawal(orders: StrangerOrders, action: readonly Item[], at: number): void {
  const taken = numberOf(list(action, 2)[1], bounds.order, 1);
  const sets = [...orders.chains.values()].map((chain) => chain.sets).find((of) => lastSet(of).order === taken);
  if (sets === undefined) throw new Error("order takes back none that is the last of its chain");
  lastSet(sets).back = at;
  demand(!lastSet(sets).members.some(({ id }) => orders.banned.has(id)), "order brings a banned member back");
}

/** The nodes that have signed READY: members of the order, each at most once. */
function verifyReadies(
  genesis: StrangerGenesis,
  chain: Item,
  members: readonly StrangerMember[],
  readies: Item | undefined,
): ReadonlySet<string> {
  const ready = new Set<string>();
  for (const [node, signature] of list(readies).map((item) => list(item, 2))) {
    const member = members.find(({ id }) => id === hex(node));
    if (member === undefined || ready.has(member.id)) throw new Error("READY is of no member, or of one twice");
    const message = independentCbor(["gs1/ready", genesis.hash, chain, node!]);
    demand(verifies(member.key, message, bytesOf(signature, 64)), "READY is not signed by its node");
    ready.add(member.id);
  }
  return ready;
}

function readAddedChain(action: readonly Item[]): StrangerChain {
  const [, service, name, items, target, verify] = list(action, 6);
  const members = readMembers(items, readNode);
  const added = numberOf(service, bounds.service, 1);
  demand(typeof name === "string" && /^[a-z][a-z0-9-]{0,31}$/.test(name), "order's chain has no name");
  demand(isTarget(numberOf(target, bounds.word)), "order's target is none");
  return {
    service: added,
    name: String(name),
    members,
    target: numberOf(target, bounds.word),
    verifiers: numberOf(verify, members.length, 1),
  };
}

function takeChain(orders: StrangerOrders, added: StrangerChain, at: number): void {
  const { service, name, members, target, verifiers } = added;
  const names = [...orders.chains.values()].map((chain) => chain.name);
  demand(!orders.chains.has(service) && !names.includes(name), "order adds a chain that there is");
  demand(names.length < CHAINS_MAX, "order adds a chain too many");
  demand(
    members.every(({ id }) => orders.nodes.has(id)),
    "order's member is no node of the network",
  );
  demand(!members.some(({ id }) => orders.banned.has(id)), "order's member is banned");
  orders.chains.set(service, { name, target, sets: [{ at, from: 1, members, verifiers, order: 0 }] });
}

function takeRevocation(orders: StrangerOrders, action: readonly Item[], at: number): void {
  for (const id of takeIds(orders.revoked, action, 1_000))
    stand(orders, id, { at, name: "revoked", takes: () => false });
}

function takeSuspension(orders: StrangerOrders, action: readonly Item[], at: number): void {
  demand(action[0] === 5 || action[0] === 6, "order's action is not known");
  const isEnd = action[0] === 6;
  for (const id of takeIds(new Set(), action, 1_000)) {
    const now = orders.standings.get(id)?.at(-1)?.name ?? "good";
    demand(now === (isEnd ? "suspended" : "good"), "order suspends or resumes a meter that it cannot");
    stand(orders, id, { at, name: isEnd ? "good" : "suspended", takes: () => isEnd });
  }
}

function takeEnd(orders: StrangerOrders, action: readonly Item[], at: number): void {
  const [, meter, items, successor] = list(action, 4);
  const id = hex(bytesOf(meter, 8));
  demand(successor === null || hex(bytesOf(successor, 8)) !== id, "order names a meter as its own successor");
  const ends = list(items).map((item) => {
    const [service, seq] = list(item, 2);
    return [numberOf(service, bounds.service, 1), numberOf(seq, bounds.seq)] as const;
  });
  const inOrder = ends.every(([service], index) => index === 0 || service > ends[index - 1]![0]);
  demand(inOrder, "order's ends are not in ascending order");
  const now = orders.standings.get(id)?.at(-1)?.name ?? "good";
  demand(now === "good" || now === "suspended", "order ends a meter that is over");
  const until = new Map(ends);
  stand(orders, id, { at, name: "ended", takes: (service, seq) => seq < (until.get(service) ?? 0) });
}

function takeRegister(orders: StrangerOrders, action: readonly Item[]): void {
  const [, entry, hash] = list(action, 3);
  bytesOf(hash, 32);
  demand(
    numberOf(entry, bounds.counter) > orders.entry,
    "order names an entry of the register that is not above the last",
  );
  orders.entry = Number(entry);
}

function stand(
  { standings }: StrangerOrders,
  id: string,
  standing: { at: number; name: string; takes(service: number, seq: number): boolean },
): void {
  standings.set(id, [...(standings.get(id) ?? []), standing]);
}

/** Section 12: whether the meter stands good for the number in a block of this contracts height. */
export function standsGood(
  { standings }: StrangerOrders,
  meter: string,
  service: number,
  seq: number,
  judgedAt: number,
): boolean {
  return (
    standings
      .get(meter)
      ?.findLast(({ at }) => at <= judgedAt)
      ?.takes(service, seq) ?? true
  );
}

function takeBan(orders: StrangerOrders, action: readonly Item[]): void {
  for (const node of takeIds(orders.banned, action, 128)) {
    const serves = [...orders.chains.values()].some(({ sets }) => lastSet(sets).members.some(({ id }) => id === node));
    demand(!serves, "order bans a member");
  }
}

/** The ids that an action adds to those that earlier orders named. */
function takeIds(known: Set<string>, action: readonly Item[], max: number): readonly string[] {
  const ids = list(list(action, 2)[1]).map((id) => hex(bytesOf(id)));
  demand(ids.length >= 1 && ids.length <= max, "order names no id, or too many");
  demand(
    ids.every((id) => id.length === 16),
    "order names what is no id",
  );
  demand(
    ids.every((id, index) => index === 0 || id > ids[index - 1]!),
    "order's ids are not in ascending order",
  );
  for (const id of ids) {
    demand(!known.has(id), "order names an id twice");
    known.add(id);
  }
  return ids;
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
  const member = everMembers(orders, service, judgedAt).find(({ id }) => id === node);
  if (member === undefined) throw new Error("evidence is against no member");
  demand(evidence.length <= sizes.evidence, "evidence is too long");
  const [first, second] = list(independentDecode(evidence), 2).map((item) => {
    const statement = list(item);
    const [type, height, round] = statement;
    const name = ["", "gs1/proposal", "gs1/prevote", "gs1/precommit"][numberOf(type, 3, 1)]!;
    demand(statement.length === [0, 8, 7, 6][Number(type)], "a statement has items too many or too few");
    const vr = [undefined, statement[3], statement[4], -1][Number(type)];
    const isRound = typeof vr === "number" && vr >= -1 && vr < numberOf(round, bounds.round);
    demand(isRound, "a statement's vr is neither -1 nor a round before its own");
    const message = independentCbor([name, genesisHash, service, height!, round!, ...statement.slice(3, -2)]);
    demand(hex(statement.at(-2)) === node, "evidence is against another node");
    demand(verifies(member.key, message, bytesOf(statement.at(-1), 64)), "evidence is not signed by its node");
    return { place: [type, height, round].join("/"), height: numberOf(height, bounds.height, 1), message };
  });
  demand(first!.place === second!.place && !first!.message.equals(second!.message), "evidence shows no equivocation");
  return first!.height;
}
