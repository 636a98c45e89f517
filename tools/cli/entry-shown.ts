// What of a block a contract ran for, as people read it.

import { secondText } from "../terminal/output.js";

/**
 * The text of an entry with its times as ISO 8601; nothing where there is none. An operation stands in a block as a leaf, whose number
 * is not the participant's own.
 */
export function entryShown(entry: string | null): string {
  return (
    entry
      ?.replace(/^operation (?=\d+$)/, "operation at leaf ")
      .replace(/^(slot|due) (\d+)/, (_, kind: string, time_s: string) => `${kind} ${secondText(Number(time_s))}`) ?? ""
  );
}
