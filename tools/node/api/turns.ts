// What the API reads of the store is read in short turns, so that the loop that also votes comes to everything else in between.

export interface Turns {
  /** Does the work in its turn, in the order of the calls; settles as it does. */
  next<Result>(work: () => Result): Promise<Result>;
}

export interface TurnsPorts {
  monotonic_ms(): number;
  /** Calls back when the loop has been to everything else. */
  afterOthers(run: () => void): void;
}

/** Work of one turn goes on until it has taken `turn_ms`; a piece of work that has begun is ended. */
export function createTurns(turn_ms: number, { monotonic_ms, afterOthers }: TurnsPorts): Turns {
  const waiting: (() => void)[] = [];
  let isDue = false;
  const ask = (): void => {
    if (isDue || waiting.length === 0) return;
    isDue = true;
    afterOthers(run);
  };
  const run = (): void => {
    const started_ms = monotonic_ms();
    do waiting.shift()?.();
    while (waiting.length > 0 && monotonic_ms() - started_ms < turn_ms);
    isDue = false;
    ask();
  };
  return {
    next: (work) =>
      new Promise((resolve, reject) => {
        waiting.push(() => {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
          }
        });
        ask();
      }),
  };
}
