// The items of an answer that is a CBOR sequence (RFC 8742): blocks, rows or statements.

import { WireError } from "../../src/wire/error.js";
import { GridsealError } from "../errors.js";
import { type Answer, chunksOf } from "./client.js";
import { splitSequence } from "./sequence.js";

/** Throws CHAIN_INVALID where the answer is no sequence of items, or is cut off. */
export async function* itemsOf(base: string, answer: Answer): AsyncGenerator<Uint8Array> {
  try {
    yield* splitSequence(chunksOf(answer));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new GridsealError("CHAIN_INVALID", `${base} answers with something that is no chain: ${error.message}`, {
      cause: error,
    });
  }
}
