// What a contract remembers under a key, by the node's proof; held against the genesis where that is at hand.

import type { Genesis } from "../../../src/wire/genesis.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { decodeValue, type Value } from "../../../src/wire/value.js";
import { GridsealError } from "../../errors.js";
import type { ReceiptSource } from "../../sources/source.js";
import { checkStateProof, readStateProof } from "./read-state-proof.js";

export interface AskedValue {
  readonly service: number;
  readonly contract: string;
  readonly key: string;
  /** without it the node is believed */
  readonly genesis: Genesis | undefined;
}

/** Undefined where nothing stands there, or the chain has no block. Rejects with RECEIPT_INVALID where the proof proves something else. */
export async function provedValue(
  source: ReceiptSource,
  { service, contract, key, genesis }: AskedValue,
): Promise<Value | undefined> {
  const bytes = await source.stateProof(service, contract, key);
  if (bytes === undefined) return undefined;
  const { proof } = readStateProof(bytes, source.origin);
  if (proof.chain !== service || proof.key !== `${contract}/${key}`) {
    throw new GridsealError("RECEIPT_INVALID", `${source.origin} answers with the proof of ${proof.key}`);
  }
  if (genesis !== undefined) {
    const lineage = lineageUpTo(await source.lineage(service), proof.height);
    checkStateProof({ proof, lineage }, genesis, source.origin);
  }
  return proof.value === undefined ? undefined : decodeValue(proof.value);
}
