// The proof of a state's value that a node's answer or a file holds: read, checked, and as it is shown.

import type { Genesis } from "../../../src/wire/genesis.js";
import { decodeValue } from "../../../src/wire/value.js";
import { valueToJson } from "../../contracts/value-json.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import {
  decodeStateProofFile,
  type StateProof,
  type StateProofFile,
  verifyStateProof,
} from "../../ledger/state-proof.js";
import { toJson } from "../../terminal/output.js";

/** Throws RECEIPT_INVALID where the bytes are no proof of a state. */
export function readStateProof(bytes: Uint8Array, origin: string): StateProofFile {
  try {
    return decodeStateProofFile(bytes);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${origin} holds no proof of a state: ${reasonOf(cause)}`, { cause });
  }
}

/** Throws RECEIPT_INVALID unless the proof holds with the genesis alone. */
export function checkStateProof({ proof, lineage }: StateProofFile, genesis: Genesis, origin: string): void {
  try {
    verifyStateProof(proof, genesis, nodeVerify, lineage);
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `${origin} proves nothing: ${reasonOf(cause)}`, { cause });
  }
}

/** What a proof says. `value` is null too where there is none: `isThere` tells. */
export interface ProofView {
  readonly network: string;
  readonly service: number;
  readonly height: number;
  readonly key: string;
  readonly isThere: boolean;
  readonly value: unknown;
}

/** Throws RECEIPT_INVALID where what stands there is no value of a contract. */
export function proofView({ network, chain, height, key, value }: StateProof): ProofView {
  const place = { network, service: chain, height, key, isThere: value !== undefined };
  if (value === undefined) return { ...place, value: null };
  try {
    return { ...place, value: valueToJson(decodeValue(value)) };
  } catch (cause) {
    throw new GridsealError("RECEIPT_INVALID", `what stands under ${key} is no value: ${reasonOf(cause)}`, { cause });
  }
}

export function valueText({ isThere, value }: ProofView): string {
  return isThere ? toJson(value) : "nothing stands there";
}
