// Sealed blocks as they come, and those that were missed: server-sent events (HTML Living Standard, section 9.2). The id of an event
// is a position: the height of each chain up to which everything has been told. So it means the same at every node and after a restart.

import { type Static, Type } from "@sinclair/typebox";
import { CHAINS_MAX, HEIGHT_MAX, SERVICE_MAX } from "../../src/wire/bounds.js";
import {
  batchNumber,
  count,
  counter,
  hash,
  height,
  id,
  nothing,
  orderNumber,
  seq,
  service,
  time_ms,
} from "./fields.js";
import { refusals } from "./refusals.js";
import type { RouteShape } from "./shape.js";
import { ViolationItem } from "./violations.js";

const place = "(0|[1-9][0-9]{0,4}):(0|[1-9][0-9]{0,12})";

/** Of a position as text; empty: before the first block of every chain. */
const positionField = Type.String({
  pattern: `^(${place}(,${place}){0,${CHAINS_MAX - 1}})?$`,
  description: `the id of an event, <service>:<height> for each of at most ${CHAINS_MAX} chains with commas between`,
});

const Found = Type.Union([
  Type.Object({
    kind: Type.Union([Type.Literal("gap"), Type.Literal("fork"), Type.Literal("link")]),
    meter: id,
    seq,
  }),
  Type.Object({ kind: Type.Literal("equivocation"), node: id, height }),
  Type.Object({ kind: Type.Literal("falseAcknowledgement"), node: id, number: batchNumber }),
  Type.Object({
    kind: Type.Literal("contract"),
    subject: id,
    /** that the contract ran for, as `operation 3` */
    entry: Type.String(),
    contract: Type.String(),
    name: Type.String(),
  }),
]);

/** A sealed block. */
export const BlockEvent = Type.Object({
  service,
  height,
  header: hash,
  records: count,
  /** of the chain up to and including this block */
  violations: counter,
  /** those that this block has; its results have their proof */
  found: Type.Array(Found),
  /** numbers of the orders in it, on the contracts chain */
  orders: Type.Array(orderNumber),
  time_ms,
});
export type BlockEvent = Readonly<Static<typeof BlockEvent>>;

/** Blocks whose records this node has let go of: another one, or an export, has them. */
export const PrunedEvent = Type.Object({ service, from: height, to: height });
export type PrunedEvent = Readonly<Static<typeof PrunedEvent>>;

/** Why a node ends a stream, and what to do. */
export const endings = {
  "too-slow": "Connect again with the id of the last event that came: nothing is lost.",
  stopping: "Connect again in a while, or to another node, with the id of the last event that came.",
  damaged: "Connect to another node of the chain with the id of the last event that came; the operator is told.",
  unauthorized: refusals.unauthorized.remedy,
  forbidden: refusals.forbidden.remedy,
} as const;
export type Ending = keyof typeof endings;

/** What a stream tells of. `blocks`: each sealed block · `violations`: each violation, and of blocks without one nothing */
export const topics = ["blocks", "violations"] as const;
export type EventTopic = (typeof topics)[number];

export const EndedEvent = Type.Object({ code: Type.String(), message: Type.String(), remedy: Type.String() });
export type EndedEvent = Readonly<Static<typeof EndedEvent>>;

export const events = {
  method: "GET",
  path: "/events",
  parameters: nothing,
  query: Type.Object({
    after: Type.Optional(positionField),
    topic: Type.String({
      pattern: `^(${topics.join("|")})$`,
      description: `one of ${topics.join(", ")}`,
      default: "blocks" satisfies EventTopic,
    }),
  }),
  answer: {
    type: "text/event-stream",
    /** `ended` is the last: why, and what to do */
    events: { block: BlockEvent, violation: ViolationItem, pruned: PrunedEvent, ended: EndedEvent },
  },
  statuses: [200],
  refusals: ["malformed"],
  limits: "stream",
  access: "chain",
} as const satisfies RouteShape;

/** The height of each chain up to which everything has been told, by service. */
export type Position = ReadonlyMap<number, number>;

/** Undefined where the text is no position. */
export function positionOf(text: string): Position | undefined {
  if (!new RegExp(positionField.pattern!).test(text)) return undefined;
  const position = new Map<number, number>();
  for (const part of text === "" ? [] : text.split(",")) {
    const [of, at] = part.split(":").map(Number) as [number, number];
    if (of > SERVICE_MAX || at > HEIGHT_MAX || position.has(of)) return undefined;
    position.set(of, at);
  }
  return position;
}

export function textOfPosition(position: Position): string {
  return [...position].map(([of, at]) => `${of}:${at}`).join(",");
}
