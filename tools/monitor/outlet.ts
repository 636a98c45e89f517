// One way by which alarms leave the monitor, beside others: what becomes of an alarm there holds up no other way. That it takes none, or
// has not for a while, is said once, and once that it takes them again.

import { reasonOf } from "../errors.js";
import type { alarmLine } from "./outputs.js";

/** Alarms that wait to be taken; of more the newest are not told there. */
const WAITING_MAX = 1_000;
/** An alarm that is not taken for so long is said to wait, and goes on waiting. */
const LATE_MS = 10_000;

export type AlarmLine = ReturnType<typeof alarmLine>;

export interface OutletPorts {
  /** as sentences name it */
  readonly name: string;
  /** Resolves with why the alarm is not taken, where it is not. */
  deliver(line: AlarmLine): Promise<string | undefined>;
  /** what stands in the monitor's own way */
  say(sentence: string): void;
}

/** Resolves when the alarm is taken or given up, whatever `deliver` throws. */
export function createOutlet({ name, deliver, say }: OutletPorts): (line: AlarmLine) => Promise<void> {
  let waiting = 0;
  /** not taken since one was, in one piece */
  let lost = 0;
  let isLate = false;

  const sayLate = () => {
    if (!isLate) say(`${name} has not taken an alarm for ${LATE_MS / 1_000} s. Standard output has them all`);
    isLate = true;
  };

  const reasonFor = async (line: AlarmLine): Promise<string | undefined> => {
    if (waiting === WAITING_MAX) return `${WAITING_MAX} wait for it already`;
    waiting += 1;
    const late = setTimeout(sayLate, LATE_MS).unref();
    try {
      return await deliver(line);
    } catch (error) {
      return reasonOf(error);
    } finally {
      clearTimeout(late);
      waiting -= 1;
    }
  };

  return async (line) => {
    const reason = await reasonFor(line);
    if (reason !== undefined) {
      lost += 1;
      if (lost === 1) say(`${name} does not take alarms: ${reason}. Standard output has them all`);
      return;
    }
    if (lost > 0 || isLate) say(`${name} takes alarms again, ${lost} were not taken`);
    lost = 0;
    isLate = false;
  };
}
