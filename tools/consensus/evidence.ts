// Equivocation: two genuine statements of one signer for one height, round and type that differ. Reported and passed on once.

import { equalBytes } from "../../src/wire/bytes.js";
import type { Outcome } from "./drops.js";
import { signedBytes } from "./messages.js";
import { type State, send, verifyStatement } from "./state.js";
import type { Evidence, Statement } from "./types.js";

/** Evidence of heights this far back is still taken from peers. */
const HEIGHTS_BACK = 16;
/** Reports that are remembered, so that each is counted once; the shell keeps what was reported. */
const REPORTED_MAX = 4_096;

/** Reports what this node saw itself: two verified statements that differ. */
export function reportEvidence(state: State, first: Statement, second: Statement): void {
  const evidence: Evidence = { type: "evidence", first, second };
  if (report(state, evidence)) send(state, "all", evidence);
}

/** Whether an equivocation of this signer, height, round and type is reported: what else it says there is not looked at. */
export function isReported(state: State, statement: Statement): boolean {
  return state.peers.reported.has(keyOfEvidence(statement));
}

/** Checks and reports what a peer passed on. */
export function receiveEvidence(state: State, evidence: Evidence): Outcome {
  const { first, second } = evidence;
  const { genesisHash, chain } = state.config;
  if (first.height > state.height) return "consensus-height-ahead";
  if (first.height < state.height - HEIGHTS_BACK) return "consensus-height-sealed";
  if (isReported(state, first)) return "consensus-repeated";
  if (!isEquivocation(genesisHash, chain, evidence)) return "consensus-no-equivocation";
  if (!verifyStatement(state, first) || !verifyStatement(state, second)) return "consensus-unproven";
  report(state, evidence);
  return "taken";
}

/** Whether both statements are one node's for one height, round and type, and say different things; signatures are not checked. */
export function isEquivocation(genesisHash: Uint8Array, chain: number, { first, second }: Evidence): boolean {
  return (
    keyOfEvidence(first) === keyOfEvidence(second) &&
    !equalBytes(signedBytes(genesisHash, chain, first), signedBytes(genesisHash, chain, second))
  );
}

function report(state: State, evidence: Evidence): boolean {
  const { reported } = state.peers;
  const key = keyOfEvidence(evidence.first);
  if (reported.has(key)) return false;
  reported.add(key);
  if (reported.size > REPORTED_MAX) reported.delete(reported.values().next().value!);
  state.behindRecord.push({ type: "evidence", evidence });
  return true;
}

function keyOfEvidence({ node, height, round, type }: Statement): string {
  return `${node}/${height}/${round}/${type}`;
}
