// Blocks, what led to a chain's members, and sealed orders: answers that may be long.

import type { FastifyInstance, FastifyReply } from "fastify";
import { HEIGHT_MAX, ORDER_NUMBER_MAX, PLAIN_MAX, SERVICE_MAX } from "../../../src/wire/bounds.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { ordersFrom } from "../chain/sealed-orders.js";
import { blocks, outlines } from "../chain/tables/blocks.js";
import { lineageOf } from "../chain/tables/lineage.js";
import { blockKey } from "../store/keys.js";
import type { Store } from "../store/store.js";
import { number, refuse, sendItems, sendWhole } from "./answering.js";
import type { Answers } from "./answers.js";

const BLOCKS_PER_ANSWER_MAX = 1_000;
const BYTES_PER_ANSWER_MAX = 4_194_304;
const ORDERS_PER_ANSWER_MAX = 100;
/** Orders that are read at a time. */
const ORDERS_AT_ONCE = 10;

export function addBlocks(server: FastifyInstance, store: Store, answers: Answers): void {
  server.get<{ Params: { service: string }; Querystring: { from?: string; limit?: string } }>(
    "/chains/:service/blocks",
    async (request, reply) => {
      const service = number(request.params.service, SERVICE_MAX);
      const from = number(request.query.from ?? "1", HEIGHT_MAX);
      const limit = number(request.query.limit ?? "100", PLAIN_MAX);
      if (service === undefined || from === undefined || limit === undefined || from === 0) {
        return refuse(reply, 400, "malformed", "service, from and limit are decimal numbers, from is at least 1");
      }
      if (store.get(outlines, blockKey(service, from)) !== undefined) return refusePruned(reply);
      return sendItems(answers, reply, blocksFrom(store, service, { from, limit }));
    },
  );
  server.get<{ Params: { service: string } }>("/chains/:service/lineage", async (request, reply) => {
    const service = number(request.params.service, SERVICE_MAX);
    if (service === undefined) return refuse(reply, 400, "malformed", "service is a decimal number");
    return sendItems(answers, reply, [Buffer.concat(lineageOf(store, service))].values());
  });
  server.get<{ Params: { service: string; height: string } }>(
    "/chains/:service/blocks/:height",
    async (request, reply) => {
      const service = number(request.params.service, SERVICE_MAX);
      const height = number(request.params.height, HEIGHT_MAX);
      const isKnown = service !== undefined && height !== undefined;
      const block = isKnown ? store.get(blocks, blockKey(service, height)) : undefined;
      if (isKnown && block === undefined && store.get(outlines, blockKey(service, height)) !== undefined)
        return refusePruned(reply);
      if (block === undefined) return refuse(reply, 404, "unknown-block", "No such block is on this node.");
      return sendWhole(answers, reply, block);
    },
  );
}

/** Sealed orders as a CBOR sequence of [contracts height, order]. */
export function addSealedOrders(server: FastifyInstance, store: Store, answers: Answers): void {
  server.get<{ Querystring: { from?: string } }>("/orders", async (request, reply) => {
    const from = number(request.query.from ?? "1", ORDER_NUMBER_MAX);
    if (from === undefined || from === 0) {
      return refuse(reply, 400, "malformed", "from is a decimal number, at least 1");
    }
    return sendItems(answers, reply, sealedOrders(store, from));
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
    const block = store.get(blocks, blockKey(service, height));
    if (block === undefined || bytes > BYTES_PER_ANSWER_MAX) return;
    bytes += block.length;
    yield block;
  }
}

function* sealedOrders(store: Store, first: number): Generator<Uint8Array, void> {
  for (let from = first; from < first + ORDERS_PER_ANSWER_MAX; from += ORDERS_AT_ONCE) {
    const rows = ordersFrom(store, from, ORDERS_AT_ONCE);
    for (const { contractsHeight, bytes } of rows) yield encodeCbor([contractsHeight, bytes]);
    if (rows.length < ORDERS_AT_ONCE) return;
  }
}

function refusePruned(reply: FastifyReply): FastifyReply {
  return refuse(reply, 410, "pruned", "This node has let go of the block's records: ask another one.");
}
