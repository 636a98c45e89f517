// What there is to tell of each block, in the form in which it is sent: from memory where it has just been told, else from the store.

import { decodeBlockViews } from "../../../../src/wire/block.js";
import { BoundedMap } from "../../../bounded-map.js";
import { violationView } from "../../../ledger/violation-place.js";
import type { BlockEvent, EventTopic, PrunedEvent } from "../../../routes/events.js";
import { blocks, outlines } from "../../chain/tables/blocks.js";
import { nextViolations } from "../../chain/violation-list.js";
import { blockKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { blockEvent } from "./block-event.js";

/** Bodies that are kept, and how long one may be for that. */
const KEPT_MAX = 256;
const KEPT_BYTES_MAX = 16_384;

export type Told =
  /** `before`: events that come without an id before this one; `read_bytes`: of the store; `to`: up to where all is told with it */
  | {
      readonly type: "told";
      readonly before?: Uint8Array;
      readonly body: Uint8Array;
      readonly to: number;
      readonly read_bytes: number;
    }
  /** of the heights up to `to` the topic has nothing */
  | { readonly type: "nothing"; readonly to: number }
  /** it is not there to be read */
  | { readonly type: "missing" };

export interface EventLog {
  /** The newest height of each chain, by service. */
  heads(): ReadonlyMap<number, number>;
  /**
   * The event of a block, and of those behind it that are pruned as it is; or the violations of the first block from the height on
   * that has any. Throws STORE_CORRUPT where it is damaged.
   */
  read(topic: EventTopic, service: number, height: number): Told;
  /** Takes the event of a block that is sealed now. */
  add(event: BlockEvent): void;
}

export interface EventLogPorts {
  readonly store: StoreReader;
  heads(): ReadonlyMap<number, number>;
}

export function createEventLog({ store, heads }: EventLogPorts): EventLog {
  /** by service and height */
  const kept = new BoundedMap<string, Uint8Array>(KEPT_MAX);
  const keep = (event: BlockEvent): Uint8Array => {
    const body = bodyOf("block", event);
    if (body.length <= KEPT_BYTES_MAX) kept.set(`${event.service}/${event.height}`, body);
    return body;
  };
  return {
    heads,
    add: (event) => void keep(event),
    read(topic, service, height) {
      if (topic === "violations")
        return readViolations(store, service, { from: height, head: heads().get(service) ?? 0 });
      const known = kept.get(`${service}/${height}`);
      if (known !== undefined) return { type: "told", body: known, to: height, read_bytes: 0 };
      const block = store.get(blocks, blockKey(service, height));
      if (block !== undefined) {
        return { type: "told", body: keep(blockEvent(decodeBlockViews(block))), to: height, read_bytes: block.length };
      }
      if (store.get(outlines, blockKey(service, height)) === undefined) return { type: "missing" };
      const to = lastPruned(store, service, { from: height, head: heads().get(service) ?? height });
      const pruned: PrunedEvent = { service, from: height, to };
      return { type: "told", body: bodyOf("pruned", pruned), to, read_bytes: 0 };
    },
  };
}

/** The last of a block has the id of its position: who has not got that is told all of them again. */
function readViolations(
  store: StoreReader,
  service: number,
  { from, head }: { readonly from: number; readonly head: number },
): Told {
  const found = nextViolations(store, service, from);
  const height = found[0]?.height ?? head;
  if (found.length === 0 || height > head) return { type: "nothing", to: Math.max(from, head) };
  const bodies = found.map((one) => bodyOf("violation", violationView(one)));
  const before = Buffer.concat(bodies.slice(0, -1));
  const body = bodies.at(-1)!;
  return { type: "told", before, body, to: height, read_bytes: before.length + body.length };
}

/** The rest of an event behind its id. */
export function bodyOf(name: "block" | "violation" | "pruned" | "ended", value: object): Uint8Array {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
}

/** Blocks are pruned from the first on: the last of them is looked for by halving. */
function lastPruned(
  store: EventLogPorts["store"],
  service: number,
  { from, head }: { readonly from: number; readonly head: number },
): number {
  let pruned = from;
  let whole = head + 1;
  while (whole - pruned > 1) {
    const middle = Math.floor((pruned + whole) / 2);
    if (store.get(blocks, blockKey(service, middle)) === undefined) pruned = middle;
    else whole = middle;
  }
  return pruned;
}
