// Orders of the authority, sealed on the contracts chain: a chain's members from a height on, a new chain, meters that are revoked,
// suspended, ended or assigned, nodes that are banned, contracts. Signed by the authority of the genesis, numbered 1, 2, 3 ... so that every node comes to the
// same state.

import { ASSIGN_ACTION, type AssignAction, assignAction, assignActionToArray } from "./assignment-order.js";
import { CODE_MAX, COUNTER_MAX, NODES_MAX, SEQ_MAX, SERVICE_MAX } from "./bounds.js";
import { equalBytes, toHex } from "./bytes.js";
import { type CborValue, encodeCbor } from "./cbor.js";
import {
  type ContractAction,
  checkSource,
  checkTried,
  contractActionToArray,
  INSTALL_ACTION,
  installAction,
  PARAMETERS_ACTION,
  parametersAction,
  RETIRE_ACTION,
  retireAction,
  travellingOrder,
} from "./contract-order.js";
import { WireError } from "./error.js";
import {
  CHAIN_ACTION,
  type ChainAction,
  chainAction,
  checkOrdered,
  orderBody,
  orderMembers,
} from "./founding-order.js";
import { type Genesis, type Member, memberToArray, verifiersOf } from "./genesis.js";
import type { Signer, Verify } from "./key.js";
import { signOrder } from "./order-signatures.js";
import { asArray, asBytes, asHeight, asList, asOrderNumber, asService, asUint } from "./shape.js";

export { type ChainAction, ORDER_BYTES_MAX } from "./founding-order.js";

/** Meters that one order revokes. */
export const REVOKED_MAX = 1_000;
const MEMBERS_ACTION = 1;
const REVOKE_ACTION = 3;
const BAN_ACTION = 4;
const SUSPEND_ACTION = 5;
const RESUME_ACTION = 6;
const END_ACTION = 7;
const REGISTER_ACTION = 8;
const WITHDRAW_ACTION = 13;

/** That a node is willing to be a member of a chain and holds its key. */
export interface Ready {
  readonly node: Uint8Array;
  readonly signature: Uint8Array;
}

/** A chain's members, all of them, from a height on. */
export interface MembersAction {
  readonly type: "members";
  readonly chain: number;
  /** the first height that they seal, or later: the chain has to know of the order */
  readonly effectiveHeight: number;
  /** in the order in which they propose */
  readonly members: readonly Member[];
  /** of nodes that are no members before */
  readonly ready: readonly Ready[];
  /** how many of them are to verify a temporary block */
  readonly verifiers: number;
}

/** No node takes new records of these meters. */
export interface RevokeAction {
  readonly type: "revoke";
  /** key ids, ascending */
  readonly meters: readonly Uint8Array[];
}

/** No node keeps a link to these nodes, whatever certificate they have. */
export interface BanAction {
  readonly type: "ban";
  /** key ids, ascending */
  readonly nodes: readonly Uint8Array[];
}

/** Until they are resumed no records of these meters are sealed. */
export interface SuspendAction {
  readonly type: "suspend";
  /** key ids, ascending */
  readonly meters: readonly Uint8Array[];
}

/** These meters are suspended no more, and go on where they stopped. */
export interface ResumeAction {
  readonly type: "resume";
  /** key ids, ascending */
  readonly meters: readonly Uint8Array[];
}

/** Of a meter no record is sealed any more but those that it signed before. */
export interface EndAction {
  readonly type: "end";
  readonly meter: Uint8Array;
  /** of each service, ascending, the first number that is not sealed any more; nothing of any other service is */
  readonly ends: readonly (readonly [service: number, seq: number])[];
  /** key id of the meter that takes its place */
  readonly successor: Uint8Array | undefined;
}

/** The head of the authority's register: whoever sees the register later can tell whether it lost entries. */
export interface RegisterAction {
  readonly type: "register";
  /** number of the newest entry */
  readonly entry: number;
  /** SHA-256 of it */
  readonly hash: Uint8Array;
}

/** An order of members is taken back: the set before it holds again. */
export interface WithdrawAction {
  readonly type: "withdraw";
  /** number of that order, the last one of its chain that stands */
  readonly order: number;
}

export type Action =
  | MembersAction
  | ChainAction
  | RevokeAction
  | BanAction
  | SuspendAction
  | ResumeAction
  | EndAction
  | RegisterAction
  | WithdrawAction
  | AssignAction
  | ContractAction;

export interface Order {
  /** 1, 2, 3 ... over the network */
  readonly number: number;
  /** UTC seconds */
  readonly time_s: number;
  readonly action: Action;
  /** that an order to install names, where it came with it */
  readonly source?: string;
}

/** What a node signs to say that it is ready to be a member of a chain. */
export function readyBytes(genesisHash: Uint8Array, chain: number, node: Uint8Array): Uint8Array {
  return encodeCbor(["gs1/ready", genesisHash, chain, node]);
}

/** Signs an order for the network, with the first of its signatures where it needs several. Throws a WireError where it could not be read again. */
export function issueOrder(order: Order, genesis: Pick<Genesis, "hash" | "ordering">, authority: Signer): Uint8Array {
  const payload = new Map<number, CborValue>([
    [1, 1],
    [2, genesis.hash],
    [3, order.number],
    [4, order.time_s],
    [5, actionToArray(order.action)],
  ]);
  const bytes = signOrder(encodeCbor(payload), genesis.ordering, authority);
  readOrder(bytes, genesis);
  return bytes;
}

/**
 * Reads an order with the source that it may come with, for this network where one is given; neither its signatures nor those of
 * READY are checked.
 */
export function readOrder(bytes: Uint8Array, genesis?: Pick<Genesis, "hash">): Order {
  const { order, source } = travellingOrder(bytes);
  const { number, time_s, action: items } = orderBody(order, genesis);
  const action = actionFrom(items);
  if (source === undefined) return { number, time_s, action };
  checkSource(action, source);
  return { number, time_s, action, source };
}

/** Reads an order and checks that the authority has signed it with as many keys as the genesis asks for, and each READY in it its node. */
export function verifyOrder(
  bytes: Uint8Array,
  genesis: Pick<Genesis, "hash" | "authority" | "ordering">,
  verify: Verify,
): Order {
  const order = readOrder(bytes, genesis);
  checkOrdered(travellingOrder(bytes).order, genesis, verify);
  const { action } = order;
  if (action.type === "install") checkTried(genesis.hash, action, verify);
  if (action.type !== "members") return order;
  for (const { node, signature } of action.ready) {
    const member = action.members.find(({ id }) => equalBytes(id, node))!;
    if (!verify(member.key, readyBytes(genesis.hash, action.chain, node), signature)) {
      throw new WireError("unproven", `order: READY of ${member.name} is not signed by it`);
    }
  }
  return order;
}

function actionToArray(action: Action): CborValue {
  switch (action.type) {
    case "members":
      return [
        MEMBERS_ACTION,
        action.chain,
        action.effectiveHeight,
        action.members.map(memberToArray),
        action.ready.map(({ node, signature }) => [node, signature]),
        action.verifiers,
      ];
    case "chain":
      return [
        CHAIN_ACTION,
        action.service,
        action.name,
        action.members.map(memberToArray),
        action.target,
        action.verifiers,
      ];
    case "revoke":
      return [REVOKE_ACTION, action.meters];
    case "ban":
      return [BAN_ACTION, action.nodes];
    case "suspend":
      return [SUSPEND_ACTION, action.meters];
    case "resume":
      return [RESUME_ACTION, action.meters];
    case "end":
      return [END_ACTION, action.meter, action.ends.map(([service, seq]) => [service, seq]), action.successor ?? null];
    case "register":
      return [REGISTER_ACTION, action.entry, action.hash];
    case "withdraw":
      return [WITHDRAW_ACTION, action.order];
    case "assign":
      return assignActionToArray(action);
    default:
      return contractActionToArray(action);
  }
}

function actionFrom(items: readonly CborValue[]): Action {
  switch (asUint(items[0], "order action type", CODE_MAX)) {
    case MEMBERS_ACTION:
      return membersAction(asArray(items, "order of members", 6));
    case CHAIN_ACTION:
      return chainAction(items);
    case REVOKE_ACTION:
      return revokeAction(asArray(items, "order of revocation", 2));
    case BAN_ACTION:
      return banAction(asArray(items, "order of a ban", 2));
    case SUSPEND_ACTION:
      return { type: "suspend", meters: metersOf(asArray(items, "order of suspension", 2)) };
    case RESUME_ACTION:
      return { type: "resume", meters: metersOf(asArray(items, "order of resumption", 2)) };
    case END_ACTION:
      return endAction(asArray(items, "order of an end", 4));
    case REGISTER_ACTION:
      return registerAction(asArray(items, "order of a register", 3));
    case WITHDRAW_ACTION:
      return withdrawAction(asArray(items, "order of a withdrawal", 2));
    case INSTALL_ACTION:
      return installAction(items);
    case PARAMETERS_ACTION:
      return parametersAction(items);
    case RETIRE_ACTION:
      return retireAction(items);
    case ASSIGN_ACTION:
      return assignAction(items);
    default:
      throw new WireError("unsupported", `order action type ${String(items[0])} is not known`);
  }
}

function membersAction([, chain, height, items, ready, verifiers]: readonly CborValue[]): MembersAction {
  const members = orderMembers(items);
  const action: MembersAction = {
    type: "members",
    chain: asService(chain, "order chain"),
    effectiveHeight: asHeight(height, "order effective height"),
    members,
    verifiers: verifiersOf(verifiers, members.length, "order verifiers"),
    ready: asArray(ready, "order READY").map((item) => {
      const [node, signature] = asArray(item, "order READY", 2);
      return { node: asBytes(node, "READY node", 8), signature: asBytes(signature, "READY signature", 64) };
    }),
  };
  const ids = action.ready.map(({ node }) => toHex(node));
  const known = new Set(action.members.map(({ id }) => toHex(id)));
  if (new Set(ids).size !== ids.length || !ids.every((id) => known.has(id))) {
    throw new WireError("shape", "order: READY must be of its members, each at most once");
  }
  return action;
}

function revokeAction([, meters]: readonly CborValue[]): RevokeAction {
  return { type: "revoke", meters: idsFrom(meters, "meters", REVOKED_MAX) };
}

function metersOf([, meters]: readonly CborValue[]): Uint8Array[] {
  return idsFrom(meters, "meters", REVOKED_MAX);
}

function endAction([, meter, ends, successor]: readonly CborValue[]): EndAction {
  const action: EndAction = {
    type: "end",
    meter: asBytes(meter, "order meter", 8),
    ends: asList(ends, "order ends", SERVICE_MAX).map((item) => {
      const [service, seq] = asArray(item, "order end", 2);
      return [asService(service, "order end's service"), asUint(seq, "order end's number", SEQ_MAX)] as const;
    }),
    successor: successor === null ? undefined : asBytes(successor, "order successor", 8),
  };
  if (action.ends.some(([service], index) => index > 0 && service <= action.ends[index - 1]![0])) {
    throw new WireError("shape", "order ends are not in ascending order of services");
  }
  if (action.successor !== undefined && equalBytes(action.successor, action.meter)) {
    throw new WireError("shape", "order names a meter as its own successor");
  }
  return action;
}

function registerAction([, entry, hash]: readonly CborValue[]): RegisterAction {
  const number = asUint(entry, "order register entry", COUNTER_MAX);
  if (number === 0) throw new WireError("shape", "order names no entry of the register");
  return { type: "register", entry: number, hash: asBytes(hash, "order register hash", 32) };
}

function withdrawAction([, order]: readonly CborValue[]): WithdrawAction {
  return { type: "withdraw", order: asOrderNumber(order, "order that is withdrawn") };
}

function banAction([, nodes]: readonly CborValue[]): BanAction {
  return { type: "ban", nodes: idsFrom(nodes, "nodes", NODES_MAX) };
}

function idsFrom(value: CborValue | undefined, what: string, max: number): Uint8Array[] {
  const ids = asArray(value, `order ${what}`).map((item) => asBytes(item, `id in order ${what}`, 8));
  if (ids.length === 0 || ids.length > max) {
    throw new WireError("shape", `order must name 1 to ${max} ${what}, not ${ids.length}`);
  }
  if (ids.some((id, index) => index > 0 && toHex(id) <= toHex(ids[index - 1]!))) {
    throw new WireError("shape", `order ${what} are not in ascending order`);
  }
  return ids;
}
