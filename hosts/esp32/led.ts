// The status LED: one blink pattern a state, told apart from across a cellar.

import Digital from "embedded:io/digital";
import Timer from "timer";

/** Blinks in a row, then a pause; 0 is a steady light. README.md lists them for the field engineer. */
const blinks: Readonly<Record<string, number>> = {
  healthy: 0,
  "no meter": 1,
  "bad frames": 2,
  "no network": 3,
  "no broker": 4,
  "not sealed": 5,
  "no credential": 6,
  "configuration refused": 7,
};
const BLINK_MS = 150;
const PAUSE_TICKS = 6;

/** Shows a state until another is given. */
export function openLed(): (state: string) => void {
  const { pin, on } = device.led;
  const led = new Digital({ pin, mode: Digital.Output });
  const off = on === 1 ? 0 : 1;
  let count = blinks["no meter"]!;
  let tick = 0;
  Timer.repeat(() => {
    const lights = count === 0 || (tick < 2 * count && tick % 2 === 0);
    led.write(lights ? on : off);
    tick = (tick + 1) % (2 * count + PAUSE_TICKS);
  }, BLINK_MS);
  return (state) => {
    count = blinks[state] ?? 7;
  };
}
