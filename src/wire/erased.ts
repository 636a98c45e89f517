// A node's word that it keeps nothing any more of what a meter confided on some days (PROTOCOL.md, section 31).

import { COUNTER_MAX, TIME_S_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { DAY_MAX } from "./envelope.js";
import { WireError } from "./error.js";
import type { PublicKey, Signer, Verify } from "./key.js";
import { asArray, asBytes, asService, asText, asUint } from "./shape.js";

/** The ID of who has erased, a hyphen, the number of the operation. */
export const ERASURE_NAME_MAX = 32;
const erasedLimits = { size: 256, items: 16 };

export interface Erased {
  /** id of the node that says so */
  readonly node: Uint8Array;
  readonly chain: number;
  readonly meter: Uint8Array;
  /** UTC days since 1970: the first, and the one behind the last */
  readonly from: number;
  readonly until: number;
  /** name of the erasure: who has signed its operation, and the number of that */
  readonly erasure: string;
  /** how many envelopes with shares, and sealed disclosures of records, it has destroyed */
  readonly envelopes: number;
  readonly disclosures: number;
  readonly time_s: number;
}

function itemsOf({ node, chain, meter, from, until, erasure, ...rest }: Erased): CborValue[] {
  return [node, chain, meter, from, until, erasure, rest.envelopes, rest.disclosures, rest.time_s];
}

function erasedBytes(genesisHash: Uint8Array, erased: Erased): Uint8Array {
  return encodeCbor(["gs1/erased", genesisHash, ...itemsOf(erased)]);
}

export function signErased(genesisHash: Uint8Array, erased: Erased, signer: Signer): Uint8Array {
  return encodeCbor([...itemsOf(erased), signer.sign(erasedBytes(genesisHash, erased))]);
}

/** What a statement says, whoever has signed it. Throws a WireError. */
export function decodeErased(bytes: Uint8Array): Erased {
  return statementIn(bytes).erased;
}

/** The statement, where its node has signed it. Throws a WireError. */
export function verifyErased(
  genesisHash: Uint8Array,
  bytes: Uint8Array,
  keyOf: (node: Uint8Array) => PublicKey | undefined,
  verify: Verify,
): Erased {
  const { erased, signature } = statementIn(bytes);
  const key = keyOf(erased.node);
  if (key === undefined) throw new WireError("untimely", "statement of an erasure is of no node that is known here");
  if (!verify(key, erasedBytes(genesisHash, erased), signature)) {
    throw new WireError("unproven", "statement of an erasure is not signed by its node");
  }
  return erased;
}

function statementIn(bytes: Uint8Array): { readonly erased: Erased; readonly signature: Uint8Array } {
  const items = asArray(decodeCbor(bytes, erasedLimits), "statement of an erasure", 10);
  const [node, chain, meter, from, until, erasure, envelopes, disclosures, time, signature] = items;
  const erased: Erased = {
    node: asBytes(node, "erasure's node", 8),
    chain: asService(chain, "erasure's chain"),
    meter: asBytes(meter, "erasure's meter", 8),
    from: asUint(from, "erasure's first day", DAY_MAX),
    until: asUint(until, "erasure's end", DAY_MAX + 1),
    erasure: asText(erasure, "erasure's name", ERASURE_NAME_MAX),
    envelopes: asUint(envelopes, "erasure's envelopes", COUNTER_MAX),
    disclosures: asUint(disclosures, "erasure's disclosures", COUNTER_MAX),
    time_s: asUint(time, "erasure's time", TIME_S_MAX),
  };
  if (erased.until <= erased.from) {
    throw new WireError(
      "shape",
      `erasure ends with day ${erased.until}, which is not behind its first, ${erased.from}`,
    );
  }
  return { erased, signature: asBytes(signature, "erasure's signature", 64) };
}
