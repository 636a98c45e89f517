// The doubts about one frame as a list: `kind` where one concerns the whole frame, `kind obis` where it concerns a value. The list is
// bounded, but no kind falls out of it: the record's error bits are made of it. Those of the whole frame stand first.

import { formatObis } from "./obis.js";

const doubtsMax = 16;
/** There are more doubts than are listed. */
const leftOut = "doubts-left-out";

/** Collects the doubts of a frame while it is read. */
export class DoubtList {
  private readonly doubts: string[] = [];

  /** Adds a doubt about a code, or about what the meter names otherwise; one that is there already is not repeated. */
  add(kind: string, code?: Uint8Array | string): void {
    const { doubts } = this;
    const doubt = code === undefined ? kind : `${kind} ${typeof code === "string" ? code : formatObis(code)}`;
    if (doubts.includes(doubt)) return;
    if (doubts.length < doubtsMax || !doubts.some((other) => kindOf(other) === kind)) doubts.push(doubt);
    else if (!doubts.includes(leftOut)) doubts.push(leftOut);
  }

  /** At most sixteen, unless there are more kinds. */
  list(): readonly string[] {
    return listDoubts(this.doubts);
  }
}

/** The doubts in their order, those of the whole frame first; of more than sixteen the first of each kind, and the earliest others. */
export function listDoubts(doubts: readonly string[]): readonly string[] {
  const whole = doubts.filter((doubt) => !isCoded(doubt) && doubt !== leftOut);
  const coded = doubts.filter(isCoded);
  if (doubts.length <= doubtsMax && !doubts.includes(leftOut)) return [...whole, ...coded];
  whole.push(leftOut);
  let room = doubtsMax - whole.length - coded.filter(isFirstOfKind).length;
  const kept = coded.filter((doubt, index) => isFirstOfKind(doubt, index, coded) || room-- > 0);
  return [...whole, ...kept];
}

function isFirstOfKind(doubt: string, index: number, doubts: readonly string[]): boolean {
  const kind = kindOf(doubt);
  return doubts.findIndex((other) => kindOf(other) === kind) === index;
}

function kindOf(doubt: string): string {
  const end = doubt.indexOf(" ");
  return end < 0 ? doubt : doubt.slice(0, end);
}

function isCoded(doubt: string): boolean {
  return doubt.includes(" ");
}
