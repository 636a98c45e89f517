// One record on its way, and how long it waits for what. window.ts has them all.

import type { RefusalReason } from "../wire/refusal.js";
import type { Position } from "./ring.js";

/** Wait for a receipt before a record is published again, the first time and at most. */
export const RECEIPT_WAIT_MS = 10_000;
export const RECEIPT_WAIT_MAX_MS = 300_000;
/** The same where a node has not heard of the meter yet: its birth is on its way there. */
export const INTRODUCTION_WAIT_MS = 1_000;
/** Refused records are tried again by way of the same broker after this. */
export const PARKED_MS = 600_000;
/** So many refused ones keep their place, where a receipt finds them; the others for so long, for one may be on its way. */
export const ASIDE_MAX = 6;
export const ASIDE_MS = 10_000;

export interface Travelling {
  readonly position: Position;
  readonly service: number;
  readonly seq: number;
  /** of the window's places; its hash is at this one */
  readonly place: number;
  readonly since_ms: number;
  /** id of the publication that the broker has not acknowledged; 0 where there is none */
  packetId: number;
  /** whether that publication belongs to a connection that is gone */
  interrupted: boolean;
  /** when the broker must have acknowledged it, or else when the record is published again */
  due_ms: number;
  /** since this connection began */
  publications: number;
  /** in all, whatever the connection */
  sent: number;
  /** why a node refused it last */
  refusedAs: RefusalReason | undefined;
  /** whether it is not to be published again soon for that */
  isAside: boolean;
  /** whether a receipt of it is here whose certificate is still to be checked */
  isDeferred: boolean;
}

export const noRecords: readonly Travelling[] = [];

/** When a refused record gives up its place to others. */
export function giveUpAt_ms({ due_ms }: Travelling): number {
  return due_ms - PARKED_MS + ASIDE_MS;
}

/** Whether it is to be published, or published again, now. */
export function isReady(record: Travelling, uptime_ms: number): boolean {
  return !record.isDeferred && (record.packetId === 0 || record.interrupted) && record.due_ms <= uptime_ms;
}

/** Twice as long with each publication, and not the same for all: `fraction` is from 0 up to but not including 1. */
export function waitOf_ms({ publications }: Travelling, first_ms: number, fraction: number): number {
  const wait_ms = Math.min(first_ms * 2 ** Math.min(publications - 1, 16), RECEIPT_WAIT_MAX_MS);
  return Math.ceil(wait_ms * (0.75 + fraction / 2));
}
