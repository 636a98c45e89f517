// Sealed bids: until gate closure a digest stands for each, then its signer opens it. What nobody tries to open is a breach.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { quotient } from "../amounts.js";
import { type Fields, fieldsOf, granted, hexOf, oneOf, plainOf, TIME_S_MAX, wholeOf } from "../asked.js";
import { grantedByLaw } from "../law.js";
import { BIDS_MAX, bidsOf, FURTHER_BIDS_MAX, isOpened, limitOf, putBid, type SealedBid, slotKey } from "./kept.js";
import { pointsOf } from "./points.js";
import { bandOf, timesOf } from "./rules.js";
import { bidDigest, type Opening, SALT_DIGITS } from "./types.js";

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
  const [gate, end] = [slot - gate_s, slot - gate_s + opening_s];
  context.put(`due/clear/${slotKey(slot)}`, [end, null]);
  context.put(`due/half/${slotKey(slot)}`, [gate + Math.floor(opening_s / 2), end]);
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
  const slot = slotFrom(context, fields.slot);
  const opening = openingFrom(fields, slot);
  const { side, price, volume } = opening;
  const digest = bidDigest(participant, opening);
  const bids = bidsOf(context, slot);
  const place = bids.findIndex(([who, known, side]) => who === participant && known === digest && !isOpened(side));
  const gate = slot - timesOf(context).gate_s;
  const wanted = { participant, bids, side, price, volume };
  if (context.time_s >= gate && bids[place]?.[2] === null && isHindered(context, wanted)) {
    putBid(context, slot, [place, [participant, digest, "denied", null, null, null]]);
  }
  const { floor, cap } = bandOf(context);
  grantedByLaw(context, price >= floor, "floor", floor);
  grantedByLaw(context, price <= cap, "cap", cap);
  granted(context.time_s >= gate, "gate-open", gate);
  const point = pointFrom(context, participant, fields.point);
  granted(place >= 0, "no-bid", digest);
  granted(isWithinLimit(context, wanted), "credit-limit", participant);
  putBid(context, slot, [place, [participant, digest, side, price, volume, point]]);
  context.effect("opened", { slot, participant, point, side, price, volume });
}

function openingFrom(fields: Fields, slot: number): Opening {
  return {
    ...{ slot, side: oneOf(fields.side, ["buy", "sell"] as const, "side") },
    ...{
      price: wholeOf(fields.price, [-PRICE_MAX, PRICE_MAX], "price"),
      salt: hexOf(fields.salt, SALT_DIGITS, "salt"),
    },
    volume: wholeOf(fields.volume, [1, ENERGY_MAX], "volume"),
  };
}

/** Whether he cannot open the bid however he asks; whoever could have named another point is not hindered. */
function isHindered(context: Context, wanted: Wanted): boolean {
  const { floor, cap } = bandOf(context);
  const isBeyond = wanted.price < floor || wanted.price > cap;
  return isBeyond || pointsOf(context, wanted.participant).length === 0 || !isWithinLimit(context, wanted);
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
    if (who === asked.participant && isOpened(side)) owed += owedFor(side, price!, volume!);
  }
  return quotient(owed, MWH) <= BigInt(limit[0]);
}

/** What one bid may come to owe: its buyer above 0, its seller below. What it may come to get makes up for no other bid. */
function owedFor(side: "buy" | "sell", price: number, volume: number): bigint {
  const worth = BigInt(price) * BigInt(volume);
  const owed = side === "buy" ? worth : -worth;
  return owed > 0n ? owed : 0n;
}
