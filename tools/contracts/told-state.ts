// What a node tells of a contract's state against what its chain proves: the value, as JSON has it, and the proof of the same key.

import { equalBytes } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import type { Verify } from "../../src/wire/key.js";
import { encodeValue } from "../../src/wire/value.js";
import { decodeStateProof, type StateProof, verifyStateProof } from "../ledger/state-proof.js";
import { valueFromJson } from "./value-json.js";

export interface AskedProof {
  readonly genesis: Genesis;
  readonly verify: Verify;
  readonly lineage: readonly Uint8Array[];
  readonly service: number;
  readonly contract: string;
  /** the contract's own */
  readonly key: string;
}

/** The proof that a node has answered with. Throws a WireError where it proves nothing, or something else than was asked for. */
export function provedBy(
  bytes: Uint8Array,
  { genesis, verify, lineage, service, contract, key }: AskedProof,
): StateProof {
  const proof = decodeStateProof(bytes);
  if (proof.chain !== service || proof.key !== `${contract}/${key}`) {
    throw new WireError("unproven", `it proves ${proof.key} where ${contract}/${key} was asked for`);
  }
  verifyStateProof(proof, genesis, verify, lineage);
  return proof;
}

/** Whether a value in JSON is the one that is proved; undefined: that there is none. */
export function isProvedValue({ value }: StateProof, told: unknown): boolean {
  if (value === undefined) return told === undefined;
  return told !== undefined && equalBytes(encodeValue(valueFromJson(told, "state")), value);
}
