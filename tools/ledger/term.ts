// For how long a chain takes a meter's records: its credential there says from when and until when, and a later one may prolong it.

import type { Credential } from "../../src/wire/credential.js";
import { equalKeys } from "../../src/wire/key.js";
import type { MeterState } from "./state.js";

/** Whether the meter's credential on the chain is valid at this time of a block, in UTC milliseconds. */
export function isInTerm({ from_s, until_s }: Pick<MeterState, "from_s" | "until_s">, time_ms: number): boolean {
  return time_ms >= from_s * 1_000 && time_ms < until_s * 1_000;
}

/** Whether the meter's credential on the chain has ended by this time: only a later one changes that. */
export function hasEnded(state: Pick<MeterState, "until_s"> | undefined, time_ms: number): boolean {
  return state !== undefined && time_ms >= state.until_s * 1_000;
}

/**
 * Whether a further credential takes the place of one on a chain: it ends later, and says the same key, services and roles. So what
 * members have verified by the one before stays verified.
 */
export function prolongs(known: Credential, offered: Credential): boolean {
  const isSame = (left: readonly unknown[], right: readonly unknown[]) => left.join() === right.join();
  return (
    offered.expires_s > known.expires_s &&
    equalKeys(known.key, offered.key) &&
    isSame(known.services, offered.services) &&
    isSame(known.roles, offered.roles)
  );
}
