// How fast a thread works whose answers nobody waits for. A processor's time per signature tells it whether others want the processor;
// priorities of threads do not, as they count within a session or a service alone (autogroups, cgroups).

/** A signature that takes so many times the shortest time: others want the processor. */
const CONTENDED = 1.6;
/** The thread then rests so many times as long as it has worked, */
const REST = 40;
/** and no longer. */
const REST_MAX_MS = 1_000;
/** Fewer signatures tell nothing. */
const SIGNATURES_MIN = 8;
/** The shortest time grows by so much with each answer: a processor that has become slower is not busy for ever. */
const FORGETTING = 1.002;

/** How many milliseconds to rest after so many signatures that took so many milliseconds. */
export type Pace = (signatures: number, took_ms: number) => number;

export function createPace(): Pace {
  let shortest_ms = Number.POSITIVE_INFINITY;
  return (signatures, took_ms) => {
    if (signatures < SIGNATURES_MIN) return 0;
    const each_ms = took_ms / signatures;
    shortest_ms = Math.min(shortest_ms * FORGETTING, each_ms);
    return each_ms > shortest_ms * CONTENDED ? Math.min(took_ms * REST, REST_MAX_MS) : 0;
  };
}
