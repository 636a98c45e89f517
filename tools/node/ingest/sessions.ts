// Who has a place at the node's own broker, and who is the meter it speaks for. Anybody may connect; places are for meters. A session
// has proved to be a meter's when it brought a record of it that nobody else could have (proofs.ts); until then it is a stranger's. Strangers of one
// address share a rate, none may be idle, and where there is no place left the one that was least use, and came first, makes room.
// Pure: the time is handed in.

import { createAddressBuckets, createAddressCounts, LOOPBACK } from "../limits/addresses.js";
import type { BucketTerms } from "../limits/token-bucket.js";

export interface SessionLimits {
  readonly connections_max: number;
  /** of one address; of loopback, where a machine's own meters come from */
  readonly address_connections_max: number;
  readonly loopback_connections_max: number;
  /** time for a session to subscribe or publish something */
  readonly idle_timeout_ms: number;
  /** a session that has sent nothing for so long is over, whatever it said of keep-alive (section 3.1.2.10) */
  readonly silence_timeout_ms: number;
  /** sessions that count as one meter's, and are sent what is for it; an old connection may not have ended yet */
  readonly sessions_of_meter_max: number;
  /** packets of all strangers of an address, and of loopback */
  readonly strangers: BucketTerms;
  readonly loopback_strangers: BucketTerms;
}

export interface Session {
  readonly address: string;
  readonly since_ms: number;
  readonly connection: { readonly heard_ms: number };
  /** its client id and number, once it has sent CONNECT */
  id: string | undefined;
  /** the one whose topics it subscribes to; all its filters are of it */
  meter: string | undefined;
  /** the meter that it has proved to be, which may be another one */
  provedMeter: string | undefined;
  /** whether it has subscribed or published */
  isActive: boolean;
}

/** The longest that a stranger is not read because of others of its address. */
const STRANGERS_PAUSE_MAX_MS = 5_000;
const ADDRESSES_MAX = 65_536;
/** What a connection costs, in packets. */
const CONNECTION_PACKETS = 4;

export type Sessions<Entry extends Session> = ReturnType<typeof createSessions<Entry>>;

export function createSessions<Entry extends Session>(limits: SessionLimits) {
  const ofAddress = createAddressCounts((address) =>
    address === LOOPBACK ? limits.loopback_connections_max : limits.address_connections_max,
  );
  const strangers = createAddressBuckets(
    (address) => (address === LOOPBACK ? limits.loopback_strangers : limits.strangers),
    ADDRESSES_MAX,
  );
  const all = new Set<Entry>();
  const byId = new Map<string, Entry>();
  /** strangers in the order in which they came: who has done nothing, and who has */
  const idle = new Set<Entry>();
  const active = new Set<Entry>();
  /** the sessions of a meter that subscribe to its topics, in the order in which they proved it */
  const ofMeter = new Map<string, Set<Entry>>();
  const nobody: ReadonlySet<Entry> = new Set();
  /** all that proved to be a meter's, in that order, so that one key does not take every place */
  const proved = new Map<string, Set<Entry>>();

  const forgetProof = (session: Entry) => {
    const { provedMeter } = session;
    if (provedMeter === undefined) return;
    const sessions = proved.get(provedMeter);
    sessions?.delete(session);
    if (sessions?.size === 0) proved.delete(provedMeter);
    session.provedMeter = undefined;
  };

  /** Where a meter has too many sessions its oldest one is a stranger's again, until it brings another record. */
  const noteProof = (session: Entry, meter: string) => {
    const sessions = proved.get(meter) ?? new Set<Entry>();
    proved.set(meter, sessions.add(session));
    session.provedMeter = meter;
    if (sessions.size <= limits.sessions_of_meter_max) return;
    const oldest: Entry = sessions.values().next().value!;
    stopListening(oldest);
    forgetProof(oldest);
    active.add(oldest);
  };

  const stopListening = (session: Entry) => {
    if (session.meter === undefined) return;
    const sessions = ofMeter.get(session.meter);
    sessions?.delete(session);
    if (sessions?.size === 0) ofMeter.delete(session.meter);
  };

  const listen = (session: Entry) => {
    const { meter } = session;
    if (meter === undefined || session.provedMeter !== meter) return;
    const sessions = ofMeter.get(meter) ?? new Set<Entry>();
    ofMeter.set(meter, sessions.add(session));
  };

  /** Of those with this address where one is given. */
  const leastUse = (address?: string): Entry | undefined => {
    for (const candidates of [idle, active]) {
      for (const session of candidates) if (address === undefined || session.address === address) return session;
    }
    return undefined;
  };

  return {
    /** Whether a connection from the address has a place: as it is, if the session that is named ends, or none. */
    makeRoom(address: string): Entry | "none" | undefined {
      const isAddressFull =
        ofAddress.of(address) >=
        (address === LOOPBACK ? limits.loopback_connections_max : limits.address_connections_max);
      if (isAddressFull) return leastUse(address) ?? "none";
      return all.size < limits.connections_max ? undefined : (leastUse() ?? "none");
    },

    /** Takes the place that there is; the one that made room has left before. */
    add(session: Entry): void {
      ofAddress.take(session.address);
      all.add(session);
      idle.add(session);
      strangers.charge(session.address, CONNECTION_PACKETS, session.since_ms);
    },

    leave(session: Entry): void {
      if (!all.delete(session)) return;
      ofAddress.release(session.address);
      idle.delete(session);
      active.delete(session);
      if (session.id !== undefined) byId.delete(session.id);
      stopListening(session);
      forgetProof(session);
    },

    name(session: Entry, id: string): void {
      if (!all.has(session)) return;
      session.id = id;
      byId.set(id, session);
    },

    find: (id: string): Entry | undefined => byId.get(id),

    /** A stranger has sent so many packets; how long none of its address is to be read. */
    charge(address: string, packets: number, now_ms: number): number {
      strangers.charge(address, packets, now_ms);
      return Math.min(STRANGERS_PAUSE_MAX_MS, strangers.wait_ms(address, now_ms));
    },

    /** It has subscribed or published. */
    onActivity(session: Entry): void {
      if (session.isActive) return;
      session.isActive = true;
      if (idle.delete(session)) active.add(session);
    },

    prove(session: Entry, meter: string): void {
      if (session.provedMeter === meter || !all.has(session)) return;
      idle.delete(session);
      active.delete(session);
      // One that publishes for several meters is sent what is for the one that it subscribes to.
      if (session.meter !== undefined && session.meter !== meter && session.provedMeter !== undefined) return;
      stopListening(session);
      forgetProof(session);
      noteProof(session, meter);
      listen(session);
    },

    subscribe(session: Entry, meter: string): void {
      session.meter = meter;
      listen(session);
    },

    unsubscribe(session: Entry): void {
      stopListening(session);
      session.meter = undefined;
    },

    ofMeter: (meter: string): ReadonlySet<Entry> => ofMeter.get(meter) ?? nobody,

    /** Sessions that are over: idle ones that did nothing in their time, and any that has sent nothing for long. */
    over(now_ms: number): readonly Entry[] {
      return [...all].filter(
        ({ since_ms, isActive, provedMeter, connection }) =>
          (!isActive && provedMeter === undefined && now_ms - since_ms >= limits.idle_timeout_ms) ||
          now_ms - connection.heard_ms >= limits.silence_timeout_ms,
      );
    },
  };
}
