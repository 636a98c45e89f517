// The status LED on its pin.

import Digital from "embedded:io/digital";
import Timer from "timer";
import { BLINK_MS, isLit } from "./blinks.js";

/** Shows a state until another is given. */
export function openLed(): (state: string) => void {
  const { pin, on } = device.led;
  const led = new Digital({ pin, mode: Digital.Output });
  const off = on === 1 ? 0 : 1;
  let shown = "starts";
  let tick = 0;
  Timer.repeat(() => {
    led.write(isLit(shown, tick) ? on : off);
    tick += 1;
  }, BLINK_MS);
  return (state) => {
    if (state !== shown) tick = 0;
    shown = state;
  };
}
