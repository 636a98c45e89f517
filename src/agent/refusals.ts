// What a meter does about a refusal (PROTOCOL.md, section 15). None is believed: whoever gets at a broker can say anything, so none
// lets go of a record, opens a gap, or keeps the meter at a broker. A reason says only when and where the record is offered again.

import type { RefusalReason } from "../wire/refusal.js";

/** Of this record: it is set aside, and the others go on. */
const ofTheRecord: readonly RefusalReason[] = [
  "oversized",
  "malformed",
  "wrong-topic",
  "bad-signature",
  "service-not-permitted",
  "out-of-sequence",
  "fork",
  "clock-far-off",
  "ended",
];
/** Of the meter: no other record would fare better here. */
const ofTheMeter: readonly RefusalReason[] = ["revoked", "credential-invalid", "role-not-permitted", "suspended"];

/** Whether what is refused so is not offered to the same broker again soon. */
export function isLasting(reason: RefusalReason): boolean {
  return isOfTheMeter(reason) || ofTheRecord.includes(reason);
}

export function isOfTheMeter(reason: RefusalReason): boolean {
  return ofTheMeter.includes(reason);
}

/** What a refusal of a record on its way asks of the uplink besides. */
export type RefusalAnswer = "none" | "birth" | "pause" | "leave";

export function answerTo(reason: RefusalReason): RefusalAnswer {
  if (reason === "unknown-meter" || reason === "credential-invalid") return "birth";
  if (reason === "busy" || reason === "rate-limited") return "pause";
  // One of the two clocks is wrong, and only another node can say which.
  return reason === "clock-far-off" ? "leave" : "none";
}
