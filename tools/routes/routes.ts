// Every route of a node.

import { block, blocks } from "./blocks.js";
import { brokerForm, brokerHook } from "./broker-hooks.js";
import { chains } from "./chains.js";
import { events } from "./events.js";
import { genesis } from "./genesis.js";
import { health } from "./health.js";
import { lineage } from "./lineage.js";
import { metrics } from "./metrics.js";
import { orders, submitOrder } from "./orders.js";
import { receipt } from "./receipts.js";
import { submitRecord } from "./records.js";
import type { RouteShape } from "./shape.js";
import { slot } from "./slots.js";

export const shapes: readonly RouteShape[] = [
  health,
  metrics,
  genesis,
  chains,
  blocks,
  block,
  lineage,
  slot,
  receipt,
  submitRecord,
  orders,
  submitOrder,
  brokerHook,
  brokerForm,
  events,
];
