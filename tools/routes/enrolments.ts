// The routes of the authority's enrolment service. A browser asks by the same values.

import { Type } from "@sinclair/typebox";
import { ENROLMENT_BYTES_MAX } from "../../src/wire/enrolment.js";
import { count, id, nothing } from "./fields.js";
import type { RouteShape } from "./shape.js";

/** What an enrolment is made upon, so that it is seen to be made now. */
export const enrolmentNonce = {
  method: "GET",
  path: "/enrolments/nonce",
  parameters: nothing,
  query: nothing,
  answer: {
    type: "application/json",
    schema: Type.Object({ nonce: Type.String({ pattern: "^[0-9a-f]{2,64}$" }), seconds: count }),
  },
  statuses: [200],
  refusals: ["malformed"],
  limits: "plain",
  access: "public",
} as const satisfies RouteShape;

/** Sent again with a new nonce it says what has become of the enrolment. */
export const submitEnrolment = {
  method: "POST",
  path: "/enrolments",
  parameters: nothing,
  query: nothing,
  body: { type: "application/cose", bytes_max: ENROLMENT_BYTES_MAX, what: "the enrolment as it was signed" },
  answer: {
    type: "application/json",
    /** `key` is the id of the key; `credential` is base64url */
    schema: Type.Union([
      Type.Object({ state: Type.Literal("granted"), key: id, id: Type.String(), credential: Type.String() }),
      Type.Object({ state: Type.Literal("waiting"), key: id, approvals: count, missing: count }),
    ]),
  },
  statuses: [200, 202],
  refusals: ["malformed", "not-enrolled"],
  limits: "order",
  access: "public",
} as const satisfies RouteShape;
