// Virtual time. Between two events everything that promises set in motion runs to its end, so a run
// depends on its seed alone. One turn of the event loop empties the microtask queue; nothing under
// simulation waits for anything but an event.

/** The moment at which virtual time begins, UTC. */
export const EPOCH_MS = 1_790_000_000_000;

export interface Timeline {
  now_ms(): number;
  /** events performed so far: names the turn of the event loop that a write belongs to */
  turn(): number;
  after(delay_ms: number, event: () => void): void;
  /** Work that takes real time and no virtual one: the next event waits for it. It does not reject. */
  hold(work: Promise<void>): void;
  /**
   * Performs events up to a time, or until `isDone` holds; `afterEach` may throw to end the run.
   */
  run(until_ms: number, afterEach: () => void, isDone?: () => boolean): Promise<boolean>;
}

interface Entry {
  readonly time_ms: number;
  readonly order: number;
  readonly event: () => void;
}

/**
 * Events in the order of their time, those of one time in the order of their making: a binary heap.
 */
export function createTimeline(): Timeline {
  const heap: Entry[] = [];
  const held: Promise<void>[] = [];
  let now_ms = 0;
  let made = 0;
  let turn = 0;

  return {
    now_ms: () => now_ms,
    turn: () => turn,
    after(delay_ms, event) {
      made += 1;
      push(heap, { time_ms: now_ms + Math.max(0, delay_ms), order: made, event });
    },
    hold: (work) => void held.push(work),
    async run(until_ms, afterEach, isDone) {
      for (;;) {
        if (isDone?.()) return true;
        const first = heap[0];
        if (first === undefined || first.time_ms > until_ms) {
          now_ms = until_ms;
          return false;
        }
        pop(heap);
        now_ms = first.time_ms;
        turn += 1;
        first.event();
        await quiescence();
        while (held.length > 0) {
          await Promise.all(held.splice(0));
          await quiescence();
        }
        afterEach();
      }
    },
  };
}

/** An immediate runs after all microtasks, those included that microtasks make. */
function quiescence(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function push(heap: Entry[], entry: Entry): void {
  let place = heap.push(entry) - 1;
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (!isBefore(heap[place]!, heap[parent]!)) return;
    swap(heap, place, parent);
    place = parent;
  }
}

function pop(heap: Entry[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  heap[0] = last;
  let place = 0;
  for (;;) {
    const left = 2 * place + 1;
    let least = place;
    if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
    if (left + 1 < heap.length && isBefore(heap[left + 1]!, heap[least]!)) least = left + 1;
    if (least === place) return;
    swap(heap, place, least);
    place = least;
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.time_ms === right.time_ms ? left.order < right.order : left.time_ms < right.time_ms;
}

function swap(heap: Entry[], left: number, right: number): void {
  [heap[left], heap[right]] = [heap[right]!, heap[left]!];
}
