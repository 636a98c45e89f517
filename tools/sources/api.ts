// A node's HTTP API as a source of chains and receipts. What it answers is taken for what it says, not for true: audits and receipts
// are checked by whoever reads them.

import { BLOCK_BYTES_MAX } from "../../src/wire/block.js";
import { compareBytes, fromHex, toHex } from "../../src/wire/bytes.js";
import { decodeCbor } from "../../src/wire/cbor.js";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../src/wire/contract-order.js";
import { WireError } from "../../src/wire/error.js";
import { GENESIS_BYTES_MAX } from "../../src/wire/genesis.js";
import { LINEAGE_BYTES_MAX, splitLineage } from "../../src/wire/lineage.js";
import { RECEIPT_BYTES_MAX, STATE_PROOF_BYTES_MAX } from "../../src/wire/receipt.js";
import { asArray, asBytes, asHeight } from "../../src/wire/shape.js";
import { decodeSlotRows } from "../../src/wire/slot.js";
import { GridsealError, reasonOf } from "../errors.js";
import { checkGenesis } from "../files/genesis-file.js";
import type { TokenFor } from "../files/holder-folder.js";
import type { SealedOrder } from "../ledger/governance.js";
import { BLOCKS_PER_ANSWER_MAX, block, blocks } from "../routes/blocks.js";
import { chains } from "../routes/chains.js";
import { genesis } from "../routes/genesis.js";
import { decodeHolderRow, HOLDERS_PER_ANSWER_MAX, holders } from "../routes/holders.js";
import { lineage } from "../routes/lineage.js";
import { orders, submitOrder } from "../routes/orders.js";
import { receipt } from "../routes/receipts.js";
import { decodeRecordRow } from "../routes/record-rows.js";
import { RECORDS_PER_ANSWER_MAX, sealedRecords, submitRecord } from "../routes/records.js";
import type { ValueOf } from "../routes/shape.js";
import { SLOT_ROWS_BYTES_MAX, slot } from "../routes/slots.js";
import { state, stateProof } from "../routes/state.js";
import { violation, violations } from "../routes/violations.js";
import { type Answer, answerIn, ask, askAnswer, askValue, baseOf, bytesOf, valueIn } from "./client.js";
import { itemsOf } from "./items.js";
import type { ReceiptSource } from "./source.js";

/** Throws USAGE where the URL is none; what is asked later throws NODE_UNREACHABLE where the node does not answer as it should. */
export function openApiSource(url: string, tokenFor?: TokenFor): ReceiptSource {
  const base = baseOf(url);
  const token = () => tokenFor?.(base);

  return {
    origin: base,
    async genesis() {
      const bytes = await bytesOf(await askAnswer(base, genesis, { parameters: {} }), GENESIS_BYTES_MAX);
      return checkGenesis(bytes, base + genesis.path);
    },
    async *holders(service) {
      for (let next: Uint8Array | undefined = new Uint8Array(ID_BYTES); next !== undefined; ) {
        const query = { from: toHex(next), limit: HOLDERS_PER_ANSWER_MAX };
        const answer = await askAnswer(base, holders, { parameters: { service }, query, token: token() });
        let last: Uint8Array | undefined;
        for await (const row of itemsOf(base, answer)) {
          const holder = rowIn(base, row, decodeHolderRow);
          if (compareBytes(holder.kid, last ?? next) < (last === undefined ? 0 : 1)) {
            throw stuck(base, `${toHex(holder.kid)} behind ${toHex(last ?? next)}`);
          }
          last = holder.kid;
          yield holder;
        }
        next = last && idBehind(last);
      }
    },
    chains: () => askValue(base, chains, { parameters: {} }),
    blocks: (service, first) =>
      pages(base, first, (from) =>
        askAnswer(base, blocks, {
          parameters: { service },
          query: { from, limit: BLOCKS_PER_ANSWER_MAX },
          token: token(),
        }),
      ),
    async block(service, height) {
      const asked = await ask(base, block, { parameters: { service, height }, token: token() });
      if (asked.type === "refused" && asked.code === "unknown-block") return undefined;
      return bytesOf(answerIn(base, asked), BLOCK_BYTES_MAX);
    },
    hasIndex: true,
    async *records(service, signer, first) {
      // The first by itself: who looks for a record by its time wants no more. Who wants a day's wants some of them.
      for (let from = first, limit = 1; ; limit = Math.min(RECORDS_PER_ANSWER_MAX, limit * RECORDS_GROWTH)) {
        const question = { parameters: { service, meter: toHex(signer) }, query: { from, limit }, token: token() };
        const before = from;
        for await (const row of itemsOf(base, await askAnswer(base, sealedRecords, question))) {
          const found = rowIn(base, row, decodeRecordRow);
          if (found.seq < from) throw stuck(base, `record ${found.seq} behind ${from - 1}`);
          yield found;
          from = found.seq + 1;
        }
        if (from === before) return;
      }
    },
    async *orders() {
      const rows = pages(base, 1, (from) => askAnswer(base, orders, { parameters: {}, query: { from } }));
      for await (const row of rows) yield storedOrder(base, row);
    },
    async receipt(service, meter, seq) {
      const asked = await ask(base, receipt, { parameters: { service, meter: toHex(meter), seq } });
      if (asked.type === "answered") return bytesOf(asked.answer, RECEIPT_BYTES_MAX);
      const name = `record ${seq} of meter ${toHex(meter)}`;
      const isWaiting = asked.code === "waiting";
      throw new GridsealError(
        "RECORD_UNKNOWN",
        isWaiting ? `${name} waits and is not sealed yet` : `${base} does not know ${name}`,
      );
    },
    async slot(service, start) {
      const asked = await ask(base, slot, { parameters: { service, start }, token: token() });
      if (asked.type === "refused" && asked.code === "unknown-slot") return undefined;
      try {
        return decodeSlotRows(await bytesOf(answerIn(base, asked), SLOT_ROWS_BYTES_MAX));
      } catch (cause) {
        if (!(cause instanceof WireError)) throw cause;
        throw new GridsealError("NODE_UNREACHABLE", `${base} answers with no slot: ${cause.message}`, { cause });
      }
    },
    async *stateEntries({ service, contract, prefix }) {
      for (let after: string | undefined; ; ) {
        const asked = { parameters: { service, contract }, query: { prefix, after, limit: 500 }, token: token() };
        const { entries, hasMore } = await askValue(base, state, asked);
        for (const entry of entries) {
          if (after !== undefined && compareBytes(utf8.encode(entry.key), utf8.encode(after)) <= 0) {
            throw stuck(base, `key ${entry.key} behind ${after}`);
          }
          after = entry.key;
          yield entry;
        }
        if (entries.length === 0) return;
        if (!hasMore || after === undefined) return;
      }
    },
    async stateProof(service, contract, key) {
      const asked = { parameters: { service, contract }, query: { key }, token: token() };
      const answered = await ask(base, stateProof, asked);
      if (answered.type === "refused" && answered.code === "unknown-block") return undefined;
      return bytesOf(answerIn(base, answered), STATE_PROOF_BYTES_MAX);
    },
    async *violations({ subject, from_ms: from, to_ms: to, wanted = VIOLATIONS_AT_ONCE, onHidden, ...others }) {
      const limit = Math.min(wanted, VIOLATIONS_AT_ONCE);
      const query = { ...others, from, to, subject: subject && toHex(subject), limit };
      for (let after = others.after; ; ) {
        const asked = { parameters: {}, query: { ...query, after }, token: token() };
        const page = await askValue(base, violations, asked);
        if (after === others.after && page.hidden.length > 0) onHidden?.(page.hidden);
        yield* page.violations;
        if (page.next === null) return;
        if (after !== undefined && !isOlder(page.next, after)) throw stuck(base, `${page.next} behind ${after}`);
        after = page.next;
      }
    },
    async violation(name) {
      const asked = await ask(base, violation, { parameters: { name }, token: token() });
      if (asked.type === "answered") return valueIn(base, violation, asked.answer);
      throw new GridsealError("RECORD_UNKNOWN", `${base}: ${asked.message}`);
    },
    async lineage(service) {
      const bytes = await bytesOf(await askAnswer(base, lineage, { parameters: { service } }), LINEAGE_BYTES_MAX);
      try {
        return splitLineage(bytes);
      } catch (cause) {
        throw new GridsealError("NODE_UNREACHABLE", `${base} answers with no lineage: ${reasonOf(cause)}`, { cause });
      }
    },
    close: async () => {},
  };
}

/** Brings a record to a node. Throws RECORD_REFUSED with the node's reason, NOT_ADMITTED, USAGE or NODE_UNREACHABLE. */
export async function postRecord(
  url: string,
  body: Uint8Array,
  tokenFor?: TokenFor,
): Promise<ValueOf<typeof submitRecord>> {
  const base = baseOf(url);
  const asked = await ask(base, submitRecord, { parameters: {}, body, token: tokenFor?.(base) });
  if (asked.type === "refused") throw new GridsealError("RECORD_REFUSED", `${base} does not take it: ${asked.message}`);
  return valueIn(base, submitRecord, asked.answer);
}

/** Brings an order to a node. Throws ORDER_REFUSED with the node's reason, USAGE or NODE_UNREACHABLE. */
export async function postOrder(url: string, bytes: Uint8Array): Promise<void> {
  const base = baseOf(url);
  const asked = await ask(base, submitOrder, { parameters: {}, body: bytes });
  if (asked.type === "answered") return;
  const isRefused = asked.code === "malformed" || asked.code === "refused";
  if (isRefused) throw new GridsealError("ORDER_REFUSED", `${base} refuses the order: ${asked.message}`);
  throw new GridsealError("NODE_UNREACHABLE", `${base} does not take the order: ${asked.message}`);
}

/** The items of a range that a node answers page by page, until a page is empty. */
async function* pages(
  base: string,
  first: number,
  page: (from: number) => Promise<Answer>,
): AsyncGenerator<Uint8Array> {
  for (let next = first; ; ) {
    const before = next;
    for await (const item of itemsOf(base, await page(next))) {
      yield item;
      next += 1;
    }
    if (next === before) return;
  }
}

const utf8 = new TextEncoder();

/** A node that answers with what it has answered before would be asked for ever. */
function stuck(base: string, what: string): GridsealError {
  return new GridsealError("NODE_UNREACHABLE", `${base} does not go on: it answers with ${what}`);
}

/** Whether a page of violations begins behind another: `time_ms:service:height:index`, the newest first. */
function isOlder(next: string, before: string): boolean {
  const [ones, others] = [next, before].map((text) => text.split(":").map(Number));
  const place = ones!.findIndex((part, index) => part !== others![index]);
  return place >= 0 && ones![place]! < others![place]!;
}

const VIOLATIONS_AT_ONCE = 500;

/** By so much an answer with records is longer than the one before. */
const RECORDS_GROWTH = 100;

/** A contracts height stands before the order. */
const ORDER_ROW_BYTES_MAX = ORDER_WITH_SOURCE_BYTES_MAX + 16;

/** A row of an answer. Throws CHAIN_INVALID where it is none. */
function rowIn<Row>(base: string, row: Uint8Array, decode: (row: Uint8Array) => Row): Row {
  try {
    return decode(row);
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${base} answers with no such row: ${reasonOf(cause)}`, { cause });
  }
}

const ID_BYTES = 8;

/** The next id; undefined behind the last one. */
function idBehind(id: Uint8Array): Uint8Array | undefined {
  const next = BigInt(`0x${toHex(id)}`) + 1n;
  return next >> BigInt(8 * ID_BYTES) === 0n ? fromHex(next.toString(16).padStart(2 * ID_BYTES, "0")) : undefined;
}

/** One row of the answer that lists orders. */
function storedOrder(base: string, row: Uint8Array): SealedOrder {
  try {
    const [contractsHeight, bytes] = asArray(decodeCbor(row, { size: ORDER_ROW_BYTES_MAX, items: 3 }), "order row", 2);
    return { contractsHeight: asHeight(contractsHeight, "contracts height"), bytes: asBytes(bytes, "order") };
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${base} answers with no order: ${reasonOf(cause)}`, { cause });
  }
}
