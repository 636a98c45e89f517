// The frames that `gridseal decode` prints. What is refused before a first frame was read waits: a
// capture of which nothing can be read is answered in one line that says what it is.

import type { Outcome, Protocol, Refusal } from "../../../src/meter/reader.js";
import { countText } from "../../terminal/output.js";

/** An outcome, or that there is none. */
export type Shown =
  | Outcome
  | (Omit<Refusal, "reason" | "protocol"> & {
      readonly reason: Refusal["reason"] | typeof noFrame;
      readonly protocol: Protocol | "unknown";
    });

type Print = (frame: number, outcome: Shown, out: (line: string) => void) => void;

/** The reason of what is no frame's. */
const noFrame = "no-frame";
/** So many refusals are printed as they are. */
const waitingMax = 1000;

export class FrameList {
  refused = 0;
  private read = 0;
  private frames = 0;
  private readonly reasons = new Map<string, number>();
  private waiting: Shown[] | undefined = [];
  private readonly print: Print;
  private readonly out: (line: string) => void;

  constructor(print: Print, out: (line: string) => void) {
    this.print = print;
    this.out = out;
  }

  add(outcomes: readonly Shown[]): void {
    for (const outcome of outcomes) {
      this.waiting?.push(outcome);
      if (this.waiting === undefined) this.show(outcome);
      else if (outcome.ok || this.waiting.length > waitingMax) this.flush();
    }
  }

  /**
   * Nothing more comes. Where nothing was read, `refusalOf` may say in one line why; it is told
   * whether there are refused frames.
   */
  end(refusalOf: (someAreRefused: boolean) => Shown | undefined): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    const whole = waiting.length === 0 || !isOneKind(waiting) ? refusalOf(waiting.length > 0) : undefined;
    if (whole !== undefined) this.waiting = [whole];
    else if (isOneKind(waiting)) this.waiting = waiting.slice(0, 1);
    this.flush();
  }

  /** `3 frames: 2 read, 1 refused (crc 1)`. */
  summary(): string {
    if (this.reasons.has(noFrame)) return "no frame";
    const reasons = [...this.reasons].map(([reason, count]) => `${reason} ${count}`).join(", ");
    const refused = this.refused === 0 ? "" : `, ${this.refused} refused (${reasons})`;
    return `${countText(this.frames, "frame")}: ${this.read} read${refused}`;
  }

  private flush(): void {
    const { waiting = [] } = this;
    this.waiting = undefined;
    for (const outcome of waiting) this.show(outcome);
  }

  private show(outcome: Shown): void {
    if (outcome.ok) this.read++;
    else {
      this.refused++;
      this.reasons.set(outcome.reason, (this.reasons.get(outcome.reason) ?? 0) + 1);
    }
    this.print(this.frames++, outcome, this.out);
  }
}

/**
 * Whole frames, all of the one kind that no reader reads, or beginnings without an end, as a document with an example in it has
 * them: the first says it for all of them.
 */
function isOneKind(refusals: readonly Shown[]): boolean {
  const [first] = refusals;
  if (first !== undefined && isEndless(first)) return refusals.every((shown) => isEndless(shown) || isCutOff(shown));
  return refusals.every(
    (shown) => !shown.ok && !first!.ok && shown.reason === "unsupported" && shown.detail === first!.detail,
  );
}

function isEndless(shown: Shown): boolean {
  return !shown.ok && shown.reason === "oversized";
}

function isCutOff(shown: Shown): boolean {
  return !shown.ok && shown.reason === "truncated";
}
