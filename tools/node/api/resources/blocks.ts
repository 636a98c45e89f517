// GET /chains/<service>/blocks, a range of blocks, which may be long, and GET /chains/<service>/blocks/<height>, one of them.

import { BLOCKS_PER_ANSWER_MAX, block, blocks } from "../../../routes/blocks.js";
import { blocks as blockTable, outlines } from "../../chain/tables/blocks.js";
import { blockKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";
import { type Refused, type Route, refused, route } from "../route.js";

const BYTES_PER_ANSWER_MAX = 4_194_304;

export function blocksRoute(store: Store): Route {
  return route(blocks, ({ parameters: { service }, query: { from, limit } }) => {
    if (store.get(outlines, blockKey(service, from)) !== undefined) return refusedPruned(service, from);
    return { type: "long", items: blocksFrom(store, service, { from, limit }) };
  });
}

export function blockRoute(store: Store): Route {
  return route(block, ({ parameters: { service, height } }) => {
    const bytes = store.get(blockTable, blockKey(service, height));
    if (bytes !== undefined) return { type: "long", items: [bytes].values(), length: bytes.length };
    if (store.get(outlines, blockKey(service, height)) !== undefined) return refusedPruned(service, height);
    return refused("unknown-block", `This node has no block ${height} of chain ${service}.`);
  });
}

function* blocksFrom(
  store: Store,
  service: number,
  { from, limit }: { readonly from: number; readonly limit: number },
): Generator<Uint8Array, void> {
  const end = from + Math.min(limit, BLOCKS_PER_ANSWER_MAX);
  let bytes = 0;
  for (let height = from; height < end; height += 1) {
    const next = store.get(blockTable, blockKey(service, height));
    if (next === undefined || bytes > BYTES_PER_ANSWER_MAX) return;
    bytes += next.length;
    yield next;
  }
}

function refusedPruned(service: number, height: number): Refused {
  return refused("pruned", `This node has let go of the records of block ${height} of chain ${service}.`);
}
