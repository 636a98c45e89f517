// Why the chip starts: its own reset reason (ESP-IDF, esp_reset_reason_t) and what the run before left about itself. A restart by
// software that left nothing is shown as what it is: nobody can explain it. Pure.

const SOFTWARE = 3;
const POWER_ON = 1;
const BROWNOUT = 9;

const resets = [
  "an unknown reset",
  "power on",
  "external pin",
  "restart",
  "panic",
  "interrupt watchdog",
  "task watchdog",
  "other watchdog",
  "deep sleep",
  "brownout",
  "SDIO",
];

/** Whether the chip's clock ran on through this reset. */
export function keepsTime(reset: number): boolean {
  return reset !== POWER_ON && reset !== BROWNOUT;
}

/** A line for people: `left` is what the run before left, `count` the resets since power on. */
export function describeStart(reset: number, left: string | undefined, count: number): string {
  const after = `started after ${resets[reset] ?? resets[0]!}, reset ${count} times since power on`;
  if (left !== undefined) return `${after}; the last run ended: ${left}`;
  if (reset === SOFTWARE) return `${after}; nothing explains it: the engine's stack or memory ran out`;
  return after;
}
