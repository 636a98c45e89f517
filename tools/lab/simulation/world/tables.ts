// The tables of a simulated disk: their rows as values, their keys as text that stands in the order
// of chain, id and number. What the product cannot write or look up, a number that its keys or rows
// do not hold, cannot be written or looked up here either.

import { toHex } from "../../../../src/wire/bytes.js";
import type { Notice } from "../../../../src/wire/notice.js";
import type { SealedOrder } from "../../../ledger/governance.js";
import { encodeMeterState, encodeOriginState, type MeterState, type OriginState } from "../../../ledger/state.js";
import * as product from "../../../node/store/keys.js";
import type { Outline } from "../../../node/store/outline.js";
import { encodeFaults, encodeHead, type Head, type Location, type StoredBatch } from "../../../node/store/rows.js";
import type { Writer } from "../../../node/store/writer.js";

/** What a row of each table holds. */
export interface Contents {
  readonly heads: Head;
  readonly blocks: Uint8Array;
  readonly outlines: Outline;
  readonly index: Location;
  readonly meters: MeterState;
  readonly origins: OriginState;
  readonly credentials: Uint8Array;
  readonly consensus: Uint8Array;
  readonly batches: StoredBatch;
  readonly acceptances: Uint8Array;
  readonly admitted: Uint8Array;
  readonly disclosures: Uint8Array;
  readonly faults: readonly number[];
  readonly orders: SealedOrder;
  readonly rulings: Notice;
  readonly lineage: Uint8Array;
}

export type Tables = { readonly [Name in keyof Contents]: Map<string, Contents[Name]> };

export type TableName = keyof Contents;

/** One row of a transaction; an undefined value removes it. */
export interface Row {
  readonly table: TableName;
  readonly key: string;
  readonly value: unknown;
}

export function emptyTables(): Tables {
  return {
    heads: new Map(),
    blocks: new Map(),
    outlines: new Map(),
    index: new Map(),
    meters: new Map(),
    origins: new Map(),
    credentials: new Map(),
    consensus: new Map(),
    batches: new Map(),
    acceptances: new Map(),
    admitted: new Map(),
    disclosures: new Map(),
    faults: new Map(),
    orders: new Map(),
    rulings: new Map(),
    lineage: new Map(),
  };
}

export function idKey(chain: number, id: Uint8Array): string {
  product.idKey(chain, id);
  return `${chain}/${toHex(id)}`;
}

export function numberKey(chain: number, id: Uint8Array, number: number): string {
  product.numberKey(chain, id, number);
  return `${chain}/${toHex(id)}/${String(number).padStart(16, "0")}`;
}

export function blockKey(chain: number, height: number): string {
  product.blockKey(chain, height);
  return `${chain}/${height}`;
}

/** Orders are the network's: they stand under chain 0, by their numbers. */
export function orderKey(number: number): string {
  product.blockKey(0, number);
  return `0/${String(number).padStart(16, "0")}`;
}

/** The values of a chain's rows, in the order of their keys. */
export function rowsOf<T>(table: ReadonlyMap<string, T>, chain: number): (readonly [string, T])[] {
  return [...table]
    .filter(([key]) => key.startsWith(`${chain}/`))
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

/** A table's rows in the order of their keys, all or those of a chain. */
export function rowsIn<Name extends TableName>(tables: Tables, name: Name, chain?: number) {
  const table: ReadonlyMap<string, Contents[Name]> = tables[name];
  if (chain !== undefined) return rowsOf(table, chain);
  return [...table].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

/** A writer that notes rows; bytes are copied, as a real store copies them. */
export function writerInto(rows: Row[]): Writer {
  const put = (table: TableName, key: string, value: unknown) => void rows.push({ table, key, value });
  const remove = (table: TableName, key: string) => void rows.push({ table, key, value: undefined });
  return {
    putHead(chain, head) {
      encodeHead(head);
      put("heads", String(chain), head);
    },
    putBlock: (chain, height, bytes) => put("blocks", blockKey(chain, height), Uint8Array.from(bytes)),
    putOutline(chain, height, outline) {
      put("outlines", blockKey(chain, height), outline);
      remove("blocks", blockKey(chain, height));
    },
    deleteDisclosures: (chain, kid, seq) => remove("disclosures", numberKey(chain, kid, seq)),
    putRun(chain, { kid, first, height, leaves }) {
      for (const [index, leaf] of leaves.entries())
        put("index", numberKey(chain, kid, first + index), { height, leaf });
    },
    putMeter(chain, kid, state) {
      encodeMeterState(state);
      put("meters", idKey(chain, kid), state);
    },
    putOrigin(chain, id, state) {
      encodeOriginState(state);
      put("origins", idKey(chain, id), state);
    },
    putFaults(chain, node, heights) {
      encodeFaults(heights);
      put("faults", idKey(chain, node), heights);
    },
    putOrder: (number, contractsHeight, bytes) =>
      put("orders", orderKey(number), { contractsHeight, bytes: Uint8Array.from(bytes) }),
    putRuling: (chain, name, { kind, bytes }) =>
      put("rulings", idKey(chain, name), { kind, bytes: Uint8Array.from(bytes) }),
    deleteRuling: (chain, name) => remove("rulings", idKey(chain, name)),
    putCredential: (chain, kid, bytes) => put("credentials", idKey(chain, kid), Uint8Array.from(bytes)),
    putConsensus: (chain, record) => put("consensus", String(chain), Uint8Array.from(record)),
    putBatch: (chain, { origin, number, bytes }) =>
      put("batches", numberKey(chain, origin, number), { origin, number, bytes: Uint8Array.from(bytes) }),
    putAcceptance: (chain, origin, number, acceptance) =>
      put("acceptances", numberKey(chain, origin, number), Uint8Array.from(acceptance)),
    deleteBatch(chain, origin, number) {
      remove("batches", numberKey(chain, origin, number));
      remove("acceptances", numberKey(chain, origin, number));
    },
    putAdmitted: (chain, kid, seq, record) => put("admitted", numberKey(chain, kid, seq), Uint8Array.from(record)),
    deleteAdmitted: (chain, kid, seq) => remove("admitted", numberKey(chain, kid, seq)),
    putLineage: (chain, from, item) => put("lineage", blockKey(chain, from), Uint8Array.from(item)),
    putDisclosures: (chain, kid, seq, disclosures) =>
      put("disclosures", numberKey(chain, kid, seq), Uint8Array.from(disclosures)),
  };
}
