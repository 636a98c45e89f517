// Makes one-time codes. The code goes to who asks for it and is kept nowhere: the register has what checks proofs of it.

import { randomBytes } from "node:crypto";
import { toHex } from "../../../src/wire/bytes.js";
import {
  CODE_NAME_CHARACTERS,
  CODE_SECRET_CHARACTERS,
  codeFromRandom,
  codeKey,
  codeToText,
} from "../../../src/wire/enrolment-code.js";
import type { Register } from "../register/register.js";
import type { Code } from "../register/rows.js";

/** Makes a code within terms and returns its text, which is not to be had again. Throws REGISTER_REFUSED. */
export function makeCode(
  register: Register,
  terms: Omit<Code, "name" | "key">,
  now_s: number,
): { readonly name: string; readonly text: string } {
  let code = freshCode();
  while (register.get("codes", code.name) !== undefined) code = freshCode();
  const row: Code = { name: code.name, key: toHex(codeKey(code)), ...terms };
  register.update(now_s, () => [{ type: "code", code: row }]);
  return { name: code.name, text: codeToText(code) };
}

function freshCode() {
  return codeFromRandom(Uint8Array.from(randomBytes(CODE_NAME_CHARACTERS + CODE_SECRET_CHARACTERS)));
}
