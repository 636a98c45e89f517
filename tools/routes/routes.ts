// Every route of a node: those that sealed blocks suffice for, and those that take a node that runs.

import { block, blocks } from "./blocks.js";
import { brokerForm, brokerHook } from "./broker-hooks.js";
import { chains } from "./chains.js";
import { day } from "./days.js";
import { erased } from "./erasures.js";
import { events } from "./events.js";
import { explorerFile, explorerPage } from "./explorer.js";
import { genesis } from "./genesis.js";
import { grant, grantRecords, grantShares } from "./grants.js";
import { groupGrant, groupSums } from "./group-grants.js";
import { health } from "./health.js";
import { holders } from "./holders.js";
import { lineage } from "./lineage.js";
import { metrics } from "./metrics.js";
import { orders, submitOrder } from "./orders.js";
import { receipt } from "./receipts.js";
import { sealedRecords, submitRecord } from "./records.js";
import type { RouteShape } from "./shape.js";
import { slot } from "./slots.js";
import { state, stateProof } from "./state.js";
import { violation, violations, violationsCsv } from "./violations.js";

/** What only a node that runs can answer: exports have nothing that was hidden, and take nothing. */
export const liveShapes: readonly RouteShape[] = [
  grant,
  grantShares,
  grantRecords,
  groupGrant,
  groupSums,
  erased,
  submitRecord,
  submitOrder,
  brokerHook,
  brokerForm,
];

export const shapes: readonly RouteShape[] = [
  explorerPage,
  explorerFile,
  health,
  metrics,
  genesis,
  chains,
  blocks,
  block,
  lineage,
  holders,
  slot,
  day,
  receipt,
  sealedRecords,
  state,
  stateProof,
  violations,
  violationsCsv,
  violation,
  orders,
  events,
  ...liveShapes,
];
