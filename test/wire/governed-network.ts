// A network whose members change by orders, block by block: trading gets a node from outside the genesis and loses one, heat is added
// and gets another member. Each edit changes one thing of a block that is sealed by whoever the edit says.

import { type Block, blockTree, encodeBlock, metadataEntry } from "../../src/wire/block.js";
import { issueGenesis, verifyGenesis } from "../../src/wire/genesis.js";
import { encodeHandover } from "../../src/wire/handover.js";
import type { Signer } from "../../src/wire/key.js";
import { keyId } from "../../src/wire/key.js";
import { inclusionPath, leafCount } from "../../src/wire/merkle.js";
import { type Action, issueOrder, type Ready, readyBytes } from "../../src/wire/order.js";
import { encodeReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import {
  type Seal,
  sealBlock,
  sha256,
  signerNamed,
  startTime_s,
  type TestNetwork,
  type TestNode,
  testBatch,
  testMeter,
  testRecords,
} from "./network.js";

export const TRADING = 1;
export const CONTRACTS = 5;
export const HEAT = 7;

export const nodes: readonly TestNode[] = [0, 1, 2, 3, 4, 5].map((index) => {
  const signer = signerNamed(`governed node ${index}`);
  return { id: keyId(signer.key), key: signer.key, name: `node-${index}`, signer };
});
export const pick = (...positions: readonly number[]): readonly TestNode[] => positions.map((at) => nodes[at]!);

const namesOf = (list: readonly TestNode[]) => list.map(({ id, key, name }) => ({ id, key, name }));
const first = pick(0, 1, 2, 3);

function governedNetwork(): TestNetwork {
  const authority = signerNamed("governed authority");
  const chains = [
    { service: TRADING, name: "trading", members: namesOf(first), target: 0, verifiers: 2 },
    { service: CONTRACTS, name: "contracts", members: namesOf(first), target: 0, verifiers: 2 },
  ];
  const known = namesOf(nodes.slice(0, 5));
  const genesisBytes = issueGenesis({ network: "governed", time_s: startTime_s, nodes: known, chains }, authority);
  return { authority, nodes, genesisBytes, genesis: verifyGenesis(genesisBytes, nodeVerify) };
}

export const network = governedNetwork();
const { genesis } = network;
export const meter = testMeter(network, "governed meter", [TRADING, HEAT]);
const records = new Map([TRADING, HEAT].map((service) => [service, testRecords(meter, 5, service)]));

export function ready(node: TestNode, chain: number, signer: Signer = node.signer): Ready {
  return { node: node.id, signature: signer.sign(readyBytes(genesis.hash, chain, node.id)) };
}

/** An order of the authority, or of whoever signs in its place. */
export function order(number: number, action: Action, signer: Signer = network.authority, hash = genesis.hash) {
  return issueOrder({ number, time_s: startTime_s, action }, { hash }, signer);
}

/** The same bytes but for the last, of which one bit is another. */
export function broken(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[changed.length - 1]! ^= 1;
  return changed;
}

export function members(
  chain: number,
  effectiveHeight: number,
  list: readonly TestNode[],
  signed: readonly Ready[] = [],
) {
  return {
    type: "members",
    chain,
    effectiveHeight,
    members: namesOf(list),
    ready: signed,
    verifiers: Math.min(2, list.length),
  } as const;
}

export function added(list: readonly TestNode[], service = HEAT, name = "heat", target = 0) {
  return { type: "chain", service, name, members: namesOf(list), target, verifiers: Math.min(2, list.length) } as const;
}

const heat = pick(5, 0, 1, 4);
export const foundingOrder = order(2, added(heat));

/** A block as it is to be sealed, but for its records. */
interface Step extends Omit<Seal, "batches"> {
  readonly members: readonly TestNode[];
  readonly origin?: TestNode;
  readonly acknowledgedBy?: readonly TestNode[];
  readonly orders?: readonly Uint8Array[];
}

const admit = order(1, members(TRADING, 3, pick(0, 1, 2, 5), [ready(nodes[5]!, TRADING)]));
const remove = order(3, members(TRADING, 5, pick(1, 2, 5)));
const replace = order(4, members(HEAT, 2, pick(5, 2, 1, 4), [ready(nodes[2]!, HEAT)]));

/** Those of block 3 of contracts. */
export const lastOrders = [remove, replace];

/** Every block of the three chains, in order; who seals the next height is who the next step says. */
const steps = {
  contracts: [
    { members: first, orders: [admit] },
    { members: first, orders: [foundingOrder], judgedAt: 1 },
    { members: first, orders: lastOrders, judgedAt: 2 },
  ],
  trading: [
    { members: first },
    { members: first, judgedAt: 1 },
    { members: pick(0, 1, 2, 5), judgedAt: 2 },
    { members: pick(0, 1, 2, 5), judgedAt: 3 },
    { members: pick(1, 2, 5), judgedAt: 3 },
  ],
  heat: [
    { members: heat, judgedAt: 2 },
    { members: heat, judgedAt: 3 },
    { members: pick(5, 2, 1, 4), judgedAt: 3 },
  ],
} satisfies Record<string, readonly Step[]>;

export type ChainName = keyof typeof steps;
export const services = { contracts: CONTRACTS, trading: TRADING, heat: HEAT } as const;
export type History = Readonly<Record<ChainName, readonly Block[]>>;
/** Changes by chain and height. */
export type Edits = { readonly [Name in ChainName]?: Readonly<Record<number, Partial<Step>>> };

/** The blocks of all chains, each changed as the edits say and sealed anew. */
export function history(edits: Edits = {}): History {
  const chain = (name: ChainName) => {
    const changed = steps[name].map((step: Step, index): Step => ({ ...step, ...edits[name]?.[index + 1] }));
    const blocks: Block[] = [];
    for (const [index, step] of changed.entries()) {
      const nextMembers = step.nextMembers ?? (changed[index + 1] ?? step).members;
      blocks.push(blockOf(services[name], blocks.at(-1), { ...step, nextMembers }));
    }
    return blocks;
  };
  return { contracts: chain("contracts"), trading: chain("trading"), heat: chain("heat") };
}

function blockOf(service: number, previous: Block | undefined, step: Step): Block {
  const height = (previous?.height ?? 0) + 1;
  const { origin = nodes[1]!, acknowledgedBy = step.members, orders = [] } = step;
  const record = records.get(service)?.slice(height - 1, height) ?? [];
  const credentials = height === 1 && record.length > 0 ? [meter.credential] : [];
  const batch = testBatch(network, service, origin, height - 1, credentials, record, {
    members: acknowledgedBy,
    orders,
  });
  return sealBlock(network, service, previous, { target: 0, ...step, batches: [batch] });
}

export function exported(blocks: readonly Block[]): Buffer {
  return Buffer.concat(blocks.map(encodeBlock));
}

/** What proves the members of the height behind this block. */
export function handoverOf(block: Block, next: readonly TestNode[]): Uint8Array {
  const tree = blockTree(block);
  const place = { metadata: metadataEntry(block), size: leafCount(tree), path: inclusionPath(tree, 0) };
  const { chain, height, header, certificate } = block;
  const keys = next.map(({ id, key }) => ({ id, key }));
  return encodeHandover({ network: "governed", chain, height, ...place, header, certificate, members: keys });
}

/** The receipt of the one record of a block. */
export function receiptOf(block: Block): Uint8Array {
  const tree = blockTree(block);
  const { chain, height, header, certificate } = block;
  const place = { leaf: 1, size: leafCount(tree), path: inclusionPath(tree, 1) };
  const recordHash = sha256(block.batches[0]!.records[0]!);
  return encodeReceipt({ network: "governed", chain, height, recordHash, ...place, header, certificate });
}
