// What the stranger takes from the genesis, and who seals: sections 6, 8 and 11 of PROTOCOL.md. It imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import {
  bytesOf,
  demand,
  hex,
  list,
  listUpTo,
  mapOf,
  numberOf,
  readKey,
  readSign1,
  type StrangerKey,
  sha256,
  signed,
  verifies,
} from "./stranger-proof.js";

export interface StrangerMember {
  readonly id: string;
  readonly key: StrangerKey;
  /** [id, COSE_Key] as the genesis or an order has it */
  readonly entry: Item;
}

export interface StrangerChain {
  readonly service: number;
  readonly name: string;
  readonly members: readonly StrangerMember[];
  readonly target: number;
  /** how many of them are to verify a temporary block */
  readonly verifiers: number;
}

export interface StrangerGenesis {
  readonly network: string;
  /** what credentials and warrants call it */
  readonly issuing: string;
  readonly authority: StrangerKey;
  /** keys that sign orders and how many of them must, where it is not the authority's alone */
  readonly ordering: { readonly signatures: number; readonly keys: readonly StrangerKey[] } | undefined;
  readonly nodes: readonly StrangerMember[];
  readonly chains: readonly StrangerChain[];
  readonly hash: Buffer;
}

/** Section 18, steps 1 and 2: the genesis, its authority, its nodes and chains. */
export function readGenesis(bytes: Uint8Array): StrangerGenesis {
  const message = readSign1(bytes, sizes.genesis);
  const payload = mapOf(independentDecode(message.payload));
  const authority = readKey(payload.get(4));
  demand(payload.get(1) === 1, "genesis version is not 1");
  demand(signed(authority, message), "genesis is not signed by its authority");
  numberOf(payload.get(3), bounds.time_s);
  const nodes = listUpTo(payload.get(5), bounds.nodes).map(readNode);
  const chains = listUpTo(payload.get(6), bounds.chains).map((chain): StrangerChain => {
    const [service, name, items, target, verifiers] = list(chain, 5);
    const members = list(items).map((index) => nodes[numberOf(index, nodes.length - 1)]!);
    return {
      service: numberOf(service, bounds.service, 1),
      name: String(name),
      members,
      target: numberOf(target, bounds.word),
      verifiers: numberOf(verifiers, members.length, 1),
    };
  });
  const network = payload.get(2);
  demand(typeof network === "string", "genesis names no network");
  const ordering = payload.has(7) ? readOrdering(payload.get(7)) : undefined;
  const isTest = payload.has(8);
  demand(!isTest || payload.get(8) === true, "genesis' mark of a test network is not true");
  const optional = (ordering === undefined ? 0 : 1) + (isTest ? 1 : 0);
  demand(payload.size === 6 + optional, "genesis has an entry too many or too few");
  const issuing = isTest ? `${String(network)}/test` : String(network);
  return { network: String(network), issuing, authority, ordering, nodes, chains, hash: sha256(bytes) };
}

function readOrdering(item: Item | undefined): StrangerGenesis["ordering"] {
  const [signatures, items] = list(item, 2);
  const keys = listUpTo(items, bounds.orderKeys).map(readKey);
  demand(new Set(keys.map(({ id }) => id)).size === keys.length, "a key that orders is named twice");
  return { signatures: numberOf(signatures, keys.length, 1), keys };
}

/** [id, COSE_Key, name, ? location] of a genesis or an order. */
export function readNode(item: Item): StrangerMember {
  const items = list(item);
  const [id, key, name, location] = list(item, items.length === 4 ? 4 : 3);
  const isPlace = typeof location === "string" && /^[A-Z][A-Z](-[A-Z0-9]{1,3})?$/.test(location);
  demand(items.length === 3 || isPlace, "a node's location is no code of ISO 3166");
  demand(typeof name === "string" && name.length >= 1 && name.length <= 32, "a node's name is none");
  return readMember([id!, key!]);
}

/** [id, COSE_Key] of a handover. */
export function readMember(item: Item): StrangerMember {
  const [id, key] = list(item, 2);
  const member = { id: hex(id), key: readKey(key), entry: [id!, key!] };
  demand(member.id === member.key.id, "a node's id is not its key's");
  return member;
}

/** Sections 6 and 22: 1 to 128 members, none twice. */
export function readMembers(item: Item | undefined, read: (item: Item) => StrangerMember): readonly StrangerMember[] {
  const members = list(item).map(read);
  demand(members.length >= 1 && members.length <= 128, "there are not 1 to 128 members");
  demand(new Set(members.map(({ id }) => id)).size === members.length, "a member is named twice");
  return members;
}

/** Section 6: the member-set hash. */
export function memberSetHash(members: readonly StrangerMember[]): Buffer {
  return sha256(independentCbor(members.map(({ entry }) => entry)));
}

/** Section 1: of n members at most floor((n-1)/3) are faulty. */
export function quorum(members: readonly StrangerMember[]): number {
  return members.length - Math.floor((members.length - 1) / 3);
}

/** Section 8: throws unless a quorum of these members has signed the header. */
export function verifyCertificate(
  genesis: StrangerGenesis,
  service: number,
  members: readonly StrangerMember[],
  height: number,
  headerHash: Buffer,
  item: Item | undefined,
): void {
  const [round, signatures] = list(item, 2);
  const message = independentCbor([
    "gs1/precommit",
    genesis.hash,
    service,
    height,
    numberOf(round, bounds.round),
    headerHash,
  ]);
  const signers = listUpTo(signatures, bounds.nodes).map((entry) => list(entry, 2));
  const positions = signers.map(([node]) => members.findIndex(({ id }) => id === hex(node)));
  demand(ascending(positions, -1), "certificate's signers are not members in their order");
  for (const [index, [, signature]] of signers.entries()) {
    const { key } = members[positions[index]!]!;
    demand(verifies(key, message, bytesOf(signature, 64)), "certificate's signature does not verify");
  }
  demand(signers.length >= quorum(members), "certificate is not of a quorum");
}

export function ascending(numbers: readonly number[], before: number): boolean {
  return numbers.every((number, index) => number > (numbers[index - 1] ?? before));
}
