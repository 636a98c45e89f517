// What a reader that asks its meter wants done at the port, and when.

export type PortAction =
  | { readonly kind: "send"; readonly bytes: Uint8Array }
  /** Once all that was sent before has left the port, both directions go on at this speed; bits and parity stay. */
  | { readonly kind: "speed"; readonly baud: number };

/** What a reader does of its own accord, between bytes. */
export interface PortWork {
  /** What to do at the port now, in order; to be asked after every push, and at `wakeAt_ms` after an empty one. */
  toSend(uptime_ms: number): readonly PortAction[];
  /** When it wants an empty push and to be asked next; infinity where bytes alone move it. */
  wakeAt_ms(): number;
}

/** A reader that only listens. */
export const onlyListens: PortWork = { toSend: () => [], wakeAt_ms: () => Number.POSITIVE_INFINITY };
