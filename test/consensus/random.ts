// Seeded chance and virtual time for the simulation: the same seed gives the same run.

/** A generator of numbers in [0, 1) (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Timeline {
  now_ms(): number;
  at(time_ms: number, event: () => void): void;
  /** Performs the next event; false where there is none before `until_ms`. */
  next(until_ms: number): boolean;
}

/** Events in the order of their time, those of one time in the order of their making: a binary heap. */
export function createTimeline(): Timeline {
  const heap: { readonly time_ms: number; readonly order: number; readonly event: () => void }[] = [];
  let now_ms = 0;
  let made = 0;
  const before = (left: number, right: number) => {
    const a = heap[left]!;
    const b = heap[right]!;
    return a.time_ms === b.time_ms ? a.order < b.order : a.time_ms < b.time_ms;
  };
  const swap = (left: number, right: number) => {
    [heap[left], heap[right]] = [heap[right]!, heap[left]!];
  };
  return {
    now_ms: () => now_ms,
    at(time_ms, event) {
      made += 1;
      let place = heap.push({ time_ms: Math.max(now_ms, time_ms), order: made, event }) - 1;
      for (let parent = (place - 1) >> 1; place > 0 && before(place, parent); parent = (place - 1) >> 1) {
        swap(place, parent);
        place = parent;
      }
    },
    next(until_ms) {
      const first = heap[0];
      if (first === undefined || first.time_ms > until_ms) {
        now_ms = until_ms;
        return false;
      }
      const last = heap.pop()!;
      if (heap.length > 0) {
        heap[0] = last;
        for (let place = 0; ; ) {
          const left = 2 * place + 1;
          const right = left + 1;
          let least = place;
          if (left < heap.length && before(left, least)) least = left;
          if (right < heap.length && before(right, least)) least = right;
          if (least === place) break;
          swap(place, least);
          place = least;
        }
      }
      now_ms = first.time_ms;
      first.event();
      return true;
    },
  };
}
