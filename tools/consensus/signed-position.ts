// What must be on disk before an own signed message leaves: the whole position of this node at its height. Deterministic CBOR.
// After a restart nothing is built or signed anew for a round of the record, so a node never contradicts its earlier self.

import { equalBytes } from "../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { asArray, asBytes, asService, asText, asUint } from "../../src/wire/shape.js";
import {
  BODY_BYTES_MAX,
  heightFrom,
  polkaVotesFromArray,
  polkaVoteToArray,
  roundFrom,
  statementToArray,
  votesFromArray,
  vrBefore,
} from "./messages.js";
import type { ConsensusRecord, Lock, State, Step, ValidValue, Value } from "./state.js";
import type { NodeId, Precommit, Prevote, Proposal, Vote } from "./types.js";
import { keyOf, ROUNDS_KEPT } from "./votes.js";

const FORMAT = "gs1/consensus-record";
const steps: readonly Step[] = ["idle", "propose", "prevote", "precommit"];
/** Bodies in a record: locked, valid, and own proposals of the rounds that are kept. */
const VALUES_MAX = ROUNDS_KEPT + 4;
const recordLimits = { size: (VALUES_MAX + 1) * BODY_BYTES_MAX, items: 65_536 };

/** The record of the state as it is now. */
export function encodeRecord(state: State): Uint8Array {
  const { locked, valid } = state;
  const values = new Map<string, CborValue>();
  const keep = (id: Uint8Array, body: Uint8Array, fresh: boolean) => values.set(keyOf(id), [id, body, fresh]);
  if (locked !== undefined) keep(locked.value.id, locked.value.body, locked.value.fresh);
  if (valid !== undefined) keep(valid.value.id, valid.value.body, valid.value.fresh);
  const proposals = [...state.ownProposals.values()].map((proposal) => {
    const { round, vr, id, body, polka, signature } = proposal;
    keep(id, body, true);
    return [round, vr, id, polka.map(polkaVoteToArray), signature];
  });
  return encodeCbor([
    FORMAT,
    state.config.genesisHash,
    state.config.chain,
    state.height,
    state.round,
    state.step === "decided" ? steps.length - 1 : steps.indexOf(state.step),
    locked === undefined ? null : [locked.round, locked.value.id],
    valid === undefined ? null : [valid.round, valid.value.id, valid.polka.votes.map(polkaVoteToArray)],
    state.roundCertificate.map(statementToArray),
    [...state.ownPrevotes.values(), ...state.ownPrecommits.values()].map(statementToArray),
    proposals,
    [...values.values()],
    state.since,
  ]);
}

/** Reads a record of this node; throws a WireError where it is damaged. */
export function decodeRecord(bytes: Uint8Array, self: NodeId): ConsensusRecord {
  const items = asArray(decodeCbor(bytes, recordLimits), "consensus record", 13);
  const [
    format,
    genesisHash,
    chain,
    heightItem,
    roundItem,
    step,
    locked,
    valid,
    certificate,
    votes,
    proposals,
    values,
    since,
  ] = items;
  if (asText(format, "record format") !== FORMAT) throw new WireError("unsupported", "this is no consensus record");
  const height = heightFrom(heightItem);
  const round = roundFrom(roundItem);
  const bodies = valuesFrom(values);
  const own = votesFromArray(votes, height);
  for (const vote of own) within(vote.node === self && vote.round <= round, "own vote");
  const record = {
    genesisHash: asBytes(genesisHash, "genesis hash", 32),
    chain: asService(chain, "chain"),
    height,
    round,
    step: steps[asUint(step, "step", steps.length - 1)]!,
    locked: locked === null ? undefined : lockFrom(asArray(locked, "locked", 2), round, bodies),
    valid: valid === null ? undefined : validFrom(asArray(valid, "valid", 3), height, round, bodies),
    roundCertificate: votesFromArray(certificate, height),
    prevotes: own.filter((vote: Vote): vote is Prevote => vote.type === "prevote"),
    precommits: own.filter((vote: Vote): vote is Precommit => vote.type === "precommit"),
    proposals: asArray(proposals, "proposals").map((item) => proposalFrom(item, { height, round, self, bodies })),
    values: [...bodies.values()],
    since: heightFrom(since),
  };
  within(record.since <= height, "first remembered height");
  checkStep(record);
  return record;
}

/** A step is past what the node has signed in its round and no further; a lock has its precommit. */
function checkStep({ step, round, locked, valid, prevotes, precommits }: ConsensusRecord): void {
  const prevoted = prevotes.some((vote) => vote.round === round);
  const precommitted = precommits.some((vote) => vote.round === round);
  within(prevoted === (step === "prevote" || step === "precommit"), "own prevote");
  within(precommitted === (step === "precommit"), "own precommit");
  within(locked === undefined || precommits.some((vote) => vote.round === locked.round), "lock");
  within(locked === undefined || (valid !== undefined && valid.round >= locked.round), "valid value");
  within(valid === undefined || valid.round < round || step === "precommit", "valid round");
}

function valuesFrom(value: CborValue | undefined): Map<string, Value> {
  const items = asArray(value, "values");
  within(items.length <= VALUES_MAX, "number of values");
  const bodies = new Map<string, Value>();
  for (const item of items) {
    const [id, body, fresh] = asArray(item, "value", 3);
    within(typeof fresh === "boolean", "freshness of a value");
    const read = { id: asBytes(id, "id", 32), body: asBytes(body, "body"), fresh: fresh === true };
    bodies.set(keyOf(read.id), read);
  }
  return bodies;
}

function lockFrom(items: readonly CborValue[], round: number, bodies: ReadonlyMap<string, Value>): Lock {
  const lock = { round: roundFrom(items[0]), value: namedValue(items[1], bodies) };
  within(lock.round <= round, "locked round");
  return lock;
}

function validFrom(
  items: readonly CborValue[],
  height: number,
  round: number,
  bodies: ReadonlyMap<string, Value>,
): ValidValue {
  const lock = lockFrom(items, round, bodies);
  const votes = polkaVotesFromArray(items[2], height, lock.round, lock.value.id);
  return { ...lock, polka: { type: "polka", height, round: lock.round, id: lock.value.id, votes } };
}

function proposalFrom(
  value: CborValue,
  place: { height: number; round: number; self: NodeId; bodies: ReadonlyMap<string, Value> },
): Proposal {
  const [roundItem, vrItem, id, polka, signature] = asArray(value, "own proposal", 5);
  const round = roundFrom(roundItem);
  within(round <= place.round, "own proposal");
  const vr = vrBefore(vrItem, round);
  const named = namedValue(id, place.bodies);
  const { height, self: node } = place;
  const votes = polkaVotesFromArray(polka, height, vr, named.id);
  return {
    type: "proposal",
    height,
    round,
    vr,
    id: named.id,
    body: named.body,
    polka: votes,
    node,
    signature: asBytes(signature, "signature", 64),
  };
}

function namedValue(item: CborValue | undefined, bodies: ReadonlyMap<string, Value>): Value {
  const id = asBytes(item, "id", 32);
  const value = bodies.get(keyOf(id));
  if (value === undefined) throw new WireError("shape", "the record names a value whose body it does not hold");
  return value;
}

function within(holds: boolean, what: string): void {
  if (!holds) throw new WireError("shape", `consensus record: ${what} does not fit the rest`);
}

/** Whether the record is of this chain of this network. */
export function isRecordOf(record: ConsensusRecord, genesisHash: Uint8Array, chain: number): boolean {
  return record.chain === chain && equalBytes(record.genesisHash, genesisHash);
}
