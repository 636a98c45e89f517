// Sealed bids: until gate closure a digest stands for each, then its signer opens it. What is not opened before the clearing is a breach.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { quotient } from "../amounts.js";
import { fieldsOf, granted, hexOf, oneOf, plainOf, TIME_S_MAX, wholeOf } from "../asked.js";
import { grantedByLaw } from "../law.js";
import { BIDS_MAX, bidsOf, FURTHER_BIDS_MAX, limitOf, putBid, type SealedBid, slotKey } from "./kept.js";
import { pointsOf } from "./points.js";
import { bandOf, timesOf } from "./rules.js";
import { bidDigest, SALT_DIGITS } from "./types.js";

/** Bids of one participant for a slot: steps of what he would pay or take. */
const STEPS_MAX = 20;
const PRICE_MAX = 100_000_000;
const ENERGY_MAX = 1_000_000_000_000;
const MWH = 1_000_000n;

export function bid(context: Context, { participant, body }: Operation): void {
  const fields = fieldsOf(body, ["slot", "digest"]);
  const { gate_s, opening_s, horizon_s } = timesOf(context);
  const slot = slotFrom(context, fields.slot);
  const digest = hexOf(fields.digest, 64, "digest");
  granted(context.time_s < slot - gate_s, "gate-closed", slot - gate_s);
  granted(slot - context.time_s <= horizon_s, "too-far", context.time_s + horizon_s);
  granted(pointsOf(context, participant).length > 0, "no-point", participant);
  const bids = bidsOf(context, slot);
  const own = bids.filter(([who]) => who === participant);
  granted(own.length < STEPS_MAX, "full", STEPS_MAX);
  // Half of the places are for who has none yet: nobody is kept out by a few who bid much.
  const most = own.length === 0 ? BIDS_MAX : FURTHER_BIDS_MAX;
  granted(bids.length < most, "full", most);
  granted(
    own.every(([, known]) => known !== digest),
    "exists",
    digest,
  );
  putBid(context, slot, [bids.length, [participant, digest, null, null, null, null]]);
  context.put(`due/clear/${slotKey(slot)}`, [slot - gate_s + opening_s, null]);
  context.effect("bid", { slot, participant, digest });
}

function slotFrom(context: Context, value: Value | undefined): number {
  const slot = wholeOf(value, [0, TIME_S_MAX], "slot");
  granted(slot % timesOf(context).slot_s === 0, "malformed", "slot");
  return slot;
}

/** Opens a bid, by all of which its digest was made, and names the point that is to carry it: his only one where it names none. */
export function open(context: Context, { participant, body }: Operation): void {
  const fields = fieldsOf(body, ["slot", "point", "side", "price", "volume", "salt"]);
  const { gate_s } = timesOf(context);
  const { floor, cap } = bandOf(context);
  const slot = slotFrom(context, fields.slot);
  const opening = {
    ...{ slot, side: oneOf(fields.side, ["buy", "sell"] as const, "side") },
    ...{
      price: wholeOf(fields.price, [-PRICE_MAX, PRICE_MAX], "price"),
      salt: hexOf(fields.salt, SALT_DIGITS, "salt"),
    },
    volume: wholeOf(fields.volume, [1, ENERGY_MAX], "volume"),
  };
  grantedByLaw(context, opening.price >= floor, "floor", floor);
  grantedByLaw(context, opening.price <= cap, "cap", cap);
  granted(context.time_s >= slot - gate_s, "gate-open", slot - gate_s);
  const point = pointFrom(context, participant, fields.point);
  const digest = bidDigest(participant, opening);
  const bids = bidsOf(context, slot);
  const place = bids.findIndex(([who, known, side]) => who === participant && known === digest && side === null);
  granted(place >= 0, "no-bid", digest);
  const { side, price, volume } = opening;
  granted(isWithinLimit(context, { participant, bids, side, price, volume }), "credit-limit", participant);
  putBid(context, slot, [place, [participant, digest, side, price, volume, point]]);
  context.effect("opened", { slot, participant, point, side, price, volume });
}

function pointFrom(context: Context, participant: string, value: Value | undefined): string {
  const points = pointsOf(context, participant);
  const isNamed = value !== undefined && value !== null;
  granted(isNamed || points.length <= 1, "which-point", points.length);
  const point = isNamed ? plainOf(value, "point") : (points[0] ?? "");
  granted(points.includes(point), "no-point", isNamed ? point : participant);
  return point;
}

interface Wanted {
  readonly participant: string;
  readonly bids: readonly SealedBid[];
  readonly side: "buy" | "sell";
  readonly price: number;
  readonly volume: number;
}

/** Whether all that a participant has opened in the slot, at his own prices, is within what credit lets him owe. */
function isWithinLimit(context: Context, asked: Wanted): boolean {
  const limit = limitOf(context, asked.participant);
  if (limit === undefined) return true;
  let owed = owedFor(asked.side, asked.price, asked.volume);
  for (const [who, , side, price, volume] of asked.bids) {
    if (who === asked.participant && side !== null) owed += owedFor(side, price!, volume!);
  }
  return quotient(owed, MWH) <= BigInt(limit[0]);
}

/** What one bid may come to owe: its buyer above 0, its seller below. What it may come to get makes up for no other bid. */
function owedFor(side: "buy" | "sell", price: number, volume: number): bigint {
  const worth = BigInt(price) * BigInt(volume);
  const owed = side === "buy" ? worth : -worth;
  return owed > 0n ? owed : 0n;
}
