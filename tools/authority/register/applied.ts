// What comes of a change of the register: the rows to write, or why it does not apply.

import type { Put, RegisterView } from "./rows.js";

export type Applied =
  | { readonly type: "applied"; readonly puts: readonly Put[]; readonly issued: number }
  /** the change does not apply; `reason` says why */
  | { readonly type: "refused"; readonly reason: string };

/** Rows to write by a change that issues no credential. */
export function applied({ issued }: RegisterView, puts: readonly Put[]): Applied {
  return { type: "applied", puts, issued };
}

export function refused(reason: string): Applied {
  return { type: "refused", reason };
}
