// The days of a grant, run by run: shares of their keys from all nodes at once, records from one of them, or of more where that one's do
// not open.

import { toHex } from "../../../src/wire/bytes.js";
import { dayKeys, type OpeningEnvelope, takeShare } from "../../crypto/delivered-shares.js";
import { GridsealError } from "../../errors.js";
import { GRANT_DAYS_MAX } from "../../routes/grants.js";
import type { Days, GrantSource, StatedGrant } from "../../sources/grants.js";
import { askSeveral } from "./asking.js";
import { type Opened, openDays } from "./open-days.js";
import type { OpenedValue, Opening } from "./opening.js";

/** Days of a grant that are asked for: a node that states more of them is not believed. */
const DAYS_MAX = 4_000;
/** Of records at once: runs of days double while fewer come, and are halved where more do. No answer grows above what is read. */
const RECORDS_AT_ONCE = 4_000;

/** A node that has the grant in force. */
export interface Delivering {
  readonly source: Pick<GrantSource, "origin" | "shares" | "records">;
  readonly grant: Pick<StatedGrant, "days" | "custodian">;
}

/** Opens all days that the first of the nodes states. Rejects with GRANT_CLOSED where it states too many. */
export async function openGranted(opening: Opening, nodes: readonly Delivering[]): Promise<Omit<Opened, "records">> {
  const complaints: string[] = [];
  const values: OpenedValue[] = [];
  let closed = 0;
  let length = 1;
  for (const run of runsOf(nodes[0]!.grant)) {
    const envelopes: Opening["envelopes"] = new Map();
    const ofRun = { ...opening, envelopes };
    const answered = await gatherShares(ofRun, nodes, run, complaints);
    const keys = await dayKeys(ofRun, complaints);
    // Who has answered first is asked first.
    const place = ({ origin }: Delivering["source"]) =>
      answered.includes(origin) ? answered.indexOf(origin) : nodes.length;
    const sources = nodes.map(({ source }) => source).sort((one, other) => place(one) - place(other));
    for (let from = run.from; from < run.until; ) {
      const days = { from, until: Math.min(from + length, run.until) };
      const opened = await openDays(ofRun, keys, { days, sources });
      for (const value of opened.values) values.push(value);
      closed += opened.closed;
      complaints.push(...opened.complaints);
      from = days.until;
      length = Math.max(1, Math.min(GRANT_DAYS_MAX, opened.records > RECORDS_AT_ONCE ? length >> 1 : 2 * length));
    }
  }
  return { values, closed, complaints: [...new Set(complaints)] };
}

/** Runs of days that the grant opens, each no longer than is asked for at once. */
function* runsOf({ days }: Delivering["grant"]): Generator<Days> {
  if (days.reduce((sum, [first, end]) => sum + (end! - first!), 0) > DAYS_MAX) {
    throw new GridsealError("GRANT_CLOSED", `the grant states more than ${DAYS_MAX} days: no contract grants them`);
  }
  for (const [first, end] of days) {
    for (let from = first!; from < end!; from += GRANT_DAYS_MAX) {
      yield { from, until: Math.min(from + GRANT_DAYS_MAX, end!) };
    }
  }
}

/** Takes what the nodes deliver of the keys; resolves with the origins of those that have delivered all, the first first. */
async function gatherShares(
  opening: Opening,
  nodes: readonly Delivering[],
  days: Days,
  complaints: string[],
): Promise<readonly string[]> {
  const asked = nodes.map(({ source, grant }) => ({
    origin: source.origin,
    async ask(signal: AbortSignal) {
      for await (const delivered of source.shares(days, signal)) {
        if (signal.aborted) return;
        const complaint = takeShare(opening, grant.custodian, delivered);
        if (complaint !== undefined) complaints.push(complaint);
      }
    },
  }));
  const isEnough = () => opening.envelopes.size > 0 && [...opening.envelopes.values()].every(hasKey);
  return askSeveral(asked, { order: "together", isEnough, hearsOthers: true }, complaints);
}

/** Whether as many shares as its threshold were delivered, whole or in parts. */
function hasKey({ envelope, shares, divisions }: OpeningEnvelope): boolean {
  const dealers = new Set(shares.keys());
  for (const { division, parts } of divisions.values()) {
    if (parts.size >= division.threshold) dealers.add(toHex(division.dealer));
  }
  return dealers.size >= envelope.threshold;
}
