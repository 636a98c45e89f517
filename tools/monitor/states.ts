// Whether what a node says that contracts remember is what its chain proves: an entry against the proof of its key.

import { equalBytes } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { isProvedValue, provedBy } from "../contracts/told-state.js";
import { nodeVerify } from "../crypto/signatures.js";
import { reasonOf } from "../errors.js";
import type { StateProof } from "../ledger/state-proof.js";
import type { ReceiptSource } from "../sources/source.js";

export interface AskedState {
  readonly genesis: Genesis;
  readonly source: ReceiptSource;
  readonly service: number;
  readonly contract: string;
}

/** Between two proofs of one value nothing was written, so often at most until one is found. */
const TRIES = 2;

/** What is wrong with a key that a block has written, as the node tells it now; undefined where it is proved. */
export async function keyComplaint(asked: AskedState, key: string): Promise<string | undefined> {
  return entryComplaint(asked, key, await toldValue(asked, key));
}

/**
 * What is wrong with an entry of a contract as the node has told it; undefined where it is proved. A value may change between two
 * questions: what differs is asked for again, and is wrong where it stands between two proofs of another one.
 */
export async function entryComplaint(asked: AskedState, key: string, told: unknown): Promise<string | undefined> {
  let before = await provedValue(asked, key);
  if (before.complaint !== undefined || isSame(before.proof, told)) return before.complaint;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const again = await toldValue(asked, key);
    const after = await provedValue(asked, key);
    if (after.complaint !== undefined) return after.complaint;
    if (isSame(before.proof, again) || isSame(after.proof, again)) return undefined;
    if (haveSameValue(before.proof, after.proof)) {
      const name = `${asked.contract}/${key}`;
      if (again === undefined) return `it tells no value of ${name}, of which its chain proves one`;
      return `it tells another value of ${name} than its chain proves`;
    }
    before = after;
  }
  return undefined;
}

/** Undefined where the node lists none. */
async function toldValue(asked: AskedState, key: string): Promise<unknown> {
  for await (const entry of asked.source.stateEntries({ ...asked, prefix: key })) {
    return entry.key === key ? entry.value : undefined; // a key stands before all that it begins
  }
  return undefined;
}

function haveSameValue(one: StateProof | undefined, other: StateProof | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  if (one.value === undefined || other.value === undefined) return one.value === other.value;
  return equalBytes(one.value, other.value);
}

type Proved = { readonly proof: StateProof | undefined; readonly complaint?: string };

async function provedValue({ genesis, source, service, contract }: AskedState, key: string): Promise<Proved> {
  const bytes = await source.stateProof(service, contract, key);
  if (bytes === undefined) return { proof: undefined };
  const lineage = await source.lineage(service);
  try {
    return { proof: provedBy(bytes, { genesis, verify: nodeVerify, lineage, service, contract, key }) };
  } catch (error) {
    return { proof: undefined, complaint: `its proof of ${contract}/${key} proves nothing: ${reasonOf(error)}` };
  }
}

function isSame(proof: StateProof | undefined, told: unknown): boolean {
  return proof !== undefined && isProvedValue(proof, told);
}
