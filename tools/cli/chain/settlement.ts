// How a chain settles: the length of its slots and the longest gap over which a counter is interpolated, of the contracts in force on it,
// or, in an exported file, of the slots that its blocks close.

import { HEIGHT_MAX } from "../../../src/wire/bounds.js";
import { contractsAt, planOf } from "../../ledger/contract-orders.js";
import { governedHeight } from "../../ledger/governance.js";
import type { ChainSource, ReceiptSource } from "../../sources/source.js";
import { closedSlots } from "./sealed-slots.js";

/** Where neither the chain nor an option says otherwise: a quarter-hour, and an hour, in seconds. */
const USUAL = { slot_s: 900, gapMax_s: 3_600 } as const;

export interface SettlementAsked {
  readonly slot_s: number;
  readonly gapMax_s: number;
  /** where the values are from that no option names */
  readonly said: string | undefined;
}

/** What options name goes first, then what the chain has. Rejects as reading its orders or blocks does. */
export async function settlementAsked(
  source: ChainSource,
  service: number,
  { slot, gap }: { readonly slot?: number; readonly gap?: number },
): Promise<SettlementAsked> {
  if (slot !== undefined && gap !== undefined) return { slot_s: slot, gapMax_s: gap, said: undefined };
  const found = "orders" in source ? await planInForce(source as ReceiptSource, service) : await planOfBlocks(source);
  const slot_s = slot ?? found.slot_s ?? USUAL.slot_s;
  const gapMax_s = gap ?? found.gapMax_s ?? USUAL.gapMax_s;
  const from = (option: number | undefined, own: number | undefined) =>
    option !== undefined ? "as asked" : own !== undefined ? "as the chain settles" : "as is usual";
  const slots = `slots of ${slot_s} s, ${from(slot, found.slot_s)}`;
  const gaps = `counters interpolated over ${gapMax_s} s at most, ${from(gap, found.gapMax_s)}`;
  return { slot_s, gapMax_s, said: `${slots}; ${gaps}` };
}

interface Found {
  readonly slot_s?: number;
  readonly gapMax_s?: number;
}

async function planInForce(source: ReceiptSource, service: number): Promise<Found> {
  const { governanceOf } = await import("../../authority/orders.js");
  const governance = await governanceOf(await source.genesis(), source.orders());
  const place = { service, height: HEIGHT_MAX, judgedAt: governedHeight(governance) };
  return planOf(contractsAt(governance.contracts, place)) ?? {};
}

/** A block says how long its slots are, not which gap they were made with. */
async function planOfBlocks(source: ChainSource): Promise<Found> {
  const newest = (await closedSlots(source, 0, {})).at(-1);
  return newest === undefined ? {} : { slot_s: newest.slot_s };
}
