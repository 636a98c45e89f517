// The contracts of the demo's chains, with slots so short that a few minutes show what a day has otherwise.

import { fileURLToPath } from "node:url";
import { operationTypes as networks } from "../../dispatch/contract/kinds.js";
import { operationTypes as bids } from "../../market/auction/types.js";
import { operationTypes as communities } from "../../market/community/types.js";
import { operationTypes as ratings } from "../../market/credit/kinds.js";
import { chains } from "../../market/messages.js";
import { operationTypes as studies } from "../../market/mining/kinds.js";
import { type FirstContract, firstContracts, nothing } from "../../provisioning/contracts/founding.js";
import { members } from "./cast.js";

/** The community of the story. */
export const COMMUNITY = "sun";
export const SLOT_S = 20;
/** Bids end so long before their slot, and can be opened so long behind that. */
export const GATE_S = 20;
export const OPENING_S = 10;
/** 10^-5 of the currency's unit: what a participant may owe for a slot by the usual bond. */
export const LIMIT_USUAL = 40_000;

export interface Times {
  readonly slot_s: number;
  readonly gate_s: number;
  readonly opening_s: number;
}

const OUTPUT = 262_144;
const taking = (types: Readonly<Record<string, number>>) => Object.values(types).sort((one, other) => one - other);
const DISPATCH = fileURLToPath(new URL("../../dispatch/contract/dispatch.ts", import.meta.url));

/** How a chain settles; all of its contracts state the same. */
function slotsOf(slot_s: number) {
  return { slot_s, lateness_s: slot_s, gapMax_s: 60 };
}

/** Those of a community, an auction, its grid and ratings, which talk to each other; and of studies. */
export function communityContracts({ slot_s, gate_s, opening_s }: Times): readonly FirstContract[] {
  const slots = slotsOf(slot_s);
  const trading = { ...nothing, slots, output: OUTPUT, fromHeight: 1 };
  const heard = [
    { service: chains.credit, name: "limit" },
    { service: chains.dispatch, name: "transmission" },
    { service: chains.dispatch, name: "verdict" },
  ];
  const facts = ["breach", "delivery", "payment", "quality"].map((name) => ({ service: 0, name }));
  const schedule = { service: chains.trading, name: "schedule" };
  return [
    { name: "community", service: chains.trading, terms: { ...trading, types: taking(communities) } },
    {
      ...{ name: "auction", service: chains.trading },
      terms: { ...trading, types: taking(bids), messages: heard },
      parameters: { slot_s, gate_s, opening_s },
    },
    {
      ...{ name: "credit", service: chains.credit },
      terms: { ...nothing, types: taking(ratings), messages: facts, output: OUTPUT, fromHeight: 1 },
      parameters: { limit_usual: LIMIT_USUAL },
    },
    {
      ...{ name: "dispatch", service: chains.dispatch, file: DISPATCH },
      terms: { ...nothing, types: taking(networks), messages: [schedule], slots, fromHeight: 1 },
      // Homes do not keep to what they have sold as power stations do.
      parameters: { slot_s, tolerance_permille: 500, penalty_per_kWh: 10_000 },
    },
    {
      ...{ name: "mining", service: chains.mining },
      terms: { ...nothing, types: taking(studies), fromHeight: 1 },
      // Researchers ask for academic research; three homes are a group here, as there are no more.
      parameters: { "rule-9-7": "law 366 *", group_residential: members.length },
    },
  ];
}

const added = communityContracts({ slot_s: SLOT_S, gate_s: GATE_S, opening_s: OPENING_S });

/** Those that every network begins with, on slots of the demo's length; then those of the community. */
export const demoContracts: readonly FirstContract[] = [
  ...firstContracts.map((contract) =>
    contract.terms.slots === undefined
      ? contract
      : {
          ...contract,
          terms: { ...contract.terms, slots: slotsOf(SLOT_S) },
          parameters: { silent_slots: 1_000 },
        },
  ),
  ...added,
];

/** Orders of them, which are sealed one after the other. */
export const ORDERS = demoContracts.reduce((count, { parameters }) => count + (parameters === undefined ? 1 : 2), 0);
