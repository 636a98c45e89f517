// The headers between two receipts of a meter. With them it checks one certificate for both: each header names the one before it
// (PROTOCOL.md, section 15). Only what a meter is sent as blocks are sealed has them; a receipt without them is as good alone.

import { LINKS_MAX } from "../../../src/wire/receipt.js";

export interface ReceiptLinks {
  /**
   * Headers of the blocks between that of the meter's last receipt and the one sealed now, the newest first. None where they are more
   * than a meter takes, or not known here. Asked once for each receipt that is sent.
   */
  before(chain: number, meter: string, height: number): readonly Uint8Array[];
  /** The block's receipts are sent. */
  sealed(chain: number, height: number, header: Uint8Array): void;
}

/** Of one chain: the newest headers, and of which meters receipts were sent among them. */
interface Line {
  /** of consecutive heights, the newest last */
  readonly headers: Uint8Array[];
  newest: number;
  /** height of the last receipt by meter, the highest last */
  readonly sent: Map<string, number>;
}

export function createReceiptLinks(): ReceiptLinks {
  const lines = new Map<number, Line>();
  const lineOf = (chain: number): Line => {
    const line = lines.get(chain) ?? { headers: [], newest: 0, sent: new Map() };
    lines.set(chain, line);
    return line;
  };

  return {
    before(chain, meter, height) {
      const line = lineOf(chain);
      const last = line.sent.get(meter);
      line.sent.delete(meter);
      line.sent.set(meter, height);
      return last === undefined || height - last - 1 > LINKS_MAX ? [] : between(line, last, height);
    },
    sealed(chain, height, header) {
      const line = lineOf(chain);
      if (height !== line.newest + 1) line.headers.length = 0;
      line.headers.push(Uint8Array.from(header)); // of a block that came from a peer it is a view of the whole
      line.newest = height;
      if (line.headers.length > LINKS_MAX) line.headers.shift();
      for (const [meter, last] of line.sent) {
        if (height - last <= LINKS_MAX) break;
        line.sent.delete(meter);
      }
    },
  };
}

function between({ headers, newest }: Line, last: number, height: number): readonly Uint8Array[] {
  const links: Uint8Array[] = [];
  for (let at = height - 1; at > last; at -= 1) {
    const header = headers[headers.length - 1 - (newest - at)];
    if (header === undefined) return [];
    links.push(header);
  }
  return links;
}
