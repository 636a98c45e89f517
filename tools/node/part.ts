// What a part of a node is: a concern that the node runs beside others. It is handed the node's services and brings rows: frames of
// other nodes that it takes, topics of meters, routes of the API, and what it does when the node starts, seals or stops. parts.ts
// lists them.

import { assertInvariant } from "../errors.js";
import type { Route } from "./api/route.js";
import type { SealedBlock } from "./chain/ports.js";
import type { PublishedTopic } from "./ingest/ingest.js";
import type { NodeServices } from "./services.js";
import type { AnyTable } from "./store/table.js";

/** A kind of frame between nodes (PROTOCOL.md, links between nodes). */
export interface FrameRow {
  /** its first byte */
  readonly byte: number;
  /** for the log */
  readonly kind: string;
  /** what taking one costs its sender beside its message, in verifications; 0 where whoever takes it charges for it */
  readonly verifications: number;
  /**
   * Takes one: the sender's id, the chain that it names, and a view of the rest. Resolves to why it is dropped, undefined where it is
   * taken. It is dropped too where this rejects. Whatever is dropped counts against its sender.
   */
  take(from: string, chain: number, payload: Uint8Array): Promise<string | undefined>;
}

/** A kind of topic that meters publish on. */
export interface TopicRow {
  readonly kind: PublishedTopic["kind"];
  /** As `IngestHandlers.onPublish`. */
  take(topic: PublishedTopic, payload: Uint8Array, client: string): Promise<void>;
}

/** What a part of a node that runs brings, of all this what it has. */
export interface RunningPart {
  readonly frames?: readonly FrameRow[];
  readonly topics?: readonly TopicRow[];
  /** Their shapes stand in the list of all, `tools/routes/routes.ts`. */
  readonly routes?: readonly Route[];
  /** A block is on disk; parts are told in their order. */
  onSealed?(sealed: SealedBlock, waited_ms: readonly number[]): void;
  /** What can fail has not: the node signs from here on. */
  start?(): void | Promise<void>;
  /** Parts are stopped in reverse order, also where they were not started. */
  stop?(): void | Promise<void>;
}

export interface Part {
  readonly name: string;
  /** Its own tables of the store, which stand in the list of all: a node does not start without. */
  readonly tables?: readonly AnyTable[];
  create(services: NodeServices): RunningPart;
}

/** Throws where the store has no table that one of the parts keeps its rows in. */
export function assertTables(parts: readonly Part[], tables: readonly AnyTable[]): void {
  for (const { name, tables: own = [] } of parts) {
    for (const table of own) {
      assertInvariant(tables.includes(table), `table ${table.name} of part ${name} is in the store's list`);
    }
  }
}

/** The frames of all parts by their first byte; none is taken by two. */
export function framesOf(parts: readonly RunningPart[]): ReadonlyMap<number, FrameRow> {
  const rows = new Map<number, FrameRow>();
  for (const row of parts.flatMap(({ frames = [] }) => frames)) {
    assertInvariant(!rows.has(row.byte), `frames that begin with ${row.byte} are taken by one part`);
    rows.set(row.byte, row);
  }
  return rows;
}

/** The topics of all parts by their kind; none is taken by two. */
export function topicsOf(parts: readonly RunningPart[]): ReadonlyMap<string, TopicRow> {
  const rows = new Map<string, TopicRow>();
  for (const row of parts.flatMap(({ topics = [] }) => topics)) {
    assertInvariant(!rows.has(row.kind), `topic ${row.kind} is taken by one part`);
    rows.set(row.kind, row);
  }
  return rows;
}

/** The routes of all parts. */
export function routesOf(parts: readonly RunningPart[]): readonly Route[] {
  return parts.flatMap(({ routes = [] }) => routes);
}
