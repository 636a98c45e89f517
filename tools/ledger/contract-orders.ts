// What the sealed orders make of contracts, pure: which ones a chain has at a height, with which parameters. As with members, an order
// counts from the height that it names on, once the chain's blocks are judged at its contracts height.

import { toHex } from "../../src/wire/bytes.js";
import type { ContractAction, InstallAction, MessageType, ParametersAction } from "../../src/wire/contract-order.js";
import { isSamePlan, type SettlementPlan } from "../../src/wire/slot.js";
import { isKnownEngine } from "./engines.js";

/** Contracts that a chain has at one height. */
export const CHAIN_CONTRACTS_MAX = 32;
/** Of them, those that ask for slots. */
export const SLOT_CONTRACTS_MAX = 16;
/** Jurisdictions that set parameters for one contract. */
export const JURISDICTIONS_MAX = 256;

export interface ContractRuling {
  /** height of the contracts block that holds the order */
  readonly contractsHeight: number;
  readonly action: ContractAction;
}

export interface OrderedContracts {
  /** of all chains, in the order of their numbers */
  readonly rulings: readonly ContractRuling[];
  /** sources that came with orders, by their hashes as hex */
  readonly sources: ReadonlyMap<string, string>;
}

export const noContracts: OrderedContracts = { rulings: [], sources: new Map() };

/** A contract as a chain has it at a height. */
export interface ContractInForce {
  readonly install: InstallAction;
  /** one a jurisdiction; that without one first, the others by their codes */
  readonly parameters: readonly ParametersAction[];
}

/** Where a block stands: its chain, its height, and the contracts height that it is judged at. */
export interface ContractsPlace {
  readonly service: number;
  readonly height: number;
  readonly judgedAt: number;
}

export type ContractsOrdered =
  | { readonly type: "ordered"; readonly contracts: OrderedContracts }
  | { readonly type: "refused"; readonly reason: string };

/** An order about a contract, with the source that came with it. */
export interface ContractOrder {
  readonly action: ContractAction;
  readonly source: string | undefined;
  readonly contractsHeight: number;
}

/** The contracts with one more order. */
export function orderContract(contracts: OrderedContracts, order: ContractOrder): ContractsOrdered {
  const reason = complaintOf(contracts, order);
  if (reason !== undefined) return { type: "refused", reason };
  const { action, source, contractsHeight } = order;
  const { sources } = contracts;
  const isNew = source !== undefined && action.type === "install";
  return {
    type: "ordered",
    contracts: {
      rulings: [...contracts.rulings, { contractsHeight, action }],
      sources: isNew ? new Map([...sources, [toHex(action.source), source]]) : sources,
    },
  };
}

/** The contracts of a chain at a height, by their names. */
export function contractsAt({ rulings }: OrderedContracts, place: ContractsPlace): ContractInForce[] {
  const inForce = new Map<string, InstallAction>();
  const parameters = new Map<string, Map<string, ParametersAction>>();
  for (const { contractsHeight, action } of rulings) {
    const counts = action.service === place.service && contractsHeight <= place.judgedAt;
    if (!counts || action.fromHeight > place.height) continue;
    if (action.type === "install") inForce.set(action.name, action);
    else if (action.type === "retire") inForce.delete(action.name);
    else {
      const own = parameters.get(action.contract) ?? new Map<string, ParametersAction>();
      parameters.set(action.contract, own.set(action.jurisdiction ?? "", action));
    }
  }
  return [...inForce.values()].sort(byText(({ name }) => name)).map((install) => ({
    install,
    parameters: [...(parameters.get(install.name)?.values() ?? [])].sort(
      byText(({ jurisdiction }) => jurisdiction ?? ""),
    ),
  }));
}

/** Names and codes are ASCII: code units are in the order of bytes. */
function byText<Entry>(textOf: (entry: Entry) => string): (one: Entry, other: Entry) => number {
  return (one, other) => (textOf(one) < textOf(other) ? -1 : 1);
}

function complaintOf(contracts: OrderedContracts, order: ContractOrder): string | undefined {
  const { action } = order;
  switch (action.type) {
    case "install":
      return installComplaint(contracts, order, action);
    case "parameters":
      return parametersComplaint(contracts, action);
    case "retire": {
      const last = lastOf(contracts, action.service, action.name);
      if (last?.type !== "install") return `chain ${action.service} has no contract ${action.name}`;
      return heightComplaint(last, action);
    }
  }
}

function installComplaint(
  contracts: OrderedContracts,
  { source }: ContractOrder,
  action: InstallAction,
): string | undefined {
  const { service, name } = action;
  if (!isKnownEngine(action)) return `its engine ${toHex(action.engine)} is unknown`;
  if (source === undefined && !contracts.sources.has(toHex(action.source))) {
    return `its source ${toHex(action.source)} is not here, and does not come with it`;
  }
  const before = ofContract(contracts, service, name);
  const version = before.reduce((most, known) => (known.type === "install" ? Math.max(most, known.version) : most), 0);
  if (action.version <= version) return `version ${action.version} of ${name} is not above ${version}`;
  const last = before.at(-1);
  const height = last === undefined ? undefined : heightComplaint(last, action);
  if (height !== undefined) return height;
  const others = namesOf(contracts, service).filter((other) => other !== name);
  const rivals = others.flatMap((other) => installsFrom(ofContract(contracts, service, other), action.fromHeight));
  const taken = rivals.find(({ types }) => types.some((type) => action.types.includes(type)));
  if (taken !== undefined) {
    const type = taken.types.find((known) => action.types.includes(known));
    return `operations of type ${type} are taken by contract ${taken.name}`;
  }
  const told = rivals.find(({ messages }) => messages.some((kind) => action.messages.some((own) => isBoth(kind, own))));
  if (told !== undefined) return `messages that it takes are taken by contract ${told.name}`;
  const slots = slotsComplaint(rivals, action);
  if (slots !== undefined) return slots;
  const names = new Set(rivals.map((rival) => rival.name));
  return names.size < CHAIN_CONTRACTS_MAX ? undefined : `chain ${service} has ${CHAIN_CONTRACTS_MAX} contracts already`;
}

/** Whether a message can be of both kinds. */
function isBoth(one: MessageType, other: MessageType): boolean {
  return one.name === other.name && (one.service === other.service || one.service === 0 || other.service === 0);
}

/** A chain settles in one way, for so many contracts that each is shown some rows in a block. */
function slotsComplaint(rivals: readonly InstallAction[], { slots }: InstallAction): string | undefined {
  if (slots === undefined) return undefined;
  const asking = rivals.filter((rival) => rival.slots !== undefined);
  const other = asking.find((rival) => !isSamePlan(rival.slots!, slots));
  if (other !== undefined) return `contract ${other.name} has the chain settle in another way`;
  const names = new Set(asking.map(({ name }) => name));
  return names.size < SLOT_CONTRACTS_MAX ? undefined : `${SLOT_CONTRACTS_MAX} contracts ask for slots already`;
}

/** How a chain settles where these contracts are in force; undefined where none asks. */
export function planOf(contracts: readonly ContractInForce[]): SettlementPlan | undefined {
  return contracts.find(({ install }) => install.slots !== undefined)?.install.slots;
}

function parametersComplaint({ rulings }: OrderedContracts, action: ParametersAction): string | undefined {
  const { service, contract } = action;
  const own = rulings.flatMap(({ action: known }) => (known.service === service ? [known] : []));
  if (!own.some((known) => known.type === "install" && known.name === contract)) {
    return `chain ${service} never had a contract ${contract}`;
  }
  const known = own.filter((other) => other.type === "parameters" && other.contract === contract) as ParametersAction[];
  const last = known.findLast(({ jurisdiction }) => jurisdiction === action.jurisdiction);
  if (last !== undefined) return heightComplaint(last, action);
  const count = new Set(known.map(({ jurisdiction }) => jurisdiction)).size;
  return count < JURISDICTIONS_MAX ? undefined : `${count} jurisdictions have parameters of ${contract} already`;
}

type NamedAction = Exclude<ContractAction, ParametersAction>;

/** What was installed under a name, and retired. */
function ofContract({ rulings }: OrderedContracts, service: number, name: string): NamedAction[] {
  return rulings.flatMap(({ action }) =>
    action.type !== "parameters" && action.service === service && action.name === name ? [action] : [],
  );
}

function lastOf(contracts: OrderedContracts, service: number, name: string): NamedAction | undefined {
  return ofContract(contracts, service, name).at(-1);
}

function namesOf({ rulings }: OrderedContracts, service: number): string[] {
  const names = rulings.flatMap(({ action }) =>
    action.type === "install" && action.service === service ? [action.name] : [],
  );
  return [...new Set(names)];
}

/** What of one contract's orders is installed at the height, or from a later one on. */
function installsFrom(actions: readonly NamedAction[], height: number): InstallAction[] {
  const current = actions.findLastIndex(({ fromHeight }) => fromHeight <= height);
  return actions.slice(Math.max(0, current)).filter((action) => action.type === "install");
}

/** Orders count in their order: each from a greater height on than the one before. */
function heightComplaint(
  before: { readonly fromHeight: number },
  { fromHeight }: { readonly fromHeight: number },
): string | undefined {
  return fromHeight > before.fromHeight ? undefined : `height ${fromHeight} is not above ${before.fromHeight}`;
}
