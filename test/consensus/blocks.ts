// Blocks of the simulation: a list of items behind the hash of the block before, named by the SHA-256 of their body.

import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { sha256 } from "../../src/wire/hash.js";
import { asArray } from "../../src/wire/shape.js";

export interface Block {
  readonly height: number;
  readonly id: Uint8Array;
  readonly body: Uint8Array;
  /** id of the block before, as hex; empty at height 1 */
  readonly previous: string;
  readonly time_ms: number;
  readonly items: readonly string[];
}

export function makeBlock(previous: Block | undefined, time_ms: number, items: readonly string[]): Block {
  const height = (previous?.height ?? 0) + 1;
  const link = previous === undefined ? "" : toHex(previous.id);
  const body = encodeCbor([height, link, time_ms, items]);
  return { height, id: sha256(body), body, previous: link, time_ms, items };
}

/** The block of a body; undefined where the body is not that of the id. */
export function readBlock(id: Uint8Array, body: Uint8Array): Block | undefined {
  if (!equalBytes(sha256(body), id)) return undefined;
  const [height, previous, time_ms, items] = asArray(decodeCbor(body), "block", 4);
  return {
    height: height as number,
    id,
    body,
    previous: previous as string,
    time_ms: time_ms as number,
    items: items as string[],
  };
}
