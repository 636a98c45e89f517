// An outcome as one line of text, the same in every engine.

import { hexOf } from "../../src/meter/hex.js";
import { formatObis } from "../../src/meter/obis.js";
import type { Outcome } from "../../src/meter/reader.js";

/** All that an outcome states; the frame by its length and its last bytes. */
export function outcomeText(outcome: Outcome): string {
  if (!outcome.ok) return `${outcome.protocol} ${outcome.reason}: ${outcome.detail}`;
  const { protocol, meter, time_s, registers, flags, frame } = outcome;
  const values = registers.map(
    ({ obis, value, scaler, unit, age }) => `${formatObis(obis)}=${value}e${scaler} ${unit} ${age ?? "-"}`,
  );
  const end = hexOf(frame, Math.max(0, frame.length - 8), frame.length);
  return [protocol, meter, time_s ?? "-", ...values, ...flags, frame.length, end].join("; ");
}
