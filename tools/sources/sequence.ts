// A CBOR sequence (RFC 8742) of blocks, as `chain export` writes it and a node's API answers, cut into its items as it arrives.

import { BLOCK_BYTES_MAX } from "../../src/wire/block.js";
import { concatBytes } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { guardCborPrefix } from "../../src/wire/guard.js";
import { Incomplete } from "./incomplete.js";

const limits = { size: BLOCK_BYTES_MAX, items: 4_096 };
const FIRST_LOOK_BYTES = 4_096;

/** The items of the sequence; what is held at a time is one item and one chunk. Throws a WireError where bytes are no item, Incomplete where the last is cut off. */
export async function* splitSequence(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let wanted = FIRST_LOOK_BYTES;
  for await (const chunk of chunks) {
    parts.push(chunk);
    held += chunk.length;
    if (held < wanted) continue;
    let rest = concatBytes(...parts);
    for (let length = itemLength(rest); length !== undefined; length = itemLength(rest)) {
      yield rest.slice(0, length);
      rest = rest.subarray(length);
    }
    parts = [rest];
    held = rest.length;
    // Looked at again when it has doubled, so that an item is scanned a few times and not once a chunk.
    wanted = Math.max(FIRST_LOOK_BYTES, 2 * held);
  }
  let rest = concatBytes(...parts);
  while (rest.length > 0) {
    const length = itemLength(rest);
    if (length === undefined)
      throw new Incomplete("end", `the last ${rest.length} bytes are no whole block: it is cut off`);
    yield rest.slice(0, length);
    rest = rest.subarray(length);
  }
}

/** Length of the item at the start; undefined where more bytes may complete it. */
function itemLength(bytes: Uint8Array): number | undefined {
  if (bytes.length === 0) return undefined;
  try {
    return guardCborPrefix(bytes, limits);
  } catch (error) {
    if (error instanceof WireError && error.code === "limit" && bytes.length < limits.size) return undefined;
    throw error;
  }
}
