// Why what peers send about a chain is dropped: a reason each, which the node counts. docs/metrics.md says what each means.

import type { MessageDrop } from "../../consensus/drops.js";
import type { BatchDrop } from "./batches/exchange/state.js";

/** Of frames about blocks, and of any frame. */
export const frameDrops = [
  "frame-stranger",
  "frame-not-running",
  "block-known",
  "block-ahead",
  "block-no-room",
  "body-unasked",
  "request-unknown",
  "request-over-share",
] as const;
export type FrameDrop = (typeof frameDrops)[number];

export type DropReason = BatchDrop | MessageDrop | FrameDrop;
