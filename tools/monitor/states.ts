// Whether what a node says that contracts remember is what its chain proves: entries are asked for, then the proof of some of them.

import { equalBytes } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { encodeValue } from "../../src/wire/value.js";
import { valueFromJson } from "../contracts/value-json.js";
import { nodeVerify } from "../crypto/signatures.js";
import { reasonOf } from "../errors.js";
import { decodeStateProof, verifyStateProof } from "../ledger/state-proof.js";
import type { ReceiptSource } from "../sources/source.js";

/** Entries of a contract that are looked at each time. */
const ENTRIES_MAX = 20;

export interface AskedState {
  readonly genesis: Genesis;
  readonly source: ReceiptSource;
  readonly service: number;
  readonly contract: string;
}

/** What is wrong with the state of a contract as the node tells it; undefined where what was looked at is proved. */
export async function stateComplaint(asked: AskedState): Promise<string | undefined> {
  const { source, service, contract } = asked;
  let looked = 0;
  for await (const { key, value } of source.stateEntries({ service, contract, prefix: "" })) {
    const complaint = await entryComplaint(asked, key, value);
    if (complaint !== undefined) return complaint;
    looked += 1;
    if (looked === ENTRIES_MAX) break;
  }
  return undefined;
}

/** A value may change between the two questions: what differs is asked for again before it is called wrong. */
async function entryComplaint(asked: AskedState, key: string, told: unknown): Promise<string | undefined> {
  const first = await provedValue(asked, key);
  if (first.complaint !== undefined || isSame(first.value, told)) return first.complaint;
  for await (const entry of asked.source.stateEntries({ ...asked, prefix: key })) {
    if (entry.key !== key) continue;
    const again = await provedValue(asked, key);
    const hasChanged = JSON.stringify(entry.value) !== JSON.stringify(told);
    if (hasChanged || isSame(again.value, entry.value)) return again.complaint;
    return `it tells another value of ${asked.contract}/${key} than its chain proves`;
  }
  return undefined;
}

type Proved = { readonly value: Uint8Array | undefined; readonly complaint?: string };

async function provedValue({ genesis, source, service, contract }: AskedState, key: string): Promise<Proved> {
  const bytes = await source.stateProof(service, contract, key);
  if (bytes === undefined) return { value: undefined };
  try {
    const proof = decodeStateProof(bytes);
    if (proof.chain !== service || proof.key !== `${contract}/${key}`) {
      return { value: undefined, complaint: `it proves ${proof.key} where ${contract}/${key} was asked for` };
    }
    verifyStateProof(proof, genesis, nodeVerify, await source.lineage(service));
    return { value: proof.value };
  } catch (error) {
    return { value: undefined, complaint: `its proof of ${contract}/${key} proves nothing: ${reasonOf(error)}` };
  }
}

/** A value in JSON against one as a contract has encoded it. */
function isSame(value: Uint8Array | undefined, told: unknown): boolean {
  return value !== undefined && equalBytes(encodeValue(valueFromJson(told, "state")), value);
}
