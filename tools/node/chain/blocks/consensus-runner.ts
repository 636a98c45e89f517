// Performs the consensus core's effects in their order. What must be durable first is: effects behind a record wait for its write,
// and records that pile up meanwhile are written as one.

import type { Consensus } from "../../../consensus/core.js";
import type { Effect, Input, TimerName } from "../../../consensus/types.js";

export interface RunnerPorts {
  readonly consensus: Consensus;
  monotonic_ms(): number;
  persist(record: Uint8Array): Promise<void>;
  setTimer(name: string, delay_ms: number, callback: () => void): void;
  clearTimer(name: string): void;
  /** Every effect but the record and the timers. */
  perform(effect: Exclude<Effect, { type: "persist" | "setTimer" | "clearTimer" }>): void;
  onFatal(error: unknown): void;
}

export interface Runner {
  /** Steps the core; may be called from within `perform`. */
  feed(input: Input): void;
  stop(): void;
}

export function createRunner(ports: RunnerPorts): Runner {
  const inputs: Input[] = [];
  /** effects with the number of the record that must be durable before them */
  const waiting: { readonly effect: Effect; readonly needs: number }[] = [];
  let record: Uint8Array | undefined;
  let recordNumber = 0;
  let durableNumber = 0;
  let writing = false;
  let stepping = false;
  let stopped = false;

  const feed = (input: Input) => {
    inputs.push(input);
    if (stepping || stopped) return;
    stepping = true;
    try {
      for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
        accept(ports.consensus.step(next, ports.monotonic_ms()));
        perform();
      }
    } catch (error) {
      stopped = true;
      ports.onFatal(error);
    } finally {
      stepping = false;
    }
  };

  const accept = (effects: readonly Effect[]) => {
    for (const effect of effects) {
      if (effect.type === "persist") {
        record = effect.record;
        recordNumber += 1;
      } else {
        waiting.push({ effect, needs: recordNumber });
      }
    }
    if (recordNumber > durableNumber && !writing) void write();
  };

  const write = async () => {
    writing = true;
    try {
      while (recordNumber > durableNumber && !stopped) {
        const number = recordNumber;
        await ports.persist(record!);
        durableNumber = number;
      }
    } catch (error) {
      stopped = true;
      ports.onFatal(error);
      return;
    } finally {
      writing = false;
    }
    try {
      perform();
    } catch (error) {
      stopped = true;
      ports.onFatal(error);
    }
  };

  const perform = () => {
    while (!stopped && waiting.length > 0 && waiting[0]!.needs <= durableNumber) {
      const { effect } = waiting.shift()!;
      if (effect.type === "setTimer") {
        const { name } = effect;
        ports.setTimer(timerName(name), effect.delay_ms, () => feed({ type: "timeout", name }));
      } else if (effect.type === "clearTimer") {
        ports.clearTimer(timerName(effect.name));
      } else if (effect.type !== "persist") {
        ports.perform(effect);
      }
    }
  };

  return {
    feed,
    stop() {
      stopped = true;
    },
  };
}

/** What ends the wait for a round's proposal. */
export const PROPOSE_TIMER = timerName("propose");

function timerName(name: TimerName): string {
  return `consensus/${name}`;
}
