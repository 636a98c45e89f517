// A proposal's body: the header and what a voter needs to compose the same block: time, anchors with their certificates, the contracts
// height it is judged at, the calls for each kind of entry, and the temporary blocks by name with their acknowledgements. The records
// are with the voters already.

import { type Acknowledgement, acknowledgementsFromArray, acknowledgementsToArray } from "../../src/wire/batch.js";
import { type Anchor, readAnchor } from "../../src/wire/block.js";
import { BATCH_NUMBER_MAX, BLOCK_BATCHES_MAX, CHAINS_MAX, HEIGHT_MAX, TIME_MS_MAX } from "../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { type Certificate, certificateFromArray, certificateToArray } from "../../src/wire/certificate.js";
import { WireError } from "../../src/wire/error.js";
import { HEADER_BYTES } from "../../src/wire/header.js";
import { asArray, asBytes, asList, asUint } from "../../src/wire/shape.js";
import { KIND_CALLS_MAX } from "./run-plan.js";

/** An anchor as a proposal has it; the block keeps no certificate of it. */
export interface ProvedAnchor extends Anchor {
  readonly certificate: Certificate;
}

export interface BatchReference {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly id: Uint8Array;
  readonly acknowledgements: readonly Acknowledgement[];
}

export interface ProposalBody {
  readonly header: Uint8Array;
  readonly time_ms: number;
  readonly anchors: readonly ProvedAnchor[];
  readonly judgedAt: number;
  /** contracts are called for so many entries of each kind at most */
  readonly calls: number;
  readonly batches: readonly BatchReference[];
}

export function encodeProposalBody(body: ProposalBody): Uint8Array {
  return encodeCbor([
    body.header,
    body.time_ms,
    body.anchors.map(({ chain, height, headerHash, certificate }) => [
      chain,
      height,
      headerHash,
      certificateToArray(certificate),
    ]),
    body.judgedAt,
    body.calls,
    body.batches.map(({ origin, number, id, acknowledgements }) => [
      origin,
      number,
      id,
      acknowledgementsToArray(acknowledgements),
    ]),
  ]);
}

export function decodeProposalBody(bytes: Uint8Array): ProposalBody {
  const [header, time, anchors, judgedAt, calls, batches] = asArray(
    decodeCbor(bytes, { size: 1_048_576, items: 32_768 }),
    "proposal",
    6,
  );
  const references = asArray(batches, "proposal batches");
  if (references.length === 0 || references.length > BLOCK_BATCHES_MAX) {
    throw new WireError("limit", `proposal must name 1 to ${BLOCK_BATCHES_MAX} batches, not ${references.length}`);
  }
  return {
    header: asBytes(header, "proposal header", HEADER_BYTES),
    time_ms: asUint(time, "proposal time", TIME_MS_MAX),
    anchors: asList(anchors, "proposal anchors", CHAINS_MAX).map(readProvedAnchor),
    judgedAt: asUint(judgedAt, "proposal contracts height", HEIGHT_MAX),
    calls: asCalls(calls),
    batches: references.map((reference) => {
      const [origin, number, id, acknowledgements] = asArray(reference, "proposal batch", 4);
      return {
        origin: asBytes(origin, "proposal batch origin", 8),
        number: asUint(number, "proposal batch number", BATCH_NUMBER_MAX),
        id: asBytes(id, "proposal batch id", 32),
        acknowledgements: acknowledgementsFromArray(acknowledgements, "proposal"),
      };
    }),
  };
}

function asCalls(value: CborValue | undefined): number {
  const calls = asUint(value, "proposal calls", KIND_CALLS_MAX);
  if (calls === 0)
    throw new WireError("limit", "proposal must have contracts called for an entry at least, not for none");
  return calls;
}

function readProvedAnchor(value: CborValue): ProvedAnchor {
  const parts = asArray(value, "proposal anchor", 4);
  return { ...readAnchor(parts.slice(0, 3)), certificate: certificateFromArray(parts[3]) };
}
