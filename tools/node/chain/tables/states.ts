// Tables `meters`, `origins` and `faults`: the state of meters and nodes that follows from a chain, as its rules ask for it.

import { HEIGHT_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import { asArray, asUint } from "../../../../src/wire/shape.js";
import {
  decodeMeterState,
  decodeOriginState,
  encodeMeterState,
  encodeOriginState,
  type MeterState,
  type OriginState,
} from "../../../ledger/state.js";
import { type IdKey, idIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

/** Kept decoded: each record asks for the state of its meter several times. */
export const meters: Table<IdKey, MeterState> = {
  name: "meters",
  describe: (key) => `state of meter ${toHex(idIn(key))}`,
  encode: encodeMeterState,
  decode: decodeMeterState,
  checksum: sha256Checksum,
  kept: {
    rows_max: 16_384,
    // The hash is a view of what came with a whole temporary block, which nothing that is kept may hold.
    copy: (state) => ({ ...state, head: Uint8Array.from(state.head) }),
  },
};

export const origins: Table<IdKey, OriginState> = {
  name: "origins",
  describe: (key) => `state of node ${toHex(idIn(key))}`,
  encode: encodeOriginState,
  decode: decodeOriginState,
  checksum: sha256Checksum,
};

/** Heights at which a node is recorded to have equivocated, and 0 where its word on a temporary block was false. */
export const faults: Table<IdKey, readonly number[]> = {
  name: "faults",
  describe: (key) => `faults of node ${toHex(idIn(key))}`,
  encode: (heights) => encodeCbor(heights),
  decode: (content) =>
    asArray(decodeCbor(content), "faults").map((height) => asUint(height, "fault height", HEIGHT_MAX)),
  checksum: sha256Checksum,
};
