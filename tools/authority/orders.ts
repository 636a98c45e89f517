// The authority's orders: what is sealed so far, read from a node and verified, and the next one,
// signed into a file.

import { equalBytes, fromHex, toHex } from "../../src/wire/bytes.js";
import { withSource } from "../../src/wire/contract-order.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { decodeKey, encodeKey, keyId, type Signer } from "../../src/wire/key.js";
import { type Action, issueOrder, type Order, type Ready, readyBytes, verifyOrder } from "../../src/wire/order.js";
import { defaultVerifiers } from "../../src/wire/quorum.js";
import { isSafeKey } from "../crypto/safe-key.js";
import { nodeVerify } from "../crypto/signatures.js";
import { GridsealError, reasonOf } from "../errors.js";
import { createFile, readWhole, refuseExisting } from "../files/made-once.js";
import type { SealedOrder, Seats } from "../ledger/governance.js";
import {
  type Governance,
  govern,
  governedChain,
  governedHeight,
  initialGovernance,
  standingSeats,
} from "../ledger/governance.js";
import { registerOf } from "./folder.js";
import { keepOrder } from "./issued-orders.js";
import type { Change } from "./register/changes.js";
import { canBecome, type StateChange } from "./register/credential-rules.js";
import { type Register, withRegister } from "./register/register.js";
import { credentialsOf } from "./register/rows.js";

const READY_BYTES_MAX = 4_096;

/** A node that is willing to be a member of a chain, as its READY file says. */
export interface ReadyNode {
  readonly chain: number;
  readonly member: Member;
  readonly ready: Ready;
}

/**
 * Verifies orders in the order of their numbers and puts them one upon the other. Throws
 * CHAIN_INVALID.
 */
export async function governanceOf(genesis: Genesis, orders: AsyncIterable<SealedOrder>): Promise<Governance> {
  let governance = initialGovernance(genesis);
  for await (const { contractsHeight, bytes } of orders) {
    const name = `order ${governance.lastOrder + 1}`;
    let order: Order;
    try {
      order = verifyOrder(bytes, genesis, nodeVerify);
    } catch (cause) {
      throw new GridsealError("CHAIN_INVALID", `${name}: ${reasonOf(cause)}`, { cause });
    }
    const governed = govern(governance, order, contractsHeight);
    if (governed.type === "refused") throw new GridsealError("CHAIN_INVALID", `${name}: ${governed.reason}`);
    governance = governed.governance;
  }
  return governance;
}

/** Who comes, who goes, and how many are to verify; where that is not said it stays what it is: all, the default, or a number. */
export interface MembersChange {
  readonly admit: ReadyNode | undefined;
  readonly remove: Uint8Array | undefined;
  readonly verifiers: number | undefined;
}

/**
 * The members of a chain with one admitted, one removed, or one in the other's place. Throws NOT_FOUND or ORDER_REFUSED.
 */
export function membersAction(
  governance: Governance,
  service: number,
  effectiveHeight: number,
  change: MembersChange,
): Action {
  const governed = governedChain(governance, service);
  if (governed === undefined)
    throw new GridsealError(
      "NOT_FOUND",
      `no chain ${service} is known here: name a node by --api or --data where an order added it`,
    );
  const seats = standingSeats(governed);
  const before = seats.members;
  const { admit, remove } = change;
  if (admit !== undefined && admit.chain !== service) {
    throw new GridsealError("ORDER_REFUSED", `the READY file is for chain ${admit.chain}, not ${service}`);
  }
  const place = remove === undefined ? -1 : before.findIndex(({ id }) => equalBytes(id, remove));
  if (remove !== undefined && place < 0) {
    throw new GridsealError("ORDER_REFUSED", `${toHex(remove)} is no member of chain ${service}`);
  }
  const come = admit === undefined ? [] : [admit.member];
  // Who takes another's place proposes in its turn.
  const members = place < 0 ? [...before, ...come] : [...before.slice(0, place), ...come, ...before.slice(place + 1)];
  const ready = admit === undefined ? [] : [admit.ready];
  const verifiers = change.verifiers ?? verifiersAfter(seats, members.length);
  return { type: "members", chain: service, effectiveHeight, members, ready, verifiers };
}

function verifiersAfter({ members, verifiers }: Seats, count: number): number {
  if (verifiers === members.length) return count;
  return verifiers === defaultVerifiers(members.length) ? defaultVerifiers(count) : Math.min(verifiers, count);
}

/** The authority that signs: its own key, opened, and its folder. */
export interface OrderingAuthority {
  readonly folder: string;
  readonly own: Signer;
}

/** The order of an action that follows the sealed ones, or has the number given. Throws ORDER_REFUSED where it would not apply. */
export function nextOrder(
  governance: Governance,
  action: Action,
  options: { readonly number: number | undefined; readonly now: Date; readonly source?: string | undefined },
): Order {
  const order: Order = {
    number: options.number ?? governance.lastOrder + 1,
    time_s: Math.floor(options.now.getTime() / 1_000),
    action,
    ...(options.source !== undefined && { source: options.source }),
  };
  const governed = govern({ ...governance, lastOrder: order.number - 1 }, order, governedHeight(governance) + 1);
  if (governed.type === "refused")
    throw new GridsealError("ORDER_REFUSED", `the order would not apply: ${governed.reason}`);
  return order;
}

/**
 * Signs an order and writes its file; the register has what it makes of credentials before. Throws ORDER_REFUSED for what no order can say,
 * or what reading and writing files throw.
 */
export async function writeOrder(
  authority: OrderingAuthority,
  { genesis }: Governance,
  order: Order,
  out: string,
): Promise<void> {
  const { folder, own } = authority;
  let bytes: Uint8Array;
  try {
    bytes = issueOrder(order, genesis, own);
  } catch (cause) {
    throw new GridsealError("ORDER_REFUSED", `no order can say this: ${reasonOf(cause)}`, { cause });
  }
  await refuseExisting(out);
  await withRegister(registerOf(folder), (register) => noteOrder(register, order));
  const travelling = order.source === undefined ? bytes : withSource(bytes, order.source);
  await createFile(out, travelling);
  await keepOrder(folder, order, travelling);
}

/** What the order makes of credentials that this authority has issued; others may have been issued elsewhere. */
function noteOrder(register: Register, { number, time_s, action }: Order): void {
  const { meters, to } = statesOf(action);
  const changes: Change[] = [];
  for (const meter of meters.map(toHex)) {
    const known = credentialsOf(register, "keys", meter);
    if (!known.some(({ state }) => canBecome(state, to))) continue;
    changes.push({ type: "state", meter, to, reason: `order ${number}` });
  }
  register.update(time_s, () => changes);
}

function statesOf(action: Action): { readonly meters: readonly Uint8Array[]; readonly to: StateChange } {
  switch (action.type) {
    case "revoke":
      return { meters: action.meters, to: "revoked" };
    case "suspend":
      return { meters: action.meters, to: "suspended" };
    case "resume":
      return { meters: action.meters, to: "valid" };
    case "end":
      return { meters: [action.meter], to: "replaced" };
    default:
      return { meters: [], to: "valid" };
  }
}

/** Writes a node's READY for a chain. Throws FILE_EXISTS or FILE_UNWRITABLE. */
export async function writeReady(
  path: string,
  genesis: Genesis,
  chain: number,
  name: string,
  signer: Signer,
): Promise<void> {
  const node = keyId(signer.key);
  const signature = signer.sign(readyBytes(genesis.hash, chain, node));
  const document = { version: 1, chain, name, key: toHex(encodeKey(signer.key)), ready: toHex(signature) };
  await createFile(path, `${JSON.stringify(document, null, 2)}\n`);
}

/**
 * Reads a READY file and checks its signature for the network. Throws FILE_UNREADABLE or
 * KEY_INVALID.
 */
export async function readReady(path: string, genesis: Genesis): Promise<ReadyNode> {
  const text = new TextDecoder().decode(await readWhole(path, READY_BYTES_MAX));
  try {
    const { version, chain, name, key: hex, ready } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const [key, signature] = [hex, ready].map((value) => fromHex(String(value)));
    if (version !== 1 || key === undefined || signature === undefined || !Number.isSafeInteger(chain)) {
      throw new WireError("shape", "it is not of version 1 with chain, name, key and ready");
    }
    const publicKey = decodeKey(key);
    const id = keyId(publicKey);
    if (!isSafeKey(publicKey)) throw new WireError("unproven", "its key must not be certified");
    if (!nodeVerify(publicKey, readyBytes(genesis.hash, Number(chain), id), signature)) {
      throw new WireError("unproven", "it is not signed by its node for this network");
    }
    return { chain: Number(chain), member: { id, key: publicKey, name: String(name) }, ready: { node: id, signature } };
  } catch (cause) {
    throw new GridsealError("KEY_INVALID", `${path} is no READY of a node: ${reasonOf(cause)}`, { cause });
  }
}
