// Whether what a node says that contracts remember is what its chain proves: an entry against the proof of its key.

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

/**
 * What is wrong with an entry of a contract as the node has told it; undefined where it is proved. A value may change between the two
 * questions: what differs is asked for again before it is called wrong.
 */
export async function entryComplaint(asked: AskedState, key: string, told: unknown): Promise<string | undefined> {
  const first = await provedValue(asked, key);
  if (first.complaint !== undefined || isSame(first.proof, told)) return first.complaint;
  for await (const entry of asked.source.stateEntries({ ...asked, prefix: key })) {
    if (entry.key !== key) continue;
    const again = await provedValue(asked, key);
    const hasChanged = JSON.stringify(entry.value) !== JSON.stringify(told);
    if (hasChanged || isSame(again.proof, entry.value)) return again.complaint;
    return `it tells another value of ${asked.contract}/${key} than its chain proves`;
  }
  return undefined;
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
