// What a client may cost this node, in one table: a meter's records by its schedule, and little of what anybody can ask for who has
// no key of the network: repetitions, births, signatures that are none. Pure: the time is handed in, memory is bounded.

import { LOOPBACK } from "../limits/addresses.js";
import { createBudgets } from "../limits/budgets.js";

/** How fast one meter's records of one service are taken; a record counts once a kilobyte begun. */
export interface RecordRate {
  readonly records_per_s: number;
  /** what may come at once: an outbox that has filled up */
  readonly burst: number;
}

/**
 * Four times the fastest schedule, a record a second; a full outbox of 3.9 MB, the largest, holds some 12,000 records.
 * A stolen key fills some 350 MB of disk a day then, where it could fill 200 GB.
 */
export const rateDefaults: RecordRate = { records_per_s: 4, burst: 16_384 };
/** Records of a meter that wait to be sealed: half a temporary block, so that no meter fills one. Meters have 24 on their way. */
export const WAITING_OF_METER_MAX = 512;
/** Signatures of clients that wait for a thread: some seconds of work. */
export const VERIFYING_MAX = 20_000;
const RATE_BYTES = 1_024;
/** Meters, sessions that are remembered. */
const NAMES_MAX = 65_536;

/** Of one session: what it publishes again that is sealed. A meter that comes back has 24 on its way. */
const repetitions = { tokens_s: 2, tokens_max: 64 };
/** Of the node: blocks read to answer repetitions, some milliseconds each. */
const blocks = { tokens_s: 30, tokens_max: 120 };
/** Of one session: births. A meter sends one a connection, and where it is asked to, every five seconds at most. */
const births = { tokens_s: 0.2, tokens_max: 8 };
/** Of the node: births whose signature is verified, as they are not those that it knows. */
const unknownBirths = { tokens_s: 200, tokens_max: 2_000 };
/** Of one address: the same; of loopback, where a machine's own meters come from. */
const addressBirths = { tokens_s: 20, tokens_max: 200 };
const loopbackBirths = { tokens_s: 100, tokens_max: 1_000 };
/** A birth that turns out to be forged counts so many times for its address. */
const FORGED_BIRTH_TOKENS = 10;
/** Of one meter from one address: the same. */
const meterBirths = { tokens_s: 0.2, tokens_max: 8 };
/** Of one meter: births that have it shown again what proves its chains' members. */
const showings = { tokens_s: 0.1, tokens_max: 8 };
/** Of one session: records whose signature is not the meter's. */
const forgeries = { tokens_s: 0.1, tokens_max: 16 };
const NODE = "";

export type Allowances = ReturnType<typeof createAllowances>;

/** `session` is what a client is told apart by, where there are sessions; the meter that it speaks of where there are none. */
export function createAllowances(rate: RecordRate, now_ms: () => number) {
  const ofRepetitions = createBudgets(repetitions, NAMES_MAX);
  const ofBlocks = createBudgets(blocks, 1);
  const ofBirths = createBudgets(births, NAMES_MAX);
  const ofUnknownBirths = createBudgets(unknownBirths, 1);
  const ofAddressBirths = createBudgets(addressBirths, NAMES_MAX);
  const ofLoopbackBirths = createBudgets(loopbackBirths, 1);
  const ofMeterBirths = createBudgets(meterBirths, NAMES_MAX);
  const birthsOf = (address: string) => (address === LOOPBACK ? ofLoopbackBirths : ofAddressBirths);
  const ofShowings = createBudgets(showings, NAMES_MAX);
  const ofForgeries = createBudgets(forgeries, NAMES_MAX);
  const ofRecords = createBudgets({ tokens_s: rate.records_per_s, tokens_max: rate.burst }, NAMES_MAX);
  const costOf = (bytes: number) => Math.min(rate.burst, Math.ceil(bytes / RATE_BYTES));
  return {
    mayRepeat: (session: string) => ofRepetitions.take(session, 1, now_ms()),
    mayReadBlock: () => ofBlocks.take(NODE, 1, now_ms()),
    mayBeBorn: (session: string) => ofBirths.take(session, 1, now_ms()),
    /** Whether the signature of a birth that is not known may be verified; `address` where it is known. */
    mayVerifyBirth(meter: string, address: string | undefined): boolean {
      if (address !== undefined) {
        if (birthsOf(address).left(address, now_ms()) < 1) return false;
        if (!ofMeterBirths.take(`${address} ${meter}`, 1, now_ms())) return false;
      }
      if (!ofUnknownBirths.take(NODE, 1, now_ms())) return false;
      if (address !== undefined) birthsOf(address).take(address, 1, now_ms());
      return true;
    },
    /** A birth of the address has a signature that is none. */
    onForgedBirth(address: string): void {
      const births = birthsOf(address);
      births.take(address, Math.min(FORGED_BIRTH_TOKENS - 1, births.left(address, now_ms())), now_ms());
    },
    mayBeShown: (meter: string) => ofShowings.take(meter, 1, now_ms()),
    mayForge: (session: string) => ofForgeries.take(session, 1, now_ms()),
    /** Whether a record of so many bytes would be within the meter's rate; `takeRecord` spends it, once the record is proved. */
    hasRecord: (service: number, meter: string, bytes: number) =>
      ofRecords.left(`${service}/${meter}`, now_ms()) >= costOf(bytes),
    takeRecord: (service: number, meter: string, bytes: number) =>
      ofRecords.take(`${service}/${meter}`, costOf(bytes), now_ms()),
  };
}
