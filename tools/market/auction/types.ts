// Types of the operations that the auction contract takes (PROTOCOL.md, section 4), and the text of which a sealed bid is the digest.

import { sha256OfText } from "../sha256.js";

export const operationTypes = { points: 272, bid: 273, open: 274 } as const;

/** Lower-case hex digits of a salt, 16 bytes. */
export const SALT_DIGITS = 32;

export interface Opening {
  readonly slot: number;
  readonly side: "buy" | "sell";
  /** 10^-5 of the currency's unit for a kWh; may be negative */
  readonly price: number;
  /** mWh */
  readonly volume: number;
  /** drawn by whoever bids, so that nobody guesses the rest: 32 lower-case hex digits */
  readonly salt: string;
}

/** What the bid of a participant, 16 hex digits, is sealed as: nobody else can open it. */
export function bidDigest(participant: string, { slot, side, price, volume, salt }: Opening): string {
  return sha256OfText(`gs1/bid/${participant}/${slot}/${side}/${price}/${volume}/${salt}`);
}
