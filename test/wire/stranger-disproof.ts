// Section 8 of PROTOCOL.md, the disproof: a record that its meter has not signed, in a temporary block that a node signed to have
// verified. It imports neither src nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, counts, sizes } from "./stranger-bounds.js";
import type { StrangerGenesis } from "./stranger-genesis.js";
import { everMembers, type StrangerOrders } from "./stranger-orders.js";
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
import { readRecordForm } from "./stranger-record.js";

interface Place {
  readonly orders: StrangerOrders;
  readonly genesis: StrangerGenesis;
  readonly service: number;
  readonly judgedAt: number;
}

/** Throws unless the evidence proves that the node of this chain said so; the number of the temporary block otherwise. */
export function proveFalseWord(place: Place, node: string, evidence: Uint8Array): number {
  const { genesis, service } = place;
  demand(evidence.length <= sizes.disproof, "disproof is too long");
  const items = list(independentDecode(evidence), 10);
  const [origin, number, notices, count, index, path, recordBytes, credential, accused, signature] = items;
  demand(hex(bytesOf(accused, 8)) === node, "disproof is against another node");
  const member = everMembers(place.orders, service, place.judgedAt).find(({ id }) => id === node);
  if (member === undefined) throw new Error("disproof is against no member");
  const size = numberOf(count, counts.recordsInOne);
  const hashes = listUpTo(path, 10).map((hash) => bytesOf(hash, 32));
  const leaf = sha256(Buffer.concat([Buffer.of(0), sha256(bytesOf(recordBytes))]));
  const root = rootAbove(leaf, numberOf(index, counts.recordsInOne - 1), size, hashes);
  numberOf(number, bounds.temporaryBlock);
  const head: readonly Item[] = [genesis.hash, service, bytesOf(origin, 8), number!];
  const block = independentCbor(["gs1/batch", ...head, bytesOf(notices, 32), root, count!]);
  const word = independentCbor(["gs1/ack", ...head, sha256(block), true]);
  const said = bytesOf(signature, 64);
  const isOrigins = hex(origin) === node && verifies(member.key, block, said);
  demand(isOrigins || verifies(member.key, word, said), "disproof is not signed by its node");
  const record = readRecordForm(bytesOf(recordBytes)).message;
  const key = keyOfCredential(genesis, bytesOf(credential));
  demand(key.id === hex(record.header.get(4)), "disproof has another's credential");
  demand(!signed(key, record), "disproof is of a record that its meter has signed");
  return Number(number);
}

/** RFC 9162, section 2.1.3.2. */
function rootAbove(leaf: Buffer, index: number, size: number, path: readonly Uint8Array[]): Buffer {
  demand(index < size, "disproof's record is not in its temporary block");
  let hash = leaf;
  let [position, last] = [index, size - 1];
  for (const sibling of path) {
    demand(last > 0, "disproof's path is too long");
    const isRight = position % 2 === 1 || position === last;
    hash = sha256(Buffer.concat(isRight ? [Buffer.of(1), sibling, hash] : [Buffer.of(1), hash, sibling]));
    for (; isRight && position % 2 === 0 && position > 0; position /= 2) last = Math.floor(last / 2);
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  demand(last === 0, "disproof's path is too short");
  return hash;
}

function keyOfCredential(genesis: StrangerGenesis, bytes: Uint8Array): StrangerKey {
  const message = readSign1(bytes, sizes.credential);
  const claims = mapOf(independentDecode(message.payload));
  demand(signed(issuerOf(genesis, claims), message), "credential is not signed by the authority");
  demand(claims.get(1) === `${genesis.issuing}/${genesis.authority.id}`, "credential is of another issuer");
  return readKey(mapOf(claims.get(8)).get(1));
}

/** Section 5: the authority, or the key of a warrant in force when the credential begins. */
export function issuerOf(genesis: StrangerGenesis, claims: ReadonlyMap<Item, Item>): StrangerKey {
  if (!claims.has(-70_002)) return genesis.authority;
  const warrant = readSign1(bytesOf(claims.get(-70_002)), sizes.warrant);
  demand(signed(genesis.authority, warrant), "warrant is not signed by the authority");
  const [name, network, from, until, key] = list(independentDecode(warrant.payload), 5);
  demand(name === "gs1/warrant" && network === genesis.issuing, "warrant is none of this network");
  const begin = numberOf(claims.get(5), bounds.time_s);
  demand(begin >= numberOf(from, bounds.time_s), "credential begins before its warrant");
  demand(begin < numberOf(until, bounds.time_s), "credential begins when its warrant has ended");
  return readKey(key);
}
