// By which credential a record is judged where the authority has certified one key more than once: members verify it by the one that its
// temporary block brings, and the chain seals what the one permits that counts there.

import { equalBytes } from "../../src/wire/bytes.js";
import { parseCredential } from "../../src/wire/credential.js";
import { type ExecutionRecord, roleComplaint } from "./record-scan.js";

/** A notice as far as this needs it. */
type Brought =
  | { readonly kind: "credential"; readonly holder: string; readonly bytes: Uint8Array }
  | { readonly kind: "order" | "message" | "due" | "evidence" };

/** The credentials among the notices, by holder; undefined where there are none, as nearly always. */
export function broughtBy(notices: readonly Brought[]): ReadonlyMap<string, Uint8Array> | undefined {
  let brought: Map<string, Uint8Array> | undefined;
  for (const notice of notices) {
    if (notice.kind !== "credential") continue;
    brought ??= new Map();
    brought.set(notice.holder, notice.bytes);
  }
  return brought;
}

/** Whether a record that was verified by one credential of its key is permitted by the one that counts, where there is one. */
export function isPermittedBy(
  counts: Uint8Array | undefined,
  verifiedBy: Uint8Array,
  { type }: Pick<ExecutionRecord, "type">,
): boolean {
  if (counts === undefined || equalBytes(counts, verifiedBy)) return true;
  return roleComplaint(parseCredential(counts), type) === undefined;
}
