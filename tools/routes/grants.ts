// What a grant of the access contract delivers: what it is for, and for each of its days a custodian's shares and the sealed records.

import { Type } from "@sinclair/typebox";
import { DAY_MAX } from "../../src/wire/envelope.js";
import { count, hash, id, nothing, service } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** The ID of who has asked, a hyphen, the number of the request. */
export const grantId = Type.String({
  pattern: "^[0-9a-f]{16}-(0|[1-9][0-9]{0,9})$",
  description: "the ID of who has asked, a hyphen, the number of the request",
});
const day = Type.Integer({ minimum: 0, maximum: DAY_MAX });
/** Days of a grant that are asked for at once. */
export const GRANT_DAYS_MAX = 31;
/** The day behind the last; of the path's day alone where it is left out. */
const days = Type.Object({ until: Type.Optional(day) });

export const grant = {
  method: "GET",
  path: "/chains/:service/grants/:grant",
  parameters: Type.Object({ service, grant: grantId }),
  query: nothing,
  answer: {
    type: "application/json",
    schema: Type.Object({
      requester: id,
      meter: id,
      purpose: count,
      /** UTC days since 1970: the first, and the one behind the last */
      from: day,
      until: day,
      /** those of them that it opens: [first, the one behind the last] */
      days: Type.Array(Type.Array(day, { minItems: 2, maxItems: 2 })),
      /** X25519 key that shares are sealed to */
      key: hash,
      /** UTC seconds until which it delivers */
      until_s: count,
      /** this node's id, whose shares it delivers */
      custodian: id,
    }),
  },
  statuses: [200],
  refusals: ["malformed", "no-grant", "damaged"],
  limits: "plain",
  access: "holder",
} as const satisfies RouteShape;

/**
 * A sequence of [envelope, division / null, enc, ciphertext]: the node's share of each envelope of the days, or its part of another
 * custodian's, sealed to the grant's key.
 */
export const grantShares = {
  method: "GET",
  path: "/chains/:service/grants/:grant/days/:day/shares",
  parameters: Type.Object({ service, grant: grantId, day }),
  query: days,
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "no-grant", "damaged"],
  limits: "costly",
  access: "holder",
} as const satisfies RouteShape;

/** A sequence of [record, receipt, sealed disclosures]: the meter's records of the days, by their numbers. */
export const grantRecords = {
  method: "GET",
  path: "/chains/:service/grants/:grant/days/:day/records",
  parameters: Type.Object({ service, grant: grantId, day }),
  query: days,
  answer: { type: "application/cbor-seq" },
  statuses: [200],
  refusals: ["malformed", "no-grant", "damaged"],
  limits: "costly",
  access: "holder",
} as const satisfies RouteShape;
