// When a Wi-Fi station that has lost its network tries again: at once, then after growing pauses with jitter, for ever. Pure;
// network.ts asks it and waits for nothing.

/** An attempt that has not led to an address by then is given up. */
export const ATTEMPT_MS = 20_000;
export const PAUSE_MS_MIN = 1_000;
export const PAUSE_MS_MAX = 120_000;

export interface Station {
  /** undefined while there is none */
  address: string | undefined;
  /** when the attempt under way is given up, or the next one begins */
  next_ms: number;
  attempting: boolean;
  failures: number;
  /** times that an address was lost */
  losses: number;
}

export type StationInput =
  | { readonly kind: "timer" }
  | { readonly kind: "up"; readonly address: string }
  /** the driver says that the association is gone or did not come about */
  | { readonly kind: "down" }
  /** its lease has ended while the association lasts, which the driver does not say */
  | { readonly kind: "unaddressed" };

export type StationEffect =
  | { readonly kind: "connect" }
  | { readonly kind: "disconnect" }
  | { readonly kind: "online"; readonly address: string }
  | { readonly kind: "lost" };

export function createStation(now_ms: number): Station {
  return { address: undefined, next_ms: now_ms, attempting: false, failures: 0, losses: 0 };
}

/** Takes one input; `random` gives a fraction below 1. The next `timer` is due at `next_ms`, and while online none is. */
export function stepStation(
  station: Station,
  input: StationInput,
  now_ms: number,
  random: () => number,
): StationEffect[] {
  switch (input.kind) {
    case "up": {
      const isNews = station.address !== input.address;
      station.address = input.address;
      station.attempting = false;
      station.failures = 0;
      station.next_ms = Number.POSITIVE_INFINITY;
      return isNews ? [{ kind: "online", address: input.address }] : [];
    }
    case "down":
      if (station.address !== undefined) {
        station.address = undefined;
        station.losses += 1;
        station.next_ms = now_ms;
        return [{ kind: "lost" }];
      }
      if (station.attempting) pause(station, now_ms, random);
      return [];
    case "unaddressed":
      if (station.address === undefined) return [];
      station.address = undefined;
      station.losses += 1;
      pause(station, now_ms, random);
      return [{ kind: "lost" }, { kind: "disconnect" }];
    case "timer":
      if (now_ms < station.next_ms) return [];
      if (station.attempting) {
        pause(station, now_ms, random);
        return [{ kind: "disconnect" }];
      }
      station.attempting = true;
      station.next_ms = now_ms + ATTEMPT_MS;
      return [{ kind: "connect" }];
  }
}

/** A street whose access point comes back must not have all its meters in the same second. */
function pause(station: Station, now_ms: number, random: () => number): void {
  const longest_ms = Math.min(PAUSE_MS_MIN * 2 ** Math.min(station.failures, 16), PAUSE_MS_MAX);
  station.failures += 1;
  station.attempting = false;
  station.next_ms = now_ms + Math.ceil(longest_ms * (0.5 + random() / 2));
}
