// What a grant of sums over a group delivers: what it is for, and the sums of its slots, as this custodian has worked them out.

import { Type } from "@sinclair/typebox";
import { AGGREGATE_BYTES_MAX, AGGREGATE_METERS_MAX } from "../../src/wire/aggregate.js";
import { TIME_S_MAX } from "../../src/wire/bounds.js";
import { DAY_MAX, DAY_S } from "../../src/wire/envelope.js";
import { count, hash, id, nothing, service } from "./fields.js";
import { grantId } from "./grants.js";
import type { RouteShape } from "./shape.js";

const day = Type.Integer({ minimum: 0, maximum: DAY_MAX });
const time_s = Type.Integer({ minimum: 0, maximum: TIME_S_MAX });
/** Around the aggregate: the heads, HPKE's key and its tag. */
const SEALING_BYTES_MAX = 64;

export const groupGrant = {
  method: "GET",
  path: "/chains/:service/grants/:grant/group",
  parameters: Type.Object({ service, grant: grantId }),
  query: nothing,
  answer: {
    type: "application/json",
    schema: Type.Object({
      requester: id,
      group: Type.String({ maxLength: 64 }),
      /** how many it has */
      meters: Type.Integer({ minimum: 1, maximum: AGGREGATE_METERS_MAX }),
      /** OBIS code as hex, and the unit of its values */
      register: Type.String({ pattern: "^[0-9a-f]{12}$" }),
      unit: count,
      purpose: count,
      /** UTC days since 1970: the first, and the one behind the last */
      from: day,
      until: day,
      slot_s: Type.Integer({ minimum: 1, maximum: DAY_S }),
      /** what a block seals so long after a slot counts in none */
      lateness_s: count,
      /** X25519 key that sums are sealed to */
      key: hash,
      /** UTC seconds until which it delivers */
      until_s: count,
      /** this node's id */
      custodian: id,
      /** ids of the custodians that work for it */
      computing: Type.Array(id),
      /** UTC seconds of the chain's newest block here */
      head_s: time_s,
    }),
  },
  statuses: [200],
  refusals: ["malformed", "no-grant", "damaged"],
  limits: "plain",
  access: "holder",
} as const satisfies RouteShape;

/** [enc, ciphertext]: the signed sums of whole slots of one UTC day, from seconds to seconds, sealed to the grant's key. */
export const groupSums = {
  method: "GET",
  path: "/chains/:service/grants/:grant/sums/:from/:until",
  parameters: Type.Object({ service, grant: grantId, from: time_s, until: time_s }),
  query: nothing,
  answer: { type: "application/cbor", bytes_max: AGGREGATE_BYTES_MAX + SEALING_BYTES_MAX },
  statuses: [200],
  refusals: ["malformed", "no-grant", "waiting", "withheld", "not-computing", "damaged"],
  limits: "costly",
  access: "holder",
} as const satisfies RouteShape;
