// The states of all credentials by their status index, for who does not follow the chains: a Token Status List as a CWT
// (draft-ietf-oauth-status-list, sections 4 and 5.2), signed by the key that issues.

import { deflateSync } from "node:zlib";
import { type CborValue, encodeCbor } from "../../src/wire/cbor.js";
import { encodeSign1, sign1Bytes } from "../../src/wire/cose.js";
import type { Issuing } from "./folder.js";
import type { CredentialState } from "./register/rows.js";

/** Bits of a status; the draft allows 1, 2, 4 and 8. */
const BITS = 2;
const TYPE = "application/statuslist+cwt";
/** Claims of RFC 8392 and of the draft, section 14.3; the header is that of RFC 9596. */
const [SUBJECT, EXPIRES, ISSUED, TIME_TO_LIVE, STATUS_LIST, WARRANT] = [2, 4, 6, 65_534, 65_533, -70_002];
const [ALGORITHM, TYPE_HEADER] = [1, 16];

/** Statuses of the draft, section 7: what was renewed stays good until it ends; what was replaced is good no more. */
const statuses: Readonly<Record<CredentialState, number>> = {
  valid: 0,
  renewed: 0,
  replaced: 1,
  revoked: 1,
  suspended: 2,
};

export interface StatusListTerms {
  /** where the list is to be had, as credentials are told apart from */
  readonly uri: string;
  readonly issued_s: number;
  /** how long a reader may keep it */
  readonly ttl_s: number;
  readonly expires_s: number;
}

/** Statuses of `bits` each, packed from the least significant bit of each byte on (section 4.1). */
export function packStatuses(values: readonly number[], bits: 1 | 2 | 4 | 8): Uint8Array {
  const each = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(values.length / each));
  for (const [index, value] of values.entries()) bytes[Math.floor(index / each)]! |= value << ((index % each) * bits);
  return bytes;
}

/** The `status_list` of a CWT: { bits, lst }, the list compressed by zlib at its highest level (section 4.3). */
export function statusListOf(values: readonly number[], bits: 1 | 2 | 4 | 8): ReadonlyMap<string, CborValue> {
  const lst = Uint8Array.from(deflateSync(packStatuses(values, bits), { level: 9 }));
  return new Map<string, CborValue>([
    ["bits", bits],
    ["lst", lst],
  ]);
}

/** The signed list of credentials in the order of their status indexes. */
export function signStatusList(
  states: Iterable<CredentialState>,
  { uri, issued_s, ttl_s, expires_s }: StatusListTerms,
  { signer, warrant }: Issuing,
): Uint8Array {
  const values = Array.from(states, (state) => statuses[state]);
  const claims = new Map<number, CborValue>([
    [SUBJECT!, uri],
    [EXPIRES!, expires_s],
    [ISSUED!, issued_s],
    [TIME_TO_LIVE!, ttl_s],
    [STATUS_LIST!, statusListOf(values, BITS)],
  ]);
  if (warrant !== undefined) claims.set(WARRANT!, warrant);
  const header = encodeCbor(
    new Map<number, CborValue>([
      [ALGORITHM!, signer.key.algorithm],
      [TYPE_HEADER!, TYPE],
    ]),
  );
  const payload = encodeCbor(claims);
  return encodeSign1(header, new Map(), payload, signer.sign(sign1Bytes(header, payload)));
}
