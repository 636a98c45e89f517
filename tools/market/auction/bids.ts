// Sealed bids: until gate closure a digest stands for each, then its signer opens it. What is not opened before the clearing is a breach.

import type { Context, Deadline, Operation, Value } from "../../contracts/author.js";
import { quotient } from "../amounts.js";
import { fieldsOf, granted, grantedTo, listOf, oneOf, TIME_S_MAX, textOf, wholeOf } from "../asked.js";
import { type Bid, clear } from "../auction.js";
import { BIDS_MAX, bidsOf, forgetBids, padded, putBid, type SealedBid, type Traded } from "./kept.js";
import { bidDigest } from "./types.js";

/** Roles of a credential (PROTOCOL.md, section 5): grid operator, metered data administrator. */
const meteringRoles = [5, 13];
const POINTS_TOGETHER = 50;
const POINTS_MAX = 60;
/** Bids of one participant for a slot: steps of what he would pay or take. */
const STEPS_MAX = 50;
const ENERGY_MAX = 1_000_000_000_000;
const MWH = 1_000_000n;
const DISPATCH = 3;

interface Times {
  readonly slot_s: number;
  /** Bids are taken before this many seconds ahead of the slot. */
  readonly gate_s: number;
  /** So long they can be opened then. */
  readonly opening_s: number;
}

function timesOf({ parameters }: Context): Times {
  const { slot_s, gate_s, opening_s } = parameters;
  return { slot_s: Number(slot_s ?? 900), gate_s: Number(gate_s ?? 3_600), opening_s: Number(opening_s ?? 900) };
}

function bandOf({ parameters }: Context) {
  return { floor: Number(parameters.floor ?? -50_000), cap: Number(parameters.cap ?? 400_000) };
}

/** Whose points are, as who measures there says it; each belongs to one participant. */
export function own(context: Context, operation: Operation): void {
  grantedTo(operation, meteringRoles);
  const rows = listOf(fieldsOf(operation.body, ["points"]).points, POINTS_TOGETHER, "points").map((row) => {
    const [point, participant] = listOf(row, 2, "points");
    const id = textOf(point, "point");
    const [by] = (context.get(`point/${id}`) ?? [operation.participant]) as readonly string[];
    granted(by === operation.participant, "not-yours", id);
    return { id, owner: textOf(participant, "participant") };
  });
  const counts = new Map<string, number>();
  for (const { owner } of rows) counts.set(owner, (counts.get(owner) ?? pointsOf(context, owner).length) + 1);
  for (const [owner, count] of counts) granted(count <= POINTS_MAX, "full", owner);
  for (const { id, owner } of rows) {
    const [, before] = (context.get(`point/${id}`) ?? []) as readonly string[];
    if (before !== undefined)
      context.put(
        `points/${before}`,
        pointsOf(context, before).filter((each) => each !== id),
      );
    context.put(`point/${id}`, [operation.participant, owner]);
    context.put(`points/${owner}`, [...pointsOf(context, owner), id]);
  }
  context.effect(
    "points",
    rows.map(({ id, owner }) => [id, owner]),
  );
}

export function pointsOf(context: Context, participant: string): readonly string[] {
  return (context.get(`points/${participant}`) ?? []) as unknown as readonly string[];
}

export function bid(context: Context, { participant, body }: Operation): void {
  const fields = fieldsOf(body, ["slot", "digest"]);
  const { slot_s, gate_s, opening_s } = timesOf(context);
  const slot = slotFrom(fields.slot, slot_s);
  const digest = textOf(fields.digest, "digest");
  granted(digest.length === 64, "malformed", "digest");
  granted(context.time_s < slot - gate_s, "gate-closed", slot - gate_s);
  granted(pointsOf(context, participant).length > 0, "no-point", participant);
  const bids = bidsOf(context, slot);
  granted(bids.length < BIDS_MAX, "full", BIDS_MAX);
  const own = bids.filter(([who]) => who === participant);
  granted(own.length < STEPS_MAX, "full", STEPS_MAX);
  granted(
    own.every(([, known]) => known !== digest),
    "exists",
    digest,
  );
  putBid(context, slot, [bids.length, [participant, digest, null, null, null]]);
  context.put(`due/${padded(slot, 13)}`, [slot - gate_s + opening_s, null]);
  context.effect("bid", { slot, participant, digest });
}

function slotFrom(value: Value | undefined, slot_s: number): number {
  const slot = wholeOf(value, [0, TIME_S_MAX], "slot");
  granted(slot % slot_s === 0, "malformed", "slot");
  return slot;
}

/** Opens a bid, by all of which its digest was made. */
export function open(context: Context, { participant, body }: Operation): void {
  const fields = fieldsOf(body, ["slot", "side", "price", "volume", "salt"]);
  const { slot_s, gate_s } = timesOf(context);
  const { floor, cap } = bandOf(context);
  const slot = slotFrom(fields.slot, slot_s);
  const opening = {
    ...{ slot, side: oneOf(fields.side, ["buy", "sell"] as const, "side") },
    ...{ price: wholeOf(fields.price, [floor, cap], "price"), salt: textOf(fields.salt, "salt") },
    volume: wholeOf(fields.volume, [1, ENERGY_MAX], "volume"),
  };
  for (const character of opening.salt) granted(character > " " && character <= "~", "malformed", "salt");
  granted(context.time_s >= slot - gate_s, "gate-open", slot - gate_s);
  const digest = bidDigest(participant, opening);
  const bids = bidsOf(context, slot);
  const place = bids.findIndex(([who, known, side]) => who === participant && known === digest && side === null);
  granted(place >= 0, "no-bid", digest);
  const { side, price, volume } = opening;
  granted(isWithinLimit(context, { participant, bids, side, price, volume }), "credit-limit", participant);
  putBid(context, slot, [place, [participant, digest, side, price, volume]]);
  context.effect("opened", { slot, participant, side, price, volume });
}

/** Whether all that a participant has opened to buy in the slot, at his own prices, is within what credit lets him owe. */
function isWithinLimit(
  context: Context,
  asked: { readonly participant: string; readonly bids: readonly SealedBid[] } & Pick<
    Opened,
    "side" | "price" | "volume"
  >,
): boolean {
  const limit = context.get(`limit/${asked.participant}`);
  if (asked.side === "sell" || limit === undefined) return true;
  let owed = BigInt(asked.price) * BigInt(asked.volume);
  for (const [who, , side, price, volume] of asked.bids) {
    if (who === asked.participant && side === "buy") owed += BigInt(price!) * BigInt(volume!);
  }
  return quotient(owed, MWH) <= BigInt(limit as number | bigint);
}

interface Opened {
  readonly participant: string;
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly volume: number;
}

/** Clears a slot: trades at one price, in the order in which bids were sealed. */
export function due(context: Context, { key }: Deadline): void {
  const slot = Number(key);
  const bids = bidsOf(context, slot);
  const opened = bids.flatMap(([participant, , side, price, volume]): Opened[] =>
    side === null ? [] : [{ participant, side, price: price!, volume: volume! }],
  );
  const { floor, cap } = bandOf(context);
  const list = opened.map(({ side, price, volume }): Bid => ({ side, price: BigInt(price), volume: BigInt(volume) }));
  const { price, volume, fills } = clear(list, { floor: BigInt(floor), cap: BigInt(cap) });
  const breaches = new Set(bids.filter(([, , side]) => side === null).map(([participant]) => participant));
  for (const participant of breaches) context.violation("unopened", participant, { slot });
  const trades = opened.flatMap(({ participant, side }, index) =>
    fills[index]! > 0n ? [[participant, side, fills[index]!] as const] : [],
  );
  context.effect("cleared", { slot, price, volume, bids: bids.length, opened: opened.length, trades });
  forgetBids(context, slot);
  if (price === null) return;
  context.put(`trade/${padded(slot, 13)}`, { price, rows: netOf(trades) });
  tell(context, { slot, price, trades });
}

type Trade = readonly [participant: string, side: "buy" | "sell", volume: bigint];

function netOf(trades: readonly Trade[]): Traded[] {
  const net = new Map<string, Traded>();
  for (const [participant, side, volume] of trades) {
    const [, bought, sold] = net.get(participant) ?? [participant, 0n, 0n];
    const [more, less] = side === "buy" ? [volume, 0n] : [0n, volume];
    net.set(participant, [participant, BigInt(bought as bigint) + more, BigInt(sold as bigint) + less]);
  }
  return [...net.values()];
}

const TRADES_TOGETHER = 200;

/** Dispatch hears what is to be carried: each trade with the points of who trades. */
function tell(
  context: Context,
  { slot, price, trades }: { readonly slot: number; readonly price: bigint; readonly trades: readonly Trade[] },
): void {
  const service = Number(context.parameters.dispatch ?? DISPATCH);
  if (service === 0) return;
  const { slot_s } = timesOf(context);
  for (let at = 0; at < trades.length; at += TRADES_TOGETHER) {
    const rows = trades.slice(at, at + TRADES_TOGETHER).map(([participant, side, volume]) => {
      const [point] = pointsOf(context, participant);
      return [participant, point ?? null, side, volume];
    });
    context.message(service, "trades", { slot, length: slot_s, price, trades: rows, first: at, count: trades.length });
  }
}
