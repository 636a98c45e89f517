// The tables of a node's store, all of them. Commands open a store without a node: the list imports no part of one.

import { sealedOrders } from "../chain/sealed-orders.js";
import { admitted } from "../chain/tables/admitted.js";
import { acceptances, batches } from "../chain/tables/batches.js";
import { blocks, outlines } from "../chain/tables/blocks.js";
import { consensusRecords } from "../chain/tables/consensus-records.js";
import { contractState } from "../chain/tables/contract-state.js";
import { credentials } from "../chain/tables/credentials.js";
import { heads } from "../chain/tables/heads.js";
import { lineage } from "../chain/tables/lineage.js";
import { outgoing } from "../chain/tables/outgoing.js";
import { index } from "../chain/tables/runs.js";
import { sealedDisclosures } from "../chain/tables/sealed-disclosures.js";
import { counters, settlements, slots } from "../chain/tables/settlement.js";
import { stateNodes } from "../chain/tables/state-nodes.js";
import { faults, meters, origins } from "../chain/tables/states.js";
import { violationIndex, violations, violationsListed } from "../chain/tables/violations.js";
import { waitingNotices } from "../chain/tables/waiting-notices.js";
import { custodyKeys } from "../disclosures/tables/custody-keys.js";
import { destroyed } from "../disclosures/tables/destroyed.js";
import { disclosuresNoted } from "../disclosures/tables/disclosures-noted.js";
import { divisions } from "../disclosures/tables/divisions.js";
import { envelopes } from "../disclosures/tables/envelopes.js";
import { erasures } from "../disclosures/tables/erasures.js";
import { missingDisclosures } from "../disclosures/tables/missing-disclosures.js";
import { missingShares } from "../disclosures/tables/missing-shares.js";
import { meta } from "./meta.js";
import type { AnyTable } from "./table.js";

export const tables: readonly AnyTable[] = [
  meta,
  heads,
  blocks,
  outlines,
  index,
  meters,
  origins,
  credentials,
  consensusRecords,
  batches,
  acceptances,
  admitted,
  sealedDisclosures,
  envelopes,
  divisions,
  missingDisclosures,
  missingShares,
  disclosuresNoted,
  custodyKeys,
  erasures,
  destroyed,
  faults,
  waitingNotices,
  lineage,
  sealedOrders,
  contractState,
  stateNodes,
  outgoing,
  settlements,
  counters,
  slots,
  violations,
  violationIndex,
  violationsListed,
];
