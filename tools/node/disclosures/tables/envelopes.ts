// Table `envelopes`: who keeps which share of a day key, as its original node has signed it, with the sealed shares that this node has:
// its own, or all of them where the envelope is its own.

import { toHex } from "../../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../../src/wire/cbor.js";
import {
  ENVELOPE_BYTES_MAX,
  type SealedShare,
  sealedShareFrom,
  sealedShareToItems,
} from "../../../../src/wire/envelope.js";
import { asArray, asBytes } from "../../../../src/wire/shape.js";
import { chainIn, type HashKey, idIn, numberIn } from "../../store/keys.js";
import { sha256Checksum, type Table } from "../../store/table.js";

export interface KeptShare {
  /** id of the custodian */
  readonly node: Uint8Array;
  readonly sealed: SealedShare;
}

/** An envelope, or a division of a share of one. */
export interface KeptEnvelope {
  /** as it was signed */
  readonly bytes: Uint8Array;
  readonly shares: readonly KeptShare[];
}

/** Members are at most 128, and a sealed share has 81 bytes. */
const rowLimits = { size: ENVELOPE_BYTES_MAX + 20_000, items: 1_024 };

export function encodeKept({ bytes, shares }: KeptEnvelope): Uint8Array {
  return encodeCbor([bytes, shares.map(({ node, sealed }) => [node, sealedShareToItems(sealed)])]);
}

/** Throws a WireError. */
export function decodeKept(content: Uint8Array): KeptEnvelope {
  const [bytes, shares] = asArray(decodeCbor(content, rowLimits), "kept envelope", 2);
  return {
    bytes: asBytes(bytes, "kept envelope"),
    shares: asArray(shares, "kept shares").map((item) => {
      const [node, sealed] = asArray(item, "kept share", 2);
      return { node: asBytes(node, "kept share's custodian", 8), sealed: sealedShareFrom(sealed, "kept share") };
    }),
  };
}

/** By meter, day and the envelope's id. Of an envelope whose key was divided before this node was a custodian it has no share. */
export const envelopes: Table<HashKey, KeptEnvelope> = {
  name: "envelopes",
  describe: (key) => `an envelope of day ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: encodeKept,
  decode: decodeKept,
  checksum: sha256Checksum,
  isTakenOver: true,
};
