// Who is a member of which chain at which height, as the authority's sealed orders have it. It is
// stated here once more, and on its own: what nodes make of the orders is held against it (I12).

import type { Block } from "../../../../src/wire/block.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { type Genesis, type GenesisChain, type Member, memberSetHash } from "../../../../src/wire/genesis.js";
import { noticesOf } from "../../../../src/wire/notice.js";
import { type Order, readOrder } from "../../../../src/wire/order.js";
import { CONTRACTS_SERVICE } from "../../../ledger/governance.js";
import { type ContractChecks, createContractChecks } from "./contracts.js";
import { createStandings, type Standings } from "./standings.js";
import { createTerms, type Terms } from "./terms.js";
import type { Fail } from "./violation.js";

/** The members that an order gives a chain. */
interface Given {
  readonly contractsHeight: number;
  readonly effectiveHeight: number;
  readonly members: readonly Member[];
  /** how many of them are to verify a temporary block */
  readonly verifiers: number;
}

type Seats = Pick<GenesisChain, "members" | "verifiers">;

interface Entry {
  readonly chain: GenesisChain;
  readonly given: Given[];
  /** of height 1, 2, 3 ... as far as the block before is sealed */
  readonly sets: Seats[];
  judgedAt: number;
}

export interface Membership {
  /** chains of the genesis, and those that sealed orders have added */
  readonly chains: readonly GenesisChain[];
  /** orders that are sealed */
  readonly lastOrder: number;
  /** how meters stand by them */
  readonly standings: Standings;
  readonly terms: Terms;
  /** what they make of contracts */
  readonly contracts: ContractChecks;
  /** heights at which another set of members began to seal */
  readonly changes: number;
  /** Those who seal the height; undefined where the block before is sealed nowhere yet. */
  at(service: number, height: number): readonly Member[] | undefined;
  /** How many of those who seal the height are to verify a temporary block; 0 where they are not known yet. */
  verifiersAt(service: number, height: number): number;
  /** Those who seal the next height of a chain that there is. */
  current(service: number): readonly Member[];
  /** What the last sealed order says, effective yet or not. */
  ordered(service: number): Given;
  /** The key's holder, whether a member anywhere or not. */
  nodeOf(id: string): Member | undefined;
  isMember(service: number, height: number, node: string): boolean;
  /** The authority has signed the order: no other one may be sealed. */
  issue(order: Uint8Array): void;
  /** A block is durable on a correct node for the first time. */
  onBlock(block: Block): void;
}

/** `nodes` are all that the run has. */
export function createMembership(genesis: Genesis, nodes: readonly Member[], fail: Fail): Membership {
  const byId = new Map(nodes.map((node) => [toHex(node.id), node]));
  const entries = new Map<number, Entry>();
  const issued = new Set<string>();
  const contractsHeights = new Set<number>();
  const standings = createStandings();
  const terms = createTerms();
  const contracts = createContractChecks(genesis, fail);
  let lastOrder = 0;
  let changes = 0;

  const found = (chain: GenesisChain, judgedAt: number) =>
    void entries.set(chain.service, { chain, given: [], sets: [chain], judgedAt });

  for (const chain of genesis.chains) found(chain, 0);

  const entryOf = (service: number): Entry => {
    const entry = entries.get(service);
    if (entry === undefined) throw new RangeError(`no chain ${service}`);
    return entry;
  };

  const obey = (contractsHeight: number, { number, action }: Order) => {
    if (number !== lastOrder + 1) fail("I12 orders are sealed in their order", `${number} after ${lastOrder}`);
    lastOrder = number;
    contractsHeights.add(contractsHeight);
    standings.obey(contractsHeight, action);
    contracts.obey(contractsHeight, action);
    if (action.type === "members") {
      const { effectiveHeight, members, verifiers } = action;
      entryOf(action.chain).given.push({ contractsHeight, effectiveHeight, members, verifiers });
    } else if (action.type === "chain") {
      const { service, name, members, target, verifiers } = action;
      found({ service, name, members, target, verifiers }, contractsHeight);
    }
  };

  /**
   * A set follows from the last order that the block knows of and that is effective at the next
   * height.
   */
  const nextSet = ({ chain, given }: Entry, height: number, judgedAt: number) =>
    given.findLast((one) => one.contractsHeight <= judgedAt && one.effectiveHeight <= height + 1) ?? chain;

  return {
    get chains() {
      return [...entries.values()].map(({ chain }) => chain);
    },
    get lastOrder() {
      return lastOrder;
    },
    get changes() {
      return changes;
    },
    standings,
    terms,
    contracts,
    at: (service, height) => entries.get(service)?.sets[Math.max(1, height) - 1]?.members,
    verifiersAt: (service, height) => entries.get(service)?.sets[Math.max(1, height) - 1]?.verifiers ?? 0,
    current: (service) => entryOf(service).sets.at(-1)!.members,
    ordered(service) {
      const { chain, given } = entryOf(service);
      const { members, verifiers } = chain;
      return given.at(-1) ?? { contractsHeight: 0, effectiveHeight: 1, members, verifiers };
    },
    nodeOf: (id) => byId.get(id),
    isMember: (service, height, node) =>
      entries.get(service)?.sets[Math.max(1, height) - 1]?.members.some(({ id }) => toHex(id) === node) === true,
    issue: (order) => void issued.add(toHex(order)),
    onBlock(block) {
      const { chain: service, height, judgedAt } = block;
      const entry = entryOf(service);
      const where = `block ${service}/${height} judged at ${judgedAt}`;
      if (judgedAt < entry.judgedAt || (judgedAt > entry.judgedAt && !contractsHeights.has(judgedAt))) {
        fail("I12 a block is judged at a height with an order, and never back", where);
      }
      entry.judgedAt = judgedAt;
      const { members } = entry.sets[height - 1]!;
      const next = nextSet(entry, height, judgedAt);
      if (toHex(block.memberSet) !== toHex(memberSetHash(members))) fail("I12 a block is for its members", where);
      if (toHex(block.nextMemberSet) !== toHex(memberSetHash(next.members)))
        fail("I12 the next set follows from orders", where);
      entry.sets[height] = next;
      standings.check(block, fail);
      terms.check(block, fail);
      contracts.check(block);
      if (next.members !== members) changes += 1;
      for (const bytes of block.batches.flatMap(({ notices }) => noticesOf(notices, "order"))) {
        if (service !== CONTRACTS_SERVICE) fail("I12 the contracts chain seals orders", where);
        if (!issued.has(toHex(bytes))) fail("I12 a sealed order is the authority's", where);
        obey(height, readOrder(bytes, genesis));
      }
    },
  };
}
