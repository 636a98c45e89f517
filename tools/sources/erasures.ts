// What a node says it has erased of a meter, over its API. Its signature is checked by who asks.

import type { TokenFor } from "../files/holder-folder.js";
import { erased } from "../routes/erasures.js";
import { askAnswer, baseOf, chunksOf } from "./client.js";
import { splitSequence } from "./sequence.js";

/** Signed statements of the node. Rejects with NODE_UNREACHABLE or NOT_ADMITTED. */
export async function* erasedBy(
  url: string,
  parameters: { readonly service: number; readonly meter: string },
  tokenFor?: TokenFor,
): AsyncGenerator<Uint8Array, void> {
  const base = baseOf(url);
  yield* splitSequence(chunksOf(await askAnswer(base, erased, { parameters, token: tokenFor?.(base) })));
}
