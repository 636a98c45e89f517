// What needs, requests and statements are called on the chain: by who has signed them, and under which number. An answer has no name
// of its own: it is called by the request that it answers.

import { InvalidArgumentError } from "commander";
import { toHex } from "../../../src/wire/bytes.js";
import { parseOperation } from "../../../src/wire/operation.js";
import { GridsealError } from "../../errors.js";
import { TYPES } from "../../market/access/types.js";

/** Reads a name as people type it; whether there is such a thing is the chain's to say. */
export function statedName(text: string): string {
  if (/^[0-9a-f]{16}-(0|[1-9][0-9]{0,15})$/.test(text)) return text;
  throw new InvalidArgumentError("It must be a name such as 0123456789abcdef-4, as `access list` has it.");
}

const answers: Readonly<Record<number, string>> = {
  [TYPES.consent]: "consent",
  [TYPES.objection]: "objection",
  [TYPES.withdrawal]: "withdrawal",
  [TYPES.decision]: "decision",
  [TYPES.confirmation]: "confirmation",
};

/**
 * Throws USAGE where the name is of an answer among the signed operations, and says what that answers: no contract would know the
 * name.
 */
export function refuseAnswersName(name: string, signed: readonly Uint8Array[]): void {
  for (const bytes of signed) {
    const { claims, kid } = parseOperation(bytes);
    const what = answers[claims.type];
    if (what === undefined || `${toHex(kid)}-${claims.seq}` !== name) continue;
    const items = Array.isArray(claims.body) ? (claims.body as readonly unknown[]) : [];
    const answered = items[claims.type === TYPES.confirmation ? 1 : 0];
    throw new GridsealError("USAGE", `${name} is your ${what}, which has no name of its own: name ${String(answered)}`);
  }
}
