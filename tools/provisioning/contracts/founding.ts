// The contracts that every network begins with: tried on the machine that makes the network, where its nodes' keys are, and ordered by
// its authority. The nodes bring the orders to the contracts chain when they start.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type InstallAction,
  type ParametersAction,
  type ParameterValue,
  signTried,
  withSource,
} from "../../../src/wire/contract-order.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { sha256 } from "../../../src/wire/hash.js";
import { equalKeys, type Signer } from "../../../src/wire/key.js";
import { issueOrder, type Order } from "../../../src/wire/order.js";
import { keepOrder } from "../../authority/issued-orders.js";
import { nextOrder } from "../../authority/orders.js";
import { defaultLimits, type Limits } from "../../contracts/limits.js";
import { assertInvariant, GridsealError } from "../../errors.js";
import { readWhole } from "../../files/made-once.js";
import { newestEngine } from "../../ledger/engines.js";
import { CONTRACTS_SERVICE, type Governance, govern, initialGovernance } from "../../ledger/governance.js";
import { testContract } from "./trying.js";
import { VECTORS_BYTES_MAX, vectorsPathOf } from "./vectors.js";

type Terms = Pick<InstallAction, "types" | "messages" | "slots" | "fromHeight"> & Limits;

export interface FirstContract {
  readonly name: string;
  readonly service: number;
  /** its source, with vectors beside it; that of this name in tools/market where absent */
  readonly file?: string;
  readonly terms: Terms;
  /** set everywhere, from the first height on; none where absent */
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
}

const TRADING = 1;
const MARKET = fileURLToPath(new URL("../../market", import.meta.url));
export const nothing = { types: [], messages: [], ...defaultLimits } as const;

/** In the order of their orders. Each counts from the first block on that knows of it. */
export const firstContracts: readonly FirstContract[] = [
  {
    name: "registry",
    service: CONTRACTS_SERVICE,
    terms: {
      ...nothing,
      types: [1],
      messages: [{ service: 0, name: "ask-registry" }],
      ...{ budget: 50, output: 16_384, fromHeight: 1 },
    },
  },
  {
    name: "cases",
    service: CONTRACTS_SERVICE,
    terms: {
      ...nothing,
      types: [16],
      messages: [{ service: 0, name: "violation" }],
      ...{ budget: 250, output: 262_144, fromHeight: 1 },
    },
  },
  {
    name: "metering",
    service: TRADING,
    terms: { ...nothing, slots: { slot_s: 900, lateness_s: 3_600, gapMax_s: 1_800 }, output: 262_144, fromHeight: 1 },
  },
];

/** An order as the authority's own key has signed it, with its source. */
export interface FoundingOrder {
  readonly name: string;
  readonly service: number;
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface Founding {
  readonly genesis: Genesis;
  /** the authority's own key, and its folder */
  readonly own: Signer;
  readonly folder: string;
  /** of all nodes: they are made on this machine */
  readonly signers: readonly Signer[];
  readonly contracts: readonly FirstContract[];
}

/**
 * Orders the first contracts of those chains that the network has, kept in the authority's folder as any order; none where it has no
 * contracts chain. Rejects with CONTRACT_FAILED where a vector comes to something else on this machine.
 */
export async function orderFirstContracts(founding: Founding, now: Date): Promise<readonly FoundingOrder[]> {
  const { genesis, own, folder, contracts } = founding;
  const services = new Set(genesis.chains.map(({ service }) => service));
  if (!services.has(CONTRACTS_SERVICE)) return [];
  let governance = initialGovernance(genesis);
  const ordered: FoundingOrder[] = [];
  const keep = async (order: Order, { name, service }: FirstContract) => {
    const signed = issueOrder(order, genesis, own);
    const bytes = order.source === undefined ? signed : withSource(signed, order.source);
    await keepOrder(folder, order, bytes);
    ordered.push({ name, service, number: order.number, bytes });
    const governed = govern(governance, order, order.number);
    assertInvariant(governed.type === "governed", "an order that nextOrder makes applies");
    governance = governed.governance;
  };
  for (const contract of contracts.filter(({ service }) => services.has(service))) {
    await keep(await tryAndOrder(contract, governance, founding, now), contract);
    const parameters = parametersOf(contract);
    if (parameters === undefined) continue;
    await keep(nextOrder(governance, parameters, { number: undefined, now, source: undefined }), contract);
  }
  return ordered;
}

function parametersOf({ name, service, terms, parameters }: FirstContract): ParametersAction | undefined {
  if (parameters === undefined) return undefined;
  const place = { type: "parameters", service, contract: name, jurisdiction: undefined } as const;
  return { ...place, parameters: new Map(Object.entries(parameters)), fromHeight: terms.fromHeight };
}

async function tryAndOrder(
  { name, service, terms, file: stated }: FirstContract,
  governance: Governance,
  { genesis, signers }: Founding,
  now: Date,
): Promise<Order> {
  const file = stated ?? join(MARKET, name, `${name}.ts`);
  const path = vectorsPathOf(file, undefined);
  const { bundle, complaint } = await testContract(file, path, terms);
  if (complaint !== undefined) throw new GridsealError("CONTRACT_FAILED", complaint);
  const vectors = sha256(await readWhole(path, VECTORS_BYTES_MAX));
  const untried = {
    ...({ type: "install", service, name, version: 1, source: bundle.hash, ...newestEngine } as const),
    ...{ vectors, ...terms },
  };
  const { members } = genesis.chains.find((chain) => chain.service === service)!;
  const keys = members.map(({ key }) => signers.find((signer) => equalKeys(signer.key, key))!);
  const action = { ...untried, ready: signTried(genesis.hash, untried, keys) };
  return nextOrder(governance, action, { number: undefined, now, source: bundle.source });
}
