// A part of a node: what its chains' contracts and their settlement remember, and the thread that they run in.

import { contractState } from "../chain/tables/contract-state.js";
import { counters, settlements, slots } from "../chain/tables/settlement.js";
import { stateNodes } from "../chain/tables/state-nodes.js";
import type { Part } from "../part.js";

export const contractsPart: Part = {
  name: "contracts",
  tables: [contractState, stateNodes, settlements, counters, slots],
  create: ({ contracts }) => ({ stop: () => contracts.close() }),
};
