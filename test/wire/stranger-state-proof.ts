// The stranger verifies the proof of what a chain's contracts remember: section 14 of PROTOCOL.md. It imports neither src nor tools.
// Throws an Error that names the first thing that is not proven.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import { readGenesis, verifyCertificate } from "./stranger-genesis.js";
import { bytesOf, demand, hex, list, numberOf, rootOfPath, same, sha256 } from "./stranger-proof.js";
import { followLineage, sequenceOf } from "./stranger-receipt.js";
import { verifyState } from "./stranger-state.js";

/** What a proof proves. */
export interface StrangerValue {
  readonly chain: number;
  readonly height: number;
  readonly key: string;
  /** as hex; undefined where there is none */
  readonly value: string | undefined;
  readonly stateRoot: string;
}

/** Verifies a proof with the lineage that follows it in its file. */
export function verifyStateProof(genesisBytes: Uint8Array, bytes: Uint8Array): StrangerValue {
  const genesis = readGenesis(genesisBytes);
  const [item, ...lineage] = sequenceOf(bytes);
  demand(item!.length <= sizes.stateProof, "state proof is too long");
  const fields = list(independentDecode(item!), 13);
  const [version, network, chain, height, key, value, siblings, other] = fields;
  const [metadata, size, inclusion, header, certificate] = fields.slice(8);
  demand(version === 1, "state proof version is not 1");
  demand(network === genesis.network, "state proof is of another network");
  const service = numberOf(chain, bounds.service, 1);
  const sealed = numberOf(height, bounds.height, 1);
  if (typeof key !== "string" || key === "") throw new Error("state proof has no key");
  demand(key.length <= 289, "state proof's key is too long");
  const root = rootOfPath(bytesOf(metadata), 0, numberOf(size, bounds.leaves), hashesOf(inclusion));
  same(bytesOf(header, 80).subarray(36, 68), root, "Merkle root of a state proof");
  const bound = list(independentDecode(bytesOf(metadata)), 16);
  const place: Item[] = [Buffer.from("GSB1"), 1, genesis.network, service, sealed];
  same(independentCbor(bound.slice(0, 5)), independentCbor(place), "block of a state proof");
  const stateRoot = bytesOf(bound[14], 32);
  const there = value === null ? undefined : bytesOf(value);
  demand((there?.length ?? 0) <= sizes.value, "a value is too long");
  const leaf = other === null ? undefined : list(other, 2).map((hash) => bytesOf(hash, 32));
  verifyState(stateRoot, [key, there], hashesOf(siblings), leaf as [Uint8Array, Uint8Array] | undefined);
  const sets = followLineage(genesisBytes, service, lineage);
  const members = sets.findLast(({ from }) => from <= sealed)?.members;
  if (members === undefined) throw new Error("state proof is of no height");
  verifyCertificate(genesis, service, members, sealed, sha256(bytesOf(header, 80)), certificate);
  const shown = there === undefined ? undefined : hex(Buffer.from(there));
  return { chain: service, height: sealed, key, value: shown, stateRoot: hex(Buffer.from(stateRoot)) };
}

function hashesOf(path: Item | undefined): Uint8Array[] {
  return list(path).map((hash) => bytesOf(hash, 32));
}
