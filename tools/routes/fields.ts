// The fields that paths, queries and answers have in common, with the bounds that they have on the wire (src/wire/bounds.ts).

import { Type } from "@sinclair/typebox";
import {
  BATCH_NUMBER_MAX,
  COUNTER_MAX,
  HEIGHT_MAX,
  ORDER_NUMBER_MAX,
  SEQ_MAX,
  SERVICE_MAX,
  TIME_MS_MAX,
} from "../../src/wire/bounds.js";

export const service = Type.Integer({ minimum: 0, maximum: SERVICE_MAX });
/** Of a block that there may be none of. */
export const height = Type.Integer({ minimum: 0, maximum: HEIGHT_MAX });
/** Of a temporary block. */
export const batchNumber = Type.Integer({ minimum: 0, maximum: BATCH_NUMBER_MAX });
export const seq = Type.Integer({ minimum: 0, maximum: SEQ_MAX });
export const orderNumber = Type.Integer({ minimum: 1, maximum: ORDER_NUMBER_MAX });
export const id = Type.String({ pattern: "^[0-9a-f]{16}$", description: "16 lower-case hex digits" });
export const hash = Type.String({ pattern: "^[0-9a-f]{64}$", description: "64 lower-case hex digits" });
export const count = Type.Integer({ minimum: 0 });
export const counter = Type.Integer({ minimum: 0, maximum: COUNTER_MAX });
export const time_ms = Type.Integer({ minimum: 0, maximum: TIME_MS_MAX });
export const nothing = Type.Object({});
