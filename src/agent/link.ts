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
  /** the broker whose turn it is */
  readonly broker: string;
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
  return new BrokerLink(brokers, random);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class BrokerLink implements Link {
  state: LinkState = { kind: "waiting", until_ms: 0 };
  private connections = 0;
  private turn = 0;
  private failures = 0;

  constructor(
    private readonly brokers: readonly string[],
    private readonly random: () => number,
  ) {}

  get broker(): string {
    return this.brokers[this.turn]!;
  }

  begin(uptime_ms: number): { readonly connection: number; readonly url: string } | undefined {
    if (this.state.kind !== "waiting" || uptime_ms < this.state.until_ms) return undefined;
    this.connections += 1;
    const connection = this.connections;
    this.state = { kind: "connecting", connection, until_ms: uptime_ms + CONNECT_TIMEOUT_MS };
    return { connection, url: this.broker };
  }

  connected(connection: number, uptime_ms: number): boolean {
    if (this.state.kind !== "connecting" || this.state.connection !== connection) return false;
    this.state = { kind: "connected", connection, since_ms: uptime_ms };
    return true;
  }

  lost(connection: number, uptime_ms: number): boolean {
    if (this.state.kind === "waiting" || this.state.connection !== connection) return false;
    this.turn = (this.turn + 1) % this.brokers.length;
    // One round through all brokers costs the same short pauses; each further round doubles them.
    const rounds = Math.min(Math.floor(this.failures / this.brokers.length), 16);
    const pause_ms = Math.min(BACKOFF_FIRST_MS * 2 ** rounds, BACKOFF_MAX_MS);
    this.failures += 1;
    this.state = { kind: "waiting", until_ms: uptime_ms + Math.ceil(pause_ms * (0.5 + this.random() / 2)) };
    return true;
  }

  proved(): void {
    this.failures = 0;
  }
}
