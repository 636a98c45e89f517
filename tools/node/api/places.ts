// Who may be connected to the API. There is a number of places for all and one for each address; beyond them whoever asks nothing
// makes room for who comes, and a few places are kept for questions after the node's health. Pure: the shell closes what is told.

import { type AddressCounts, createAddressCounts } from "../limits/addresses.js";

export interface PlacesTerms {
  readonly places_max: number;
  /** beyond these, for what is asked of a node whose places are taken */
  readonly reserve_max: number;
  ofAddress(group: string): number;
}

export type Admission<Connection> =
  /** `instead`: which connection is to be closed for it */
  | { readonly type: "placed"; readonly instead: Connection | undefined }
  /** It may ask after the node's health and nothing else. */
  | { readonly type: "reserve"; readonly instead: Connection | undefined }
  | { readonly type: "full" };

export interface Places<Connection> {
  open(connection: Connection, group: string): Admission<Connection>;
  /** Nothing of a connection that asks for something makes room for another one. */
  ask(connection: Connection): void;
  answered(connection: Connection): void;
  /** Also of one that was never placed, or was closed to make room. */
  close(connection: Connection): void;
  isReserve(connection: Connection): boolean;
  groupOf(connection: Connection): string;
  readonly placed: number;
}

interface Place {
  readonly group: string;
  readonly isReserve: boolean;
}

interface State<Connection> {
  readonly places: Map<Connection, Place>;
  readonly counts: AddressCounts;
  /** those that ask nothing, longest first; by address */
  readonly idle: Map<string, Set<Connection>>;
  readonly idleReserve: Set<Connection>;
  placed: number;
}

export function createPlaces<Connection>(terms: PlacesTerms): Places<Connection> {
  const state: State<Connection> = {
    places: new Map(),
    counts: createAddressCounts(terms.ofAddress),
    idle: new Map(),
    idleReserve: new Set(),
    placed: 0,
  };
  return {
    open: (connection, group) => open(state, terms, connection, group),
    ask(connection) {
      const place = state.places.get(connection);
      if (place !== undefined) forgetIdle(state, connection, place);
    },
    answered(connection) {
      const place = state.places.get(connection);
      if (place !== undefined) noteIdle(state, connection, place);
    },
    close: (connection) => close(state, connection),
    isReserve: (connection) => state.places.get(connection)?.isReserve ?? true,
    groupOf: (connection) => state.places.get(connection)?.group ?? "",
    get placed() {
      return state.placed;
    },
  };
}

function open<Connection>(
  state: State<Connection>,
  terms: PlacesTerms,
  connection: Connection,
  group: string,
): Admission<Connection> {
  const isFull = state.placed >= terms.places_max;
  const hasAll = state.counts.of(group) >= terms.ofAddress(group);
  const [instead] = hasAll ? (state.idle.get(group) ?? []) : isFull ? longestIdle(state) : [];
  if (instead !== undefined) close(state, instead);
  if (instead !== undefined || !(isFull || hasAll)) {
    state.counts.take(group);
    state.placed += 1;
    place(state, connection, { group, isReserve: false });
    return { type: "placed", instead };
  }
  const reserved = state.places.size - state.placed;
  const [oldest] = reserved >= terms.reserve_max ? state.idleReserve : [];
  if (oldest !== undefined) close(state, oldest);
  else if (reserved >= terms.reserve_max) return { type: "full" };
  place(state, connection, { group, isReserve: true });
  return { type: "reserve", instead: oldest };
}

/** Of the address that has most connections among those with an idle one. */
function longestIdle<Connection>({ idle, counts }: State<Connection>): Iterable<Connection> {
  let most: { readonly of: number; readonly idle: Iterable<Connection> } = { of: 0, idle: [] };
  for (const [group, connections] of idle) {
    const of = counts.of(group);
    if (of > most.of) most = { of, idle: connections };
  }
  return most.idle;
}

function place<Connection>(state: State<Connection>, connection: Connection, where: Place): void {
  state.places.set(connection, where);
  noteIdle(state, connection, where);
}

function close<Connection>(state: State<Connection>, connection: Connection): void {
  const where = state.places.get(connection);
  if (where === undefined) return;
  forgetIdle(state, connection, where);
  state.places.delete(connection);
  if (where.isReserve) return;
  state.counts.release(where.group);
  state.placed -= 1;
}

function noteIdle<Connection>(state: State<Connection>, connection: Connection, { group, isReserve }: Place): void {
  if (isReserve) {
    state.idleReserve.add(connection);
    return;
  }
  const connections = state.idle.get(group) ?? new Set();
  state.idle.set(group, connections.add(connection));
}

function forgetIdle<Connection>(state: State<Connection>, connection: Connection, { group, isReserve }: Place): void {
  if (isReserve) {
    state.idleReserve.delete(connection);
    return;
  }
  const connections = state.idle.get(group);
  connections?.delete(connection);
  if (connections?.size === 0) state.idle.delete(group);
}
