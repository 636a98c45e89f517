// What a contract remembers, as the node tells it, and each value held against the proof of its key.

import { WireError } from "../../../src/wire/error.js";
import { STATE_PROOF_BYTES_MAX } from "../../../src/wire/receipt.js";
import { type AskedProof, isProvedValue, provedBy } from "../../contracts/told-state.js";
import { reasonOf } from "../../errors.js";
import { type StateAnswer, stateProof, state as stateShape } from "../../routes/state.js";
import { text } from "../texts.js";
import type { FindingState } from "../verification/finding.js";
import { browserVerify } from "../verification/signatures.js";
import { askBytes, askValue } from "./ask.js";
import type { Network } from "./network.js";

export interface AskedState {
  readonly network: Network;
  readonly service: number;
  readonly contract: string;
  readonly prefix: string;
}

export type Entry = StateAnswer["entries"][number];

/** Some entries behind a key, in the order of the keys. */
export function tellEntries(
  { service, contract, prefix }: AskedState,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<StateAnswer> {
  const query = { prefix, limit, ...(after !== undefined && { after }) };
  return askValue(stateShape, { parameters: { service, contract }, query });
}

export interface Proved {
  readonly state: FindingState;
  readonly reason?: string;
  /** as it is now, where it has changed since it was told */
  readonly value?: unknown;
}

/** Behind all proofs that were asked for before; `open` where nobody wants it any more. */
export function proveEntry(told: Entry, of: AskedState, isWanted: () => boolean): Promise<Proved> {
  return inTurn(() => (isWanted() ? prove(told, of) : Promise.resolve<Proved>({ state: "open" })));
}

/** One proof at a time: each costs the node as much as four plain questions. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}

/** A value may change between two questions: what differs is asked for again before it is called wrong. */
async function prove(told: Entry, of: AskedState): Promise<Proved> {
  try {
    if (isProvedValue(await proofOf(told.key, of), told.value)) return { state: "verified" };
    const { entries } = await tellEntries({ ...of, prefix: told.key }, { limit: 1 });
    const again = entries.find(({ key }) => key === told.key);
    const proof = await proofOf(told.key, of);
    if (isProvedValue(proof, again?.value)) return { state: "verified", value: again?.value ?? null };
    return { state: "wrong", reason: text("state.wrong") };
  } catch (error) {
    return { state: error instanceof WireError ? "wrong" : "open", reason: reasonOf(error) };
  }
}

/** The proof of a key. Rejects with a WireError where it proves nothing. */
export async function proofOf(key: string, { network, service, contract }: AskedState) {
  const bytes = await askBytes(stateProof, { parameters: { service, contract }, query: { key } });
  if (bytes.length > STATE_PROOF_BYTES_MAX) throw new WireError("limit", "the proof is longer than any");
  const lineage = await network.lineage(service);
  const asked: AskedProof = { genesis: network.genesis, verify: browserVerify, lineage, service, contract, key };
  return provedBy(bytes, asked);
}
