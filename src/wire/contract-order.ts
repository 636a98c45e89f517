// Orders about contracts: one is installed on a chain, gets parameters, is retired. Installing names a source by its hash, which
// travels once with the order.

import { NODES_MAX, OPERATION_TYPE_MAX, SERVICE_MAX, WORD_MAX } from "./bounds.js";
import { compareBytes, equalBytes, toHex } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { networkName } from "./genesis.js";
import { HASH_BYTES, sha256 } from "./hash.js";
import { keyFromMap, keyId, keyToMap, type PublicKey, type Signer, type Verify } from "./key.js";
import { asArray, asBytes, asHeight, asInteger, asList, asMap, asPlace, asService, asText, asUint } from "./shape.js";
import { planFrom, planToArray, type SettlementPlan } from "./slot.js";
import { CONTRACT_OUTPUT_MAX } from "./value.js";

export const INSTALL_ACTION = 9;
export const PARAMETERS_ACTION = 10;
export const RETIRE_ACTION = 11;

/** Bytes of a contract's source in UTF-8. */
export const SOURCE_BYTES_MAX = 65_536;
/** Bytes of an order with the source that it names: both at their most, and 16. A number alone, as a sum would stand in firmware. */
export const ORDER_WITH_SOURCE_BYTES_MAX = 98_320;
/** Types of operations that one contract takes, and kinds of messages. */
export const CONTRACT_TYPES_MAX = 64;
/** Work that one run of a contract may take. */
export const CONTRACT_BUDGET_MAX = 1_000;
export const CONTRACT_PAGES_MIN = 16;
export const CONTRACT_PAGES_MAX = 1_024;
/** Parameters of a contract in one jurisdiction. */
export const PARAMETERS_MAX = 64;
const PARAMETER_TEXT_MAX = 256;
const ORDER_WITH_SOURCE = 0x82;

/** Messages of one name from one chain. */
export interface MessageType {
  /** 0 for any chain */
  readonly service: number;
  readonly name: string;
}

/** That a node has run the vectors of a contract on its own machine, each to what it expects. */
export interface TriedReady {
  readonly key: PublicKey;
  readonly signature: Uint8Array;
}

/** A contract on a chain, in this version from a height on. */
export interface InstallAction {
  readonly type: "install";
  readonly service: number;
  readonly name: string;
  /** grows with each that is installed under the name */
  readonly version: number;
  /** SHA-256 of the source's UTF-8 */
  readonly source: Uint8Array;
  /** SHA-256 of the engine that runs it, and of what the engine runs before */
  readonly engine: Uint8Array;
  readonly prelude: Uint8Array;
  /** what one run may take and put out */
  readonly budget: number;
  readonly pages: number;
  readonly output: number;
  /** of the operations that it takes, ascending */
  readonly types: readonly number[];
  /** of other chains that it takes, ascending by chain and name */
  readonly messages: readonly MessageType[];
  /** how the chain settles for it; absent where it takes no slots */
  readonly slots?: SettlementPlan;
  /** SHA-256 of the vectors that it was tried with */
  readonly vectors: Uint8Array;
  /** of members of the chain, ascending by their ids */
  readonly ready: readonly TriedReady[];
  readonly fromHeight: number;
}

/** What a node has tried: all that the order says but who is ready. */
export type Tried = Omit<InstallAction, "ready">;

export type ParameterValue = number | bigint | string | boolean;

/** What a jurisdiction sets for a contract from a height on, all of it. */
export interface ParametersAction {
  readonly type: "parameters";
  readonly service: number;
  readonly contract: string;
  /** undefined where it holds for all that set nothing else */
  readonly jurisdiction: string | undefined;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly fromHeight: number;
}

/** A contract takes nothing from a height on. What it has written stays. */
export interface RetireAction {
  readonly type: "retire";
  readonly service: number;
  readonly name: string;
  readonly fromHeight: number;
}

export type ContractAction = InstallAction | ParametersAction | RetireAction;

/** An order as it travels: alone, or with a source. */
export interface TravellingOrder {
  /** as the authority signed it */
  readonly order: Uint8Array;
  readonly source?: string;
}

/** The order with the source that it names, as one item. */
export function withSource(order: Uint8Array, source: string): Uint8Array {
  return encodeCbor([order, source]);
}

/** Takes an order and its source apart; neither is looked at. */
export function travellingOrder(bytes: Uint8Array): TravellingOrder {
  if (bytes[0] !== ORDER_WITH_SOURCE) return { order: bytes };
  const limits = { size: ORDER_WITH_SOURCE_BYTES_MAX, items: 3 };
  const [order, source] = asArray(decodeCbor(bytes, limits), "order with its source", 2);
  return {
    order: asBytes(order, "order"),
    source: asText(source, "order's source", SOURCE_BYTES_MAX),
  };
}

/** The hash that names a source. */
export function sourceHash(source: string): Uint8Array {
  return sha256(new TextEncoder().encode(source));
}

/** Throws a WireError unless the source is the one that the action names. */
export function checkSource(action: { readonly type: string; readonly source?: Uint8Array }, source: string): void {
  const bytes = new TextEncoder().encode(source);
  if (bytes.length > SOURCE_BYTES_MAX) throw new WireError("limit", `order's source has ${bytes.length} bytes`);
  if (action.type === "install" && action.source !== undefined && equalBytes(sha256(bytes), action.source)) return;
  throw new WireError("shape", "order comes with a source that it does not name");
}

/** What a node signs to say that it has run the vectors of the contract that is to be ordered so, each to what it expects. */
export function triedBytes(genesisHash: Uint8Array, tried: Tried, node: Uint8Array): Uint8Array {
  const action = encodeCbor(contractActionToArray({ ...tried, ready: [] }));
  return encodeCbor(["gs1/tried", genesisHash, node, action]);
}

/** READY of the nodes of these keys, on whose machines the vectors were run, ascending by their ids. */
export function signTried(genesisHash: Uint8Array, tried: Tried, signers: readonly Signer[]): TriedReady[] {
  return signers
    .map((signer) => ({ id: keyId(signer.key), signer }))
    .sort((one, other) => compareBytes(one.id, other.id))
    .map(({ id, signer }) => ({ key: signer.key, signature: signer.sign(triedBytes(genesisHash, tried, id)) }));
}

/** Throws a WireError unless each READY is signed by the key that it names. */
export function checkTried(genesisHash: Uint8Array, action: InstallAction, verify: Verify): void {
  for (const { key, signature } of action.ready) {
    const node = keyId(key);
    if (verify(key, triedBytes(genesisHash, action, node), signature)) continue;
    throw new WireError("unproven", `order: READY of node ${toHex(node)} is not signed by it for this contract`);
  }
}

export function contractActionToArray(action: ContractAction): CborValue {
  switch (action.type) {
    case "install":
      return [
        INSTALL_ACTION,
        action.service,
        action.name,
        action.version,
        action.source,
        action.engine,
        action.prelude,
        action.budget,
        action.pages,
        action.output,
        action.types,
        action.messages.map(({ service, name }) => [service, name]),
        action.slots === undefined ? null : planToArray(action.slots),
        action.vectors,
        action.ready.map(({ key, signature }) => [keyToMap(key), signature]),
        action.fromHeight,
      ];
    case "parameters":
      return [
        PARAMETERS_ACTION,
        action.service,
        action.contract,
        action.jurisdiction ?? null,
        action.parameters,
        action.fromHeight,
      ];
    case "retire":
      return [RETIRE_ACTION, action.service, action.name, action.fromHeight];
  }
}

export function installAction(items: readonly CborValue[]): InstallAction {
  const [, service, name, version, source, engine, prelude, budget, ...rest] = asArray(items, "order to install", 16);
  const [pages, output, types, messages, slots, vectors, ready, from] = rest;
  return {
    type: "install",
    service: asService(service, "order chain"),
    name: networkName(name, "order contract"),
    version: within(version, "order contract version", 1, WORD_MAX),
    source: asBytes(source, "order source hash", HASH_BYTES),
    engine: asBytes(engine, "order engine hash", HASH_BYTES),
    prelude: asBytes(prelude, "order prelude hash", HASH_BYTES),
    budget: within(budget, "order budget", 1, CONTRACT_BUDGET_MAX),
    pages: within(pages, "order pages", CONTRACT_PAGES_MIN, CONTRACT_PAGES_MAX),
    output: within(output, "order output", 0, CONTRACT_OUTPUT_MAX),
    types: typesFrom(types),
    messages: messagesFrom(messages),
    ...(slots !== null && { slots: planFrom(slots) }),
    vectors: asBytes(vectors, "order vectors hash", HASH_BYTES),
    ready: readyFrom(ready),
    fromHeight: asHeight(from, "order height"),
  };
}

export function parametersAction(items: readonly CborValue[]): ParametersAction {
  const [, service, contract, jurisdiction, values, from] = asArray(items, "order of parameters", 6);
  return {
    type: "parameters",
    service: asService(service, "order chain"),
    contract: networkName(contract, "order contract"),
    jurisdiction: jurisdiction === null ? undefined : asPlace(jurisdiction, "order jurisdiction"),
    parameters: parametersFrom(values),
    fromHeight: asHeight(from, "order height"),
  };
}

export function retireAction(items: readonly CborValue[]): RetireAction {
  const [, service, name, from] = asArray(items, "order to retire", 4);
  return {
    type: "retire",
    service: asService(service, "order chain"),
    name: networkName(name, "order contract"),
    fromHeight: asHeight(from, "order height"),
  };
}

function typesFrom(value: CborValue | undefined): number[] {
  const types = asArray(value, "order types").map((type) => within(type, "order type", 1, OPERATION_TYPE_MAX));
  if (types.length > CONTRACT_TYPES_MAX) {
    throw new WireError("shape", `order must name at most ${CONTRACT_TYPES_MAX} types, not ${types.length}`);
  }
  if (types.some((type, index) => index > 0 && type <= types[index - 1]!)) {
    throw new WireError("shape", "order types are not in ascending order");
  }
  return types;
}

/** Strictly ascending by the ids of their keys: none says it twice. */
function readyFrom(value: CborValue | undefined): TriedReady[] {
  const ready = asList(value, "order READY", NODES_MAX).map((item) => {
    const [key, signature] = asArray(item, "order READY", 2);
    return { key: keyFromMap(key), signature: asBytes(signature, "order READY signature", 64) };
  });
  const ids = ready.map(({ key }) => keyId(key));
  if (ids.some((id, index) => index > 0 && compareBytes(id, ids[index - 1]!) <= 0)) {
    throw new WireError("shape", "order READY is not in ascending order of nodes");
  }
  return ready;
}

function messagesFrom(value: CborValue | undefined): MessageType[] {
  const messages = asList(value, "order messages", CONTRACT_TYPES_MAX).map((item) => {
    const [service, name] = asArray(item, "order messages", 2);
    return { service: asUint(service, "order messages' chain", SERVICE_MAX), name: asSaid(name) };
  });
  const isBehind = (one: MessageType, other: MessageType) =>
    one.service > other.service || (one.service === other.service && one.name > other.name);
  if (messages.some((message, index) => index > 0 && !isBehind(message, messages[index - 1]!))) {
    throw new WireError("shape", "order messages are not in ascending order");
  }
  return messages;
}

/** What a contract may call a message. */
function asSaid(value: CborValue | undefined): string {
  const name = asText(value, "name of an order's messages");
  if (/^[a-z][a-z0-9-]{0,63}$/.test(name)) return name;
  throw new WireError("shape", `name of an order's messages must be of a-z, 0-9 and -, a letter first`);
}

function parametersFrom(value: CborValue | undefined): Map<string, ParameterValue> {
  if (!(value instanceof Map)) asMap(value, "order parameters", []);
  const entries = [...(value as ReadonlyMap<number | string, CborValue>)];
  if (entries.length > PARAMETERS_MAX) {
    throw new WireError("limit", `order must name at most ${PARAMETERS_MAX} parameters, not ${entries.length}`);
  }
  return new Map(
    entries.map(([name, item]) => [asText(name as CborValue, "name of an order's parameter"), parameterFrom(item)]),
  );
}

function parameterFrom(item: CborValue): ParameterValue {
  if (typeof item === "boolean") return item;
  if (typeof item !== "string") return asInteger(item, "order's parameter");
  if (item.length > PARAMETER_TEXT_MAX) {
    throw new WireError("limit", `order's parameter must have at most ${PARAMETER_TEXT_MAX} characters`);
  }
  return item;
}

function within(value: CborValue | undefined, name: string, min: number, max: number): number {
  const number = asUint(value, name, max);
  if (number < min) throw new WireError("shape", `${name} must be an integer from ${min} to ${max}, not ${number}`);
  return number;
}
