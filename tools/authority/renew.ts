// Renews a credential: the same key, roles and services, for a further time; also after its end.
// Nodes take the newer one of a key. Another key is a replacement, not a renewal.

import { parseCredential } from "../../src/wire/credential.js";
import { GridsealError } from "../errors.js";
import { type Authority, type Issued, issueCredentials } from "./issue.js";
import type { Register } from "./register/register.js";
import { currentCredential } from "./register/rows.js";

/** Throws REGISTER_REFUSED where the ID has no credential in force. */
export function renewCredential(
  authority: Authority,
  register: Register,
  request: { readonly id: string; readonly days: number },
  now_s: number,
): Issued {
  const { id, days } = request;
  const before = currentCredential(register, id);
  if (before === undefined) {
    throw new GridsealError("REGISTER_REFUSED", `ID ${id} has no credential that could be renewed`);
  }
  const known = parseCredential(Uint8Array.from(Buffer.from(before.bytes, "base64url")));
  const { services, roles, jurisdiction, deliveryKey, origin, key } = known;
  const terms = {
    ...{ id, services, roles, days },
    ...(jurisdiction !== undefined && { jurisdiction }),
    ...(deliveryKey !== undefined && { deliveryKey }),
    ...(origin !== undefined && { origin }),
  };
  const [renewed] = issueCredentials(authority, register, [{ terms, key }], now_s, "renewal");
  return renewed!;
}
