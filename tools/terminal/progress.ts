// How far a command is, on standard error: at a terminal whatever takes over two seconds says so, in one line that is drawn again and
// gone when it ends. Elsewhere, or where the terminal draws no line again, what takes minutes says so in a line a minute.

import { countText, durationText } from "./output.js";

/** What is being done, and how far it is. */
export interface Step {
  /** as "auditing trading" */
  readonly what: string;
  readonly done?: number;
  readonly total?: number;
  /** of which so many are done, one of them: block, MB */
  readonly unit?: string;
}

/** Where the line is drawn. */
export interface ProgressScreen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const FIRST_MS = 2_000;
const EVERY_MS = 250;
const EVERY_LINE_MS = 60_000;
const COLUMNS = 80;
const CLEAR = "\r\x1b[K";

/** Lends `use` what tells how far it is, and takes the line away whatever comes of that. */
export async function withProgress<T>(
  use: (tell: (step: Step) => void) => Promise<T>,
  screen: ProgressScreen = process.stderr,
): Promise<T> {
  if (screen.isTTY !== true || process.env.TERM === "dumb") return withLines(use, screen);
  const started_ms = performance.now();
  let step: Step | undefined;
  let begun_ms = started_ms;
  let next_ms = started_ms + FIRST_MS;
  let isDrawn = false;
  const draw = () => {
    const now_ms = performance.now();
    if (step === undefined || now_ms < next_ms) return;
    next_ms = now_ms + EVERY_MS;
    isDrawn = true;
    screen.write(`${CLEAR}${progressText(step, now_ms - begun_ms).slice(0, (screen.columns ?? COLUMNS) - 1)}`);
  };
  const timer = setInterval(draw, EVERY_MS);
  try {
    // Work that never leaves the processor to timers is told of too.
    return await use((told) => {
      if (told.what !== step?.what) begun_ms = performance.now();
      step = told;
      draw();
    });
  } finally {
    clearInterval(timer);
    if (isDrawn) screen.write(CLEAR);
  }
}

async function withLines<T>(use: (tell: (step: Step) => void) => Promise<T>, screen: ProgressScreen): Promise<T> {
  let step: Step | undefined;
  let begun_ms = performance.now();
  const timer = setInterval(() => {
    if (step !== undefined) screen.write(`${progressText(step, performance.now() - begun_ms)}\n`);
  }, EVERY_LINE_MS);
  try {
    return await use((told) => {
      if (told.what !== step?.what) begun_ms = performance.now();
      step = told;
    });
  } finally {
    clearInterval(timer);
  }
}

/** The line: how much is done, of how much, and how long the rest takes at this pace. */
export function progressText({ what, done, total, unit }: Step, elapsed_ms: number): string {
  const elapsed = durationText(elapsed_ms);
  if (done === undefined || unit === undefined) return `${what}, ${elapsed}`;
  const count = done.toLocaleString("en-US");
  const pace = paceText(done, elapsed_ms, unit);
  if (total === undefined || total < done) return `${what}: ${count} ${nounOf(done, unit)}${pace}, ${elapsed}`;
  const share = total === 0 ? 100 : Math.floor((100 * done) / total);
  const left = done === 0 ? "" : `, ${durationText((elapsed_ms * (total - done)) / done)} left`;
  return `${what}: ${count} of ${total.toLocaleString("en-US")} ${nounOf(total, unit)}, ${share} %${pace}${left}`;
}

/** How much in a second, once there is something to tell it by. */
function paceText(done: number, elapsed_ms: number, unit: string): string {
  const pace = (1_000 * done) / elapsed_ms;
  if (done === 0 || elapsed_ms < 1_000) return "";
  return `, ${pace < 10 ? pace.toFixed(1) : Math.round(pace).toLocaleString("en-US")} ${nounOf(2, unit)}/s`;
}

/** Of a count that is shown apart. */
function nounOf(count: number, unit: string): string {
  return unit === "MB" ? unit : countText(count, unit).slice(String(count).length + 1);
}
