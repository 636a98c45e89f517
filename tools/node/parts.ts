// The parts of a node, in the order in which they are told of a sealed block and started.

import type { Part } from "./part.js";
import { announcerPart } from "./parts/announcer.js";
import { chainsPart } from "./parts/chains/part.js";
import { contractsPart } from "./parts/contracts.js";
import { disclosuresPart } from "./parts/disclosures/part.js";
import { handoversPart } from "./parts/handovers.js";
import { healthPart } from "./parts/health.js";
import { messagesPart } from "./parts/messages/part.js";
import { ordersPart } from "./parts/orders/part.js";
import { publicationsPart } from "./parts/publications/part.js";
import { sharedBrokerPart } from "./parts/shared-broker/part.js";
import { violationsPart } from "./parts/violations/part.js";

export const parts: readonly Part[] = [
  contractsPart,
  disclosuresPart,
  handoversPart,
  healthPart,
  // A session proves to be its meter's by a record that is sealed: before the receipts go out, which no other session gets.
  publicationsPart,
  announcerPart,
  chainsPart,
  ordersPart,
  messagesPart,
  sharedBrokerPart,
  violationsPart,
];
