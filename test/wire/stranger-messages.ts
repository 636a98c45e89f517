// What the stranger makes of messages between chains and of deadlines: sections 7, 10, 12 and 28 of PROTOCOL.md. It imports neither src
// nor tools.

import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";
import { bounds, counts, sizes } from "./stranger-bounds.js";
import { type StrangerGenesis, verifyCertificate } from "./stranger-genesis.js";
import type { StrangerOrders } from "./stranger-orders.js";
import { bytesOf, demand, list, numberOf, rootOfPath, same, sha256 } from "./stranger-proof.js";

/** A message that a block takes. */
export interface StrangerMessage {
  readonly service: number;
  readonly number: number;
  readonly name: string;
}

/** What a chain has taken of others and sent to them, by their services. */
export interface StrangerLanes {
  readonly taken: Map<number, { readonly next: number; readonly orderedAt: number }>;
  readonly sent: Map<number, number>;
}

export const noLanes = (): StrangerLanes => ({ taken: new Map(), sent: new Map() });

interface Place {
  readonly genesis: StrangerGenesis;
  readonly orders: StrangerOrders;
  readonly service: number;
  /** of the block */
  readonly height: number;
  readonly judgedAt: number;
  readonly lanes: StrangerLanes;
}

/** Takes the messages of one block, each the next of its chain and proved sealed there; answers them by lot and number. */
export function takeMessages(place: Place, notices: readonly Uint8Array[]): StrangerMessage[] {
  demand(notices.length <= counts.messages, "block has messages too many");
  const messages = notices.map((notice) => takeMessage(place, notice));
  for (const { service } of messages) {
    const own = messages.filter((other) => other.service === service).length;
    demand(own <= counts.messagesOfOne, "block has messages of one chain too many");
  }
  const lots = new Map(messages.map(({ service }) => [service, sha256(independentCbor([place.height, service]))]));
  return [...messages].sort(
    (one, other) => Buffer.compare(lots.get(one.service)!, lots.get(other.service)!) || one.number - other.number,
  );
}

function takeMessage({ genesis, orders, service: own, judgedAt, lanes }: Place, bytes: Uint8Array): StrangerMessage {
  demand(bytes.length <= sizes.carried, "a carried message is too long");
  const [item, receipt, ordered] = list(independentDecode(bytes), 3);
  const fields = list(independentDecode(bytesOf(item)), 11);
  const [kind, from, height, , , contract, name, body, to, numbered, hops] = fields;
  demand(kind === "gs1/message" && to === own, "a message is none, or for another chain");
  demand((contract === null || typeof contract === "string") && typeof name === "string", "a message has no name");
  numberOf(hops, bounds.hops);
  demand(bytesOf(body).length <= sizes.messageBody, "a message's body is too long");
  const service = numberOf(from, bounds.service, 1);
  const number = numberOf(numbered, bounds.message);
  const orderedAt = numberOf(ordered, bounds.height);
  const before = lanes.taken.get(service) ?? { next: 0, orderedAt: 0 };
  demand(number === before.next, "a message is not the next of its chain");
  demand(orderedAt >= before.orderedAt && orderedAt <= judgedAt, "a message names an order out of turn");
  lanes.taken.set(service, { next: number + 1, orderedAt });
  proveSealed({ genesis, orders }, { service, height: numberOf(height, bounds.height, 1), orderedAt, judgedAt }, [
    bytesOf(item),
    bytesOf(receipt),
  ]);
  return { service, number, name: String(name) };
}

/** The receipt is of this message, its certificate of members that the order at this contracts height has named. */
function proveSealed(
  { genesis, orders }: Pick<Place, "genesis" | "orders">,
  at: { readonly service: number; readonly height: number; readonly orderedAt: number; readonly judgedAt: number },
  [item, receipt]: readonly [Uint8Array, Uint8Array],
): void {
  const fields = list(independentDecode(receipt), 10);
  const [version, network, chain, height, hash, leaf, size, path, header, certificate] = fields;
  demand(receipt.length <= sizes.receipt && version === 1, "a message's receipt is none");
  demand(network === genesis.network && chain === at.service && height === at.height, "a receipt is of another block");
  same(bytesOf(hash, 32), sha256(item), "hash of a message in its receipt");
  const place = numberOf(leaf, bounds.leaves - 1, 1);
  const hashes = list(path).map((one) => bytesOf(one, 32));
  const root = rootOfPath(bytesOf(hash, 32), place, numberOf(size, bounds.leaves), hashes);
  same(bytesOf(header, 80).subarray(36, 68), root, "Merkle root of a message's receipt");
  const sets = orders.chains.get(at.service)?.sets ?? [];
  demand((sets[0]?.at ?? Number.POSITIVE_INFINITY) <= at.judgedAt, "a message is of a chain that is not known");
  const named = sets.filter(({ at: ordered, from }) => ordered === at.orderedAt && from <= at.height);
  const isSealed = named.some(({ members }) => {
    try {
      verifyCertificate(genesis, at.service, members, at.height, sha256(bytesOf(header)), certificate);
      return true;
    } catch {
      return false;
    }
  });
  demand(isSealed, "a message is sealed by no members whom its order has named");
}

/** The messages that a block's runs and rules have put out have the numbers that come next. */
export function countSent(lanes: StrangerLanes, outcomes: readonly Item[]): void {
  for (const outcome of outcomes) {
    const row = list(outcome);
    if (row[1] !== 1 && row[1] !== 2 && row[1] !== 5) continue;
    for (const effect of list(row[1] === 5 ? row[2] : row[4])) {
      const [sort, , , service, number] = list(effect);
      if (sort !== 2) continue;
      const to = numberOf(service, bounds.service, 1);
      demand(number === (lanes.sent.get(to) ?? 0), "a message has not the number that comes next");
      lanes.sent.set(to, Number(number) + 1);
    }
  }
}

/** One deadline after the other in their order, none before its time; a notice that something is due is of the first. */
export function checkDue(entries: readonly (readonly Item[])[], time_ms: number, notices: readonly Uint8Array[]): void {
  demand(entries.length <= counts.due && notices.length <= 1, "block has deadlines too many");
  const orderOf = ([, time, contract, key]: readonly Item[]) => {
    const digits = String(numberOf(time, bounds.time_s)).padStart(13, "0");
    return Buffer.from(`${digits}/${String(contract)}/${String(key)}`);
  };
  for (const [index, entry] of entries.entries()) {
    demand(entry.length === 4 && typeof entry[3] === "string", "a deadline has no key");
    demand(Buffer.byteLength(String(entry[3])) <= sizes.dueKey, "a deadline's key is too long");
    demand(numberOf(entry[1], bounds.time_s) * 1_000 <= time_ms, "a deadline is taken before its time");
    const before = entries[index - 1];
    demand(before === undefined || Buffer.compare(orderOf(before), orderOf(entry)) < 0, "deadlines are out of order");
  }
  for (const notice of notices) {
    demand(independentDecode(notice) === entries[0]?.[1], "a notice says that something is due which is not");
  }
}
