// Parameters of the auction contract (docs/trading.md), and what holds where an order sets none.

import type { Context } from "../../contracts/author.js";
import { type Tie, ties } from "../auction.js";
import { chains } from "../messages.js";

const DAY_S = 86_400;

export interface Times {
  readonly slot_s: number;
  /** Bids are taken before this many seconds ahead of the slot, and at most so long ahead. */
  readonly gate_s: number;
  readonly horizon_s: number;
  /** So long they can be opened behind the gate. */
  readonly opening_s: number;
  /** So long behind the slot what was traded is kept, where the slot does not close. */
  readonly kept_s: number;
}

export function timesOf({ parameters }: Context): Times {
  const { slot_s, gate_s, opening_s, horizon_s, kept_s } = parameters;
  return {
    ...{ slot_s: Number(slot_s ?? 900), gate_s: Number(gate_s ?? 3_600), opening_s: Number(opening_s ?? 900) },
    ...{ horizon_s: Number(horizon_s ?? 7 * DAY_S), kept_s: Number(kept_s ?? 7 * DAY_S) },
  };
}

export function bandOf({ parameters }: Context): { readonly floor: number; readonly cap: number } {
  return { floor: Number(parameters.floor ?? -50_000), cap: Number(parameters.cap ?? 400_000) };
}

/** Who is served first of bids at one price. What is none of the three is `time`: a slot has to clear. */
export function tieOf({ parameters }: Context): Tie {
  return ties.find((tie) => tie === parameters.tie) ?? "time";
}

/** Chains that are told of trades and of breaches; 0 for none. */
export function toldOf({ parameters }: Context): { readonly dispatch: number; readonly credit: number } {
  return {
    dispatch: Number(parameters.dispatch_chain ?? chains.dispatch),
    credit: Number(parameters.credit_chain ?? chains.credit),
  };
}

/** Of what is traded, by each side; 10^-5 of the currency's unit for a kWh. */
export function feeOf({ parameters }: Context): bigint {
  return BigInt(Number(parameters.fee ?? 0));
}
