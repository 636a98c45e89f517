// Looks at a node, each by its name: one that fails holds up no other, keeps what was found wrong before, and is told once it has failed
// again and again.

import { BoundedMap } from "../bounded-map.js";
import { reasonOf } from "../errors.js";

/** Looks that fail one after the other before that is told: a busy node answers the next one. */
const FAILED_MIN = 3;
const NAMES_MAX = 4_096;

export interface Looked {
  readonly wrong: string | undefined;
  /** why nothing is seen, look after look */
  readonly unseen: string | undefined;
}

export interface Looks {
  /** What a look finds wrong. Rejects with what `isFatal` says yes to, and with nothing else. */
  look(name: string, what: () => Promise<string | undefined>): Promise<Looked>;
}

export function createLooks(isFatal: (error: unknown) => boolean): Looks {
  const known = new BoundedMap<string, { readonly wrong: string | undefined; readonly failed: number }>(NAMES_MAX);
  return {
    async look(name, what) {
      try {
        const wrong = await what();
        known.set(name, { wrong, failed: 0 });
        return { wrong, unseen: undefined };
      } catch (error) {
        if (isFatal(error)) throw error;
        const { wrong, failed } = known.get(name) ?? { wrong: undefined, failed: 0 };
        known.set(name, { wrong, failed: failed + 1 });
        return { wrong, unseen: failed + 1 < FAILED_MIN ? undefined : `${name}: ${reasonOf(error)}` };
      }
    },
  };
}
