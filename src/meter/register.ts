// The register model: one measured quantity as a meter states it, integer and scaler, never a float.
// Quantities and units follow IEC 62056-6-1 (OBIS) and IEC 62056-6-2 (DLMS unit codes). src/wire states the same form in record.ts:
// neither imports the other, and the compiler holds the two to each other where the agent puts readings into records.

/** One measured quantity: `value` times 10 to the power `scaler`, in `unit`. */
export interface Register {
  /** The six value groups A to F of the OBIS code; F is 255 for a current value, 101 and up for the most recent ones of a log. */
  readonly obis: Uint8Array;
  /** A bigint only where the value lies beyond the safe integers. */
  readonly value: number | bigint;
  readonly scaler: number;
  /** DLMS unit code, 255 for a plain number; see unit.ts. */
  readonly unit: number;
  /** Seconds between the register's own capture time and the time of the reading; absent where the two are one. */
  readonly age?: number;
}
