// Which broker the meter is connected to: brokers are tried in turn, each attempt is watched, and failures space the attempts out
// with jitter, so that the meters of a street do not all come back in the same second. Pure; uplink.ts performs it.

/** A connection that has not come about by then is given up: a refused TLS handshake may say nothing at all. */
export const CONNECT_TIMEOUT_MS = 20_000;
export const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_MAX_MS = 60_000;

export type LinkState =
  | { readonly kind: "waiting"; readonly until_ms: number }
  | { readonly kind: "connecting"; readonly connection: number; readonly until_ms: number }
  | { readonly kind: "connected"; readonly connection: number; readonly since_ms: number };

export interface Link {
  readonly state: LinkState;
  /** The connection to begin now, where it is time for one. */
  begin(uptime_ms: number): { readonly connection: number; readonly url: string } | undefined;
  /** The broker has accepted the connection; false where it is none of ours any more. */
  connected(connection: number, uptime_ms: number): boolean;
  /** The connection is over or given up; the next broker's turn comes after a pause. False where it is none of ours any more. */
  lost(connection: number, uptime_ms: number): boolean;
  /** The broker does its work: the pauses begin from the shortest again. */
  proved(): void;
}

/** `random` gives a fraction from 0 up to but not including 1. */
export function createLink(brokers: readonly string[], random: () => number): Link {
  let state: LinkState = { kind: "waiting", until_ms: 0 };
  let connections = 0;
  let broker = 0;
  let failures = 0;

  const isCurrent = (connection: number): boolean => state.kind !== "waiting" && state.connection === connection;

  return {
    get state() {
      return state;
    },
    begin(uptime_ms) {
      if (state.kind !== "waiting" || uptime_ms < state.until_ms) return undefined;
      connections += 1;
      state = { kind: "connecting", connection: connections, until_ms: uptime_ms + CONNECT_TIMEOUT_MS };
      return { connection: connections, url: brokers[broker]! };
    },
    connected(connection, uptime_ms) {
      if (state.kind !== "connecting" || !isCurrent(connection)) return false;
      state = { kind: "connected", connection, since_ms: uptime_ms };
      return true;
    },
    lost(connection, uptime_ms) {
      if (!isCurrent(connection)) return false;
      broker = (broker + 1) % brokers.length;
      // One round through all brokers costs the same short pauses; each further round doubles them.
      const rounds = Math.min(Math.floor(failures / brokers.length), 16);
      const pause_ms = Math.min(BACKOFF_FIRST_MS * 2 ** rounds, BACKOFF_MAX_MS);
      failures += 1;
      state = { kind: "waiting", until_ms: uptime_ms + Math.ceil(pause_ms * (0.5 + random() / 2)) };
      return true;
    },
    proved() {
      failures = 0;
    },
  };
}
