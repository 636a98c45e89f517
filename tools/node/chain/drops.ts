// Why what peers send about a chain is dropped: a reason each, which the node counts.

import type { BatchDrop } from "./batches/exchange/state.js";

export type DropReason = BatchDrop;
