// What a node says it has erased of a meter, over its API. Its signature is checked by who asks.

import type { TokenFor } from "../files/holder-folder.js";
import { erased } from "../routes/erasures.js";
import { askAnswer, baseOf } from "./client.js";
import { itemsOf } from "./items.js";

/** Signed statements of the node. Rejects with NODE_UNREACHABLE or NOT_ADMITTED, and with CHAIN_INVALID where it is no sequence of items. */
export async function* erasedBy(
  url: string,
  parameters: { readonly service: number; readonly meter: string },
  tokenFor?: TokenFor,
): AsyncGenerator<Uint8Array, void> {
  const base = baseOf(url);
  yield* itemsOf(base, await askAnswer(base, erased, { parameters, token: tokenFor?.(base) }));
}
