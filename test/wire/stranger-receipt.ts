// A stranger who has PROTOCOL.md, node:crypto and nothing of Gridseal follows a chain's members from the genesis and verifies receipts:
// section 14. It imports neither src nor tools. Throws an Error that names the first thing that is not proven.

import { type Item, independentCbor, independentDecode, independentSequence } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import {
  memberSetHash,
  readGenesis,
  readMember,
  readMembers,
  type StrangerGenesis,
  type StrangerMember,
  verifyCertificate,
} from "./stranger-genesis.js";
import { readFoundingOrder } from "./stranger-orders.js";
import { bytesOf, demand, hex, list, numberOf, rootOfPath, same, sha256 } from "./stranger-proof.js";

/** Who seals from this height on. */
export interface StrangerSet {
  readonly from: number;
  readonly members: readonly StrangerMember[];
}

/** What a receipt proves. */
export interface StrangerReceipt {
  readonly chain: number;
  readonly height: number;
  readonly record: string;
  readonly header: string;
}

/** Bytes of tag 18 or 98: in a lineage orders begin with one, handovers do not. */
function tagBytes(item: Uint8Array): number {
  return item[0] === 0xd2 ? 1 : item[0] === 0xd8 && item[1] === 98 ? 2 : 0;
}

/** All member sets of a chain that its lineage proves, the first one from height 1. */
export function followLineage(genesisBytes: Uint8Array, service: number, items: readonly Uint8Array[]): StrangerSet[] {
  const genesis = readGenesis(genesisBytes);
  const sets: StrangerSet[] = [];
  const given = genesis.chains.find((chain) => chain.service === service);
  if (given !== undefined) sets.push({ from: 1, members: given.members });
  for (const item of items) {
    if (tagBytes(item) === 0) {
      sets.push(readHandover(genesis, service, sets.at(-1), item));
      continue;
    }
    demand(sets.length === 0, "an order does not stand at the head of the lineage of an added chain");
    const added = readFoundingOrder(genesis, item);
    demand(added.service === service, "order adds another chain");
    sets.push({ from: 1, members: added.members });
  }
  demand(sets.length > 0, `nothing says who the first members of chain ${service} are`);
  return sets;
}

/** Verifies a receipt by the lineage that was shown, or where none is given by the one that follows it in its file. */
export function verifyReceipt(
  genesisBytes: Uint8Array,
  bytes: Uint8Array,
  shown?: readonly Uint8Array[],
): StrangerReceipt {
  const genesis = readGenesis(genesisBytes);
  const [item, ...following] = sequenceOf(bytes);
  demand(item!.length <= sizes.receipt, "receipt is too long");
  const fields = list(independentDecode(item!), 10);
  const [version, network, chain, height, record, leaf, size, path, header, certificate] = fields;
  demand(version === 1, "receipt version is not 1");
  demand(network === genesis.network, "receipt is of another network");
  demand(numberOf(leaf, bounds.leaves - 1) > 0, "receipt's leaf is no record");
  const root = rootOfPath(
    bytesOf(record, 32),
    numberOf(leaf, bounds.leaves - 1),
    numberOf(size, bounds.leaves),
    hashesOf(path),
  );
  same(bytesOf(header, 80).subarray(36, 68), root, "Merkle root of a receipt");
  const sealed = numberOf(height, bounds.height, 1);
  const sets = followLineage(genesisBytes, numberOf(chain, bounds.service, 1), shown ?? following);
  const members = sets.findLast(({ from }) => from <= sealed)?.members;
  if (members === undefined) throw new Error("receipt is of no height");
  const headerHash = sha256(bytesOf(header, 80));
  verifyCertificate(genesis, numberOf(chain, bounds.service, 1), members, sealed, headerHash, certificate);
  return { chain: numberOf(chain, bounds.service, 1), height: sealed, record: hex(record), header: hex(headerHash) };
}

/** Section 29: a point's slot, proved by its row, the slot's leaf and the leaf's receipt. */
export function verifySlotProof(genesisBytes: Uint8Array, bytes: Uint8Array) {
  const [item, ...following] = sequenceOf(bytes);
  demand(item!.length <= 24_576, "proof of a slot is too long");
  const [version, row, index, path, leaf, receipt] = list(independentDecode(item!), 6);
  demand(version === 1, "proof of a slot is of another version");
  const [name, chain, height, start, length, points, root] = list(independentDecode(bytesOf(leaf)), 7);
  demand(name === "gs1/slot", "a slot's leaf is another one");
  const led = rootOfPath(bytesOf(row), numberOf(index, bounds.word), numberOf(points, bounds.word), hashesOf(path));
  same(led, bytesOf(root, 32), "root of a slot's rows");
  const proved = verifyReceipt(genesisBytes, bytesOf(receipt), following);
  demand(proved.record === hex(sha256(bytesOf(leaf))), "receipt is of another leaf");
  demand(proved.chain === chain && proved.height === height, "receipt is of another place than the leaf");
  const [point, taken, given, quality, doubts] = list(independentDecode(bytesOf(row)), 5);
  numberOf(doubts, 2 ** 31 - 1);
  numberOf(length, 86_400, 1);
  return { ...proved, point: point!, taken: taken!, given: given!, quality: quality!, start: start!, length: length! };
}

/** The items of a lineage as they stand. */
export function sequenceOf(bytes: Uint8Array): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const rest = bytes.subarray(offset);
    const tag = tagBytes(rest);
    const item = rest.subarray(0, tag + independentSequence(rest.subarray(tag), 1)[0]!.length);
    items.push(item);
    offset += item.length;
  }
  return items;
}

function readHandover(
  genesis: StrangerGenesis,
  service: number,
  before: StrangerSet | undefined,
  bytes: Uint8Array,
): StrangerSet {
  demand(bytes.length <= sizes.handover, "handover is too long");
  const fields = list(independentDecode(bytes), 10);
  const [version, network, chain, height, metadata, size, path, header, certificate, members] = fields;
  demand(version === 1, "handover version is not 1");
  demand(network === genesis.network && chain === service, "handover is of another network or chain");
  if (before === undefined) throw new Error("nothing says who seals the block of a handover");
  const sealed = numberOf(height, bounds.height, 1);
  demand(sealed >= before.from, "handovers are not in the order of their heights");
  const root = rootOfPath(bytesOf(metadata), 0, numberOf(size, bounds.leaves), hashesOf(path));
  same(bytesOf(header, 80).subarray(36, 68), root, "Merkle root of a handover");
  const bound = list(independentDecode(bytesOf(metadata)), 16);
  const place: Item[] = [Buffer.from("GSB1"), 1, genesis.network, service, sealed];
  same(independentCbor(bound.slice(0, 5)), independentCbor(place), "block of a handover");
  same(bytesOf(bound[9]), memberSetHash(before.members), "member set of a handover's block");
  const next = readMembers(members, readMember);
  same(bytesOf(bound[10]), memberSetHash(next), "next member set of a handover's block");
  verifyCertificate(genesis, service, before.members, sealed, sha256(bytesOf(header, 80)), certificate);
  return { from: sealed + 1, members: next };
}

function hashesOf(path: Item | undefined): Uint8Array[] {
  return list(path).map((hash) => bytesOf(hash, 32));
}

/** Verifies what a node sent a meter of one chain, oldest first, by the certificate of the newest alone: section 15. The heights proved. */
export function verifySentReceipts(genesisBytes: Uint8Array, sent: readonly Uint8Array[]): number[] {
  const newest = sent.at(-1)!;
  const proved = verifyReceipt(genesisBytes, independentSequence(newest)[0]!, []);
  let header = bytesOf(list(independentDecode(independentSequence(newest)[0]!), 10)[8], 80);
  let { height } = proved;
  const heights = [height];
  for (let index = sent.length - 1; index > 0; index -= 1) {
    const [, headers] = independentSequence(sent[index]!);
    const between = headers === undefined ? new Uint8Array(0) : bytesOf(independentDecode(headers));
    const fields = list(independentDecode(independentSequence(sent[index - 1]!)[0]!), 10);
    const before = bytesOf(fields[8], 80);
    demand(between.length % 80 === 0 && between.length <= 16 * 80, "headers behind a receipt");
    for (let at = 0; at <= between.length; at += 80) {
      const next = at < between.length ? between.subarray(at, at + 80) : before;
      same(header.subarray(4, 36), sha256(next), "hash of the header before");
      header = next;
      height -= 1;
    }
    demand(numberOf(fields[2 + 1], bounds.height, 1) === height, "receipt is of another height than its header");
    const root = rootOfPath(
      bytesOf(fields[4], 32),
      numberOf(fields[5], bounds.leaves - 1),
      numberOf(fields[6], bounds.leaves),
      hashesOf(fields[7]),
    );
    same(before.subarray(36, 68), root, "Merkle root of a receipt");
    heights.unshift(height);
  }
  return heights;
}
