// Signed messages of one network that begin with their name and the hash of its genesis: [name, genesis hash, ...].

import { equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor } from "./cbor.js";
import type { Sign1 } from "./cose.js";
import { WireError } from "./error.js";
import { asArray, asBytes } from "./shape.js";

export interface NamedTerms {
  readonly genesisHash: Uint8Array;
  /** items of the message, its name among them */
  readonly length: number;
}

/** The items of a message of this name for this network. Throws a WireError for another. */
export function namedItems(message: Sign1, name: string, { genesisHash, length }: NamedTerms): readonly CborValue[] {
  if (message.unprotected.size !== 0) throw new WireError("shape", `${name} has an unprotected header`);
  const items = asArray(decodeCbor(message.payload), name, length);
  if (items[0] !== name) throw new WireError("shape", `this is not what ${name} begins with`);
  if (!equalBytes(asBytes(items[1], `genesis hash of ${name}`, 32), genesisHash)) {
    throw new WireError("unproven", `${name} is for another network`);
  }
  return items;
}
