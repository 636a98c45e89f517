// A correct node, as those see it who check what it does.

import type { DiskRows } from "../world/rows.js";

export interface Suspect {
  readonly id: string;
  /** how often it has started */
  readonly life: number;
  readonly durable: DiskRows;
}
