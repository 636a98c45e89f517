// How far one subscriber has been told, and what it is told next. There is no switch from what was missed to what comes: each event
// is read behind the one before, so that none is left out and none comes twice. Pure but for what the log reads.

import { CHAINS_MAX } from "../../../../src/wire/bounds.js";
import { type EventTopic, type Position, textOfPosition } from "../../../routes/events.js";
import type { EventLog, Told } from "./event-log.js";

/** Read before it is sent, but for an event that is longer. */
const PIECE_BYTES = 32_768;
/** Reading a piece ends after so long, whatever has been read. */
const PIECE_MS = 1;

/** Where a subscriber stands; moves as it is told. */
export interface Following {
  readonly topic: EventTopic;
  readonly position: Map<number, number>;
  /** the chain that was told of last: the others come first */
  last: number;
}

export interface EventPiece {
  readonly bytes: Uint8Array;
  readonly events: number;
  /** of the store */
  readonly read_bytes: number;
}

/** From a position on; without one, from what is sealed behind the present heads. */
export function startFollowing(
  heads: ReadonlyMap<number, number>,
  after: Position | undefined,
  topic: EventTopic,
): Following {
  const position = new Map([...heads].map(([service, height]) => [service, after === undefined ? height : 0]));
  for (const [service, height] of after ?? []) {
    // Chains that this node has not are kept for the node that is asked next, as far as a position has room.
    if (position.has(service) || position.size < CHAINS_MAX) position.set(service, height);
  }
  return { topic, position, last: -1 };
}

/** The beginning of a stream: without an event, but with the id that it can be taken up from. */
export function opening({ position }: Pick<Following, "position">): Uint8Array {
  return Buffer.from(`id: ${textOfPosition(position)}\n\n`);
}

/** What comes next, a block of each chain in turn; empty where everything is told. */
export function readEvents(following: Following, log: EventLog, monotonic_ms: () => number): EventPiece {
  const started_ms = monotonic_ms();
  const heads = log.heads();
  const parts: Uint8Array[] = [];
  let events = 0;
  let length = 0;
  let read_bytes = 0;
  do {
    const service = nextChain(following, heads);
    if (service === undefined) break;
    const told = readNext(log, following, service, events > 0);
    if (told.type === "missing") break;
    following.position.set(service, told.to);
    following.last = service;
    if (told.type === "nothing") continue;
    const id = Buffer.from(`id: ${textOfPosition(following.position)}\n`);
    const event = [...(told.before === undefined ? [] : [told.before]), id, told.body];
    parts.push(...event);
    events += 1;
    length += event.reduce((sum, part) => sum + part.length, 0);
    read_bytes += told.read_bytes;
    // What has nothing to tell costs little, and is gone over whole.
  } while (events === 0 || (length < PIECE_BYTES && monotonic_ms() - started_ms < PIECE_MS));
  return { bytes: Buffer.concat(parts), events, read_bytes };
}

/** What was read before something that cannot be read is sent first. */
function readNext(log: EventLog, { topic, position }: Following, service: number, hasMore: boolean): Told {
  try {
    return log.read(topic, service, (position.get(service) ?? 0) + 1);
  } catch (error) {
    if (!hasMore) throw error;
    return { type: "missing" };
  }
}

function nextChain({ position, last }: Following, heads: ReadonlyMap<number, number>): number | undefined {
  let first: number | undefined;
  for (const [service, height] of heads) {
    if ((position.get(service) ?? 0) >= height) continue;
    if (service > last) return service;
    first ??= service;
  }
  return first;
}
