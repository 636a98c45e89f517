// What the sealed orders of the authority make of the network, pure: the members of each chain by height, added chains, revoked meters,
// banned nodes, contracts, points.
// A function of the contracts chain alone: whoever replays its orders comes to the same state (PROTOCOL.md, orders).

import { CHAINS_MAX } from "../../src/wire/bounds.js";
import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { InstallAction } from "../../src/wire/contract-order.js";
import type { Genesis, GenesisChain, Member } from "../../src/wire/genesis.js";
import { keyId } from "../../src/wire/key.js";
import type {
  BanAction,
  ChainAction,
  EndAction,
  MembersAction,
  Order,
  RegisterAction,
  ResumeAction,
  RevokeAction,
  SuspendAction,
  WithdrawAction,
} from "../../src/wire/order.js";
import { quorum } from "../../src/wire/quorum.js";
import { assign, type OrderedAssignments } from "./assignments.js";
import { type ContractOrder, noContracts, type OrderedContracts, orderContract } from "./contract-orders.js";

/** The service whose chain seals orders; a genesis without it has no orders. */
export const CONTRACTS_SERVICE = 5;

/** A set of members that an order gives a chain. */
export interface MemberOrder {
  readonly number: number;
  /** height of the contracts block that holds the order */
  readonly contractsHeight: number;
  /** the first height that they seal, if the chain knows of the order by then */
  readonly effectiveHeight: number;
  readonly members: readonly Member[];
  readonly verifiers: number;
  /** height of the contracts block by which it counts no more */
  readonly withdrawnAt?: number;
}

/** Who seals a height of a chain, and how many of them are to verify a temporary block. */
export type Seats = Pick<GenesisChain, "members" | "verifiers">;

/** A chain of the network with all sets of members that it was ever given. */
export interface GovernedChain {
  /** as the genesis or the order that added it has it: its members are the first */
  readonly chain: GenesisChain;
  /** contracts height of the order that added it; 0 for a chain of the genesis */
  readonly contractsHeight: number;
  /** in the order of their numbers; effective heights ascend among those that stand */
  readonly orders: readonly MemberOrder[];
}

export interface SealedOrder {
  /** height of the contracts block that holds it */
  readonly contractsHeight: number;
  /** as the authority signed it, perhaps with the source that it names */
  readonly bytes: Uint8Array;
}

/** What an order makes of a meter; the last one up to a contracts height holds there. */
export type MeterRuling = {
  /** height of the contracts block that holds the order */
  readonly contractsHeight: number;
} & (
  | { readonly standing: "good" | "suspended" }
  /** by service, the first number that is not sealed any more; nothing of any other service is */
  | { readonly standing: "ended"; readonly ends: ReadonlyMap<number, number> }
);

/** How a record's meter stands for it. */
export type Standing = "good" | "revoked" | "suspended" | "ended";

export interface Governance {
  readonly genesis: Genesis;
  /** number of the last order; 0 before the first */
  readonly lastOrder: number;
  /** heights of contracts blocks that hold orders, ascending */
  readonly heights: readonly number[];
  readonly chains: readonly GovernedChain[];
  /** nodes of the genesis and all that orders ever admitted, by id as hex */
  readonly nodes: ReadonlyMap<string, Member>;
  /** revoked meters by id as hex, each with the contracts height of its order */
  readonly revoked: ReadonlyMap<string, number>;
  /** of meters that were ever suspended or ended, by id as hex, in the order of their orders */
  readonly rulings: ReadonlyMap<string, readonly MeterRuling[]>;
  /** banned nodes by id as hex, each with the contracts height of its order */
  readonly banned: ReadonlyMap<string, number>;
  /** the newest head of the authority's register that an order names */
  readonly register?: Pick<RegisterAction, "entry" | "hash">;
  readonly contracts: OrderedContracts;
  readonly assignments: OrderedAssignments;
}

export type Governed =
  | { readonly type: "governed"; readonly governance: Governance }
  /** the order does not apply; `reason` says why */
  | { readonly type: "refused"; readonly reason: string };

/** The state before the first order. */
export function initialGovernance(genesis: Genesis): Governance {
  return {
    genesis,
    lastOrder: 0,
    heights: [],
    chains: genesis.chains.map((chain) => ({ chain, contractsHeight: 0, orders: [] })),
    nodes: new Map(genesis.nodes.map((node) => [toHex(node.id), node])),
    revoked: new Map(),
    rulings: new Map(),
    banned: new Map(),
    contracts: noContracts,
    assignments: new Map(),
  };
}

/** The state with an order, whose signatures are verified, in the contracts block of this height. */
export function govern(governance: Governance, order: Order, contractsHeight: number): Governed {
  if (order.number !== governance.lastOrder + 1) {
    return refused(`order ${order.number} does not follow order ${governance.lastOrder}`);
  }
  const applied = apply(governance, order, contractsHeight);
  if (applied.type === "refused") return applied;
  const { heights } = governance;
  return {
    type: "governed",
    governance: {
      ...applied.governance,
      lastOrder: order.number,
      heights: heights.at(-1) === contractsHeight ? heights : [...heights, contractsHeight],
    },
  };
}

/** Height of the newest contracts block that holds an order; 0 before the first. */
export function governedHeight(governance: Governance): number {
  return governance.heights.at(-1) ?? 0;
}

/** Whether the contracts block of this height is known to hold an order. */
export function holdsOrder(governance: Governance, contractsHeight: number): boolean {
  return governance.heights.lastIndexOf(contractsHeight) >= 0;
}

/** The chain of a service, of the genesis or added; undefined where there is none. */
export function governedChain(governance: Governance, service: number): GovernedChain | undefined {
  return governance.chains.find(({ chain }) => chain.service === service);
}

/** The last order of members that is not withdrawn, else the first set: what the next order changes. */
export function standingSeats({ chain, orders }: GovernedChain): Seats {
  return lastStandingOrder(orders) ?? chain;
}

function lastStandingOrder(orders: readonly MemberOrder[]): MemberOrder | undefined {
  return orders.findLast(({ withdrawnAt }) => withdrawnAt === undefined);
}

/**
 * The members that seal the height behind `height` of a chain whose block at `height` was judged at the contracts height `judgedAt`:
 * those of the last order up to there that is effective and not withdrawn up to there, else the first ones. Throws a RangeError where the network has no such chain.
 */
export function membersAfter(governance: Governance, service: number, height: number, judgedAt: number): Seats {
  const governed = governedChain(governance, service);
  if (governed === undefined) throw new RangeError(`network ${governance.genesis.network} has no chain ${service}`);
  const order = governed.orders.findLast(
    ({ contractsHeight, effectiveHeight, withdrawnAt }) =>
      contractsHeight <= judgedAt && effectiveHeight <= height + 1 && (withdrawnAt ?? judgedAt + 1) > judgedAt,
  );
  return order ?? governed.chain;
}

/**
 * The sets of members that can have sealed this height of a chain, by orders up to the contracts height, the newest first: which of
 * them did depends on the contracts height that the block before names.
 */
export function membersAt(
  governance: Governance,
  service: number,
  height: number,
  judgedAt: number,
): readonly (readonly Member[])[] {
  const governed = governedChain(governance, service);
  if (governed === undefined || governed.contractsHeight > judgedAt) return [];
  const orders = governed.orders.filter(
    ({ contractsHeight, effectiveHeight }) => contractsHeight <= judgedAt && effectiveHeight <= height,
  );
  return [governed.chain.members, ...orders.map(({ members }) => members)].reverse();
}

/** The node where it is or was a member of the chain by orders up to this contracts height, whether effective yet or not. */
export function everMember(
  governance: Governance,
  service: number,
  node: Uint8Array,
  judgedAt: number,
): Member | undefined {
  const governed = governedChain(governance, service);
  const known = governed?.orders.filter(({ contractsHeight }) => contractsHeight <= judgedAt) ?? [];
  return [...(governed?.chain.members ?? []), ...known.flatMap(({ members }) => members)].find(({ id }) =>
    equalBytes(id, node),
  );
}

/** How the meter, by its id as hex, stands for this number at a contracts height: only what is good is sealed there. */
export function standingOf(
  { revoked, rulings }: Governance,
  meter: string,
  service: number,
  seq: number,
  judgedAt: number,
): Standing {
  if (revoked.size === 0 && rulings.size === 0) return "good";
  const revokedAt = revoked.get(meter);
  if (revokedAt !== undefined && revokedAt <= judgedAt) return "revoked";
  const ruling = rulings.get(meter)?.findLast(({ contractsHeight }) => contractsHeight <= judgedAt);
  if (ruling === undefined) return "good";
  if (ruling.standing !== "ended") return ruling.standing;
  return seq < (ruling.ends.get(service) ?? 0) ? "good" : "ended";
}

/** How the holder of a credential, by its id as hex, stands by all orders: `ended` where nothing of it is sealed any more. */
export function holderStanding(governance: Governance, holder: string): Standing {
  const standing = lastStanding(governance, holder);
  if (standing !== "ended") return standing;
  const ruling = governance.rulings.get(holder)!.at(-1)!;
  return ruling.standing === "ended" && [...ruling.ends.values()].some((end) => end > 0) ? "good" : "ended";
}

function apply(governance: Governance, { number, action, source }: Order, contractsHeight: number): Governed {
  switch (action.type) {
    case "members":
      return applyMembers(governance, action, { number, contractsHeight });
    case "withdraw":
      return applyWithdraw(governance, action, contractsHeight);
    case "chain":
      return applyChain(governance, action, contractsHeight);
    case "revoke":
      return applyRevoke(governance, action, contractsHeight);
    case "ban":
      return applyBan(governance, action, contractsHeight);
    case "suspend":
    case "resume":
      return applySuspend(governance, action, contractsHeight);
    case "end":
      return applyEnd(governance, action, contractsHeight);
    case "register":
      return applyRegister(governance, action);
    case "assign": {
      const assigned = assign(governance.assignments, action, contractsHeight);
      if (assigned.type === "refused") return assigned;
      return { type: "governed", governance: { ...governance, assignments: assigned.assignments } };
    }
    default:
      return applyContract(governance, { action, source, contractsHeight });
  }
}

/** An order that is late counts from the next height on: nothing tells here how high other chains are, and this one grows meanwhile. */
function applyContract(governance: Governance, order: ContractOrder): Governed {
  const { service } = order.action;
  const governed = governedChain(governance, service);
  if (governed === undefined) return refused(`there is no chain ${service}`);
  if (order.action.type === "install") {
    const reason = untriedReason(standingSeats(governed), order.action);
    if (reason !== undefined) return refused(reason);
  }
  const ordered = orderContract(governance.contracts, order);
  if (ordered.type === "refused") return ordered;
  return { type: "governed", governance: { ...governance, contracts: ordered.contracts } };
}

/** A quorum of the chain's members have run a contract's vectors; undefined where they have. */
function untriedReason({ members }: Seats, { service, name, ready }: InstallAction): string | undefined {
  const ids = new Set(members.map(({ id }) => toHex(id)));
  const stranger = ready.map(({ key }) => toHex(keyId(key))).find((id) => !ids.has(id));
  if (stranger !== undefined) return `READY is of ${stranger}, which is no member of chain ${service}`;
  const needed = quorum(members.length);
  if (ready.length >= needed) return undefined;
  const have = `${ready.length} of ${members.length} members of chain ${service} have run the vectors of ${name}`;
  return `${have}, and it takes ${needed}`;
}

function applyRevoke(governance: Governance, action: RevokeAction, contractsHeight: number): Governed {
  const meters = action.meters.map(toHex);
  const known = meters.find((meter) => governance.revoked.has(meter));
  if (known !== undefined) return refused(`meter ${known} is revoked already`);
  const revoked = new Map([...governance.revoked, ...meters.map((meter) => [meter, contractsHeight] as const)]);
  return { type: "governed", governance: { ...governance, revoked } };
}

function applySuspend(governance: Governance, action: SuspendAction | ResumeAction, contractsHeight: number): Governed {
  const meters = action.meters.map(toHex);
  const standing = action.type === "suspend" ? "suspended" : "good";
  for (const meter of meters) {
    const now = lastStanding(governance, meter);
    if (now === (standing === "good" ? "suspended" : "good")) continue;
    return refused(standing === "good" ? `meter ${meter} is not suspended` : `meter ${meter} is ${now} already`);
  }
  return ruled(governance, meters, { contractsHeight, standing });
}

/** What is suspended may be ended; what was revoked is over. */
function applyEnd(governance: Governance, action: EndAction, contractsHeight: number): Governed {
  const meter = toHex(action.meter);
  const now = lastStanding(governance, meter);
  if (now === "revoked" || now === "ended") return refused(`meter ${meter} is ${now} already`);
  return ruled(governance, [meter], { contractsHeight, standing: "ended", ends: new Map(action.ends) });
}

/** Entries are only added to a register. */
function applyRegister(governance: Governance, { entry, hash }: RegisterAction): Governed {
  const before = governance.register?.entry ?? 0;
  if (entry <= before) return refused(`entry ${entry} is not above entry ${before}, the register's head before`);
  return { type: "governed", governance: { ...governance, register: { entry, hash } } };
}

function lastStanding({ revoked, rulings }: Governance, meter: string): Standing {
  return revoked.has(meter) ? "revoked" : (rulings.get(meter)?.at(-1)?.standing ?? "good");
}

function ruled(governance: Governance, meters: readonly string[], ruling: MeterRuling): Governed {
  const rulings = new Map(governance.rulings);
  for (const meter of meters) rulings.set(meter, [...(rulings.get(meter) ?? []), ruling]);
  return { type: "governed", governance: { ...governance, rulings } };
}

/** A member cannot be banned: without its links its chain would have a quorum to find among fewer. */
function applyBan(governance: Governance, action: BanAction, contractsHeight: number): Governed {
  const nodes = action.nodes.map(toHex);
  const known = nodes.find((node) => governance.banned.has(node));
  if (known !== undefined) return refused(`node ${known} is banned already`);
  for (const governed of governance.chains) {
    const member = standingSeats(governed).members.find(({ id }) => nodes.includes(toHex(id)));
    if (member === undefined) continue;
    return refused(`${member.name} is a member of chain ${governed.chain.service}: remove it first`);
  }
  const banned = new Map([...governance.banned, ...nodes.map((node) => [node, contractsHeight] as const)]);
  return { type: "governed", governance: { ...governance, banned } };
}

/** A member that an order names though it is banned. */
function bannedAmong({ banned }: Governance, members: readonly Member[]): Member | undefined {
  return members.find(({ id }) => banned.has(toHex(id)));
}

function applyMembers(
  governance: Governance,
  action: MembersAction,
  place: { readonly number: number; readonly contractsHeight: number },
): Governed {
  const governed = governedChain(governance, action.chain);
  if (governed === undefined) return refused(`there is no chain ${action.chain}`);
  const last = lastStandingOrder(governed.orders);
  const reason = changeProblem(last ?? governed.chain, action);
  if (reason !== undefined) return refused(reason);
  const banned = bannedAmong(governance, action.members);
  if (banned !== undefined) return refused(`${banned.name} is banned`);
  if (action.effectiveHeight <= (last?.effectiveHeight ?? 1)) {
    return refused(`effective height ${action.effectiveHeight} is not above ${last?.effectiveHeight ?? 1}`);
  }
  const { effectiveHeight, members, verifiers } = action;
  const orders = [...governed.orders, { ...place, effectiveHeight, members, verifiers }];
  const chains = governance.chains.map((chain) => (chain === governed ? { ...governed, orders } : chain));
  const nodes = new Map([...governance.nodes, ...members.map((member) => [toHex(member.id), member] as const)]);
  return { type: "governed", governance: { ...governance, chains, nodes } };
}

/** The set before holds again, of members that were it already: none has to say that it is ready. */
function applyWithdraw(governance: Governance, { order: number }: WithdrawAction, contractsHeight: number): Governed {
  const governed = governance.chains.find(({ orders }) => lastStandingOrder(orders)?.number === number);
  if (governed === undefined) return refused(`order ${number} is not the last one of a chain's members that stands`);
  const orders = governed.orders.map((order) =>
    order.number === number ? { ...order, withdrawnAt: contractsHeight } : order,
  );
  const after = { ...governed, orders };
  const banned = bannedAmong(governance, standingSeats(after).members);
  if (banned !== undefined) return refused(`${banned.name}, a member before order ${number}, is banned`);
  const chains = governance.chains.map((chain) => (chain === governed ? after : chain));
  return { type: "governed", governance: { ...governance, chains } };
}

/** One node comes, one goes, or both; or the same ones propose in another order, or another number of them verifies. */
function changeProblem(seats: Seats, { members, ready, verifiers }: MembersAction): string | undefined {
  const before = seats.members;
  const has = (set: readonly Member[], { id }: Member) => set.some((member) => equalBytes(member.id, id));
  const admitted = members.filter((member) => !has(before, member));
  const removed = before.filter((member) => !has(members, member));
  if (admitted.length > 1) return `it admits ${admitted.length} nodes, one at a time may come`;
  if (removed.length > 1) return `it removes ${removed.length} nodes, one at a time may go`;
  const unready = admitted.find(({ id }) => !ready.some(({ node }) => equalBytes(node, id)));
  if (unready !== undefined) return `${unready.name} has not said that it is ready`;
  const same = members.length === before.length && members.every(({ id }, index) => equalBytes(id, before[index]!.id));
  return same && verifiers === seats.verifiers ? "it changes nothing" : undefined;
}

function applyChain(governance: Governance, action: ChainAction, contractsHeight: number): Governed {
  const { service, name, members, target, verifiers } = action;
  const { chains, nodes } = governance;
  if (chains.some(({ chain }) => chain.service === service)) return refused(`there is a chain ${service} already`);
  if (chains.some(({ chain }) => chain.name === name)) return refused(`there is a chain named ${name} already`);
  if (chains.length >= CHAINS_MAX) return refused(`there are ${CHAINS_MAX} chains already`);
  const stranger = members.find(({ id }) => !nodes.has(toHex(id)));
  if (stranger !== undefined) return refused(`${stranger.name} is no node of the network`);
  const banned = bannedAmong(governance, members);
  if (banned !== undefined) return refused(`${banned.name} is banned`);
  const added: GovernedChain = { chain: { service, name, members, target, verifiers }, contractsHeight, orders: [] };
  return { type: "governed", governance: { ...governance, chains: [...chains, added] } };
}

function refused(reason: string): Governed {
  return { type: "refused", reason };
}
