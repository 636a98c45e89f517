// POST /records: a record of who has no MQTT, by the same admission; its receipt is asked for with GET /receipts.

import { receipt } from "../../../routes/receipts.js";
import { submitRecord } from "../../../routes/records.js";
import { pathOf } from "../../../routes/shape.js";
import { type Route, refused, route } from "../../api/route.js";
import type { Admissions } from "../../ingest/publications.js";

export function submitRecordRoute(submit: Admissions["submit"]): Route {
  return route(submitRecord, async ({ body, shown }) => {
    const answer = await submit({ bytes: body, holder: shown });
    switch (answer.type) {
      case "taken": {
        const { service, meter, seq } = answer;
        return { type: "value", value: { service, meter, seq, receipt: pathOf(receipt, { service, meter, seq }, {}) } };
      }
      case "busy":
        return refused("busy", `This node is busy: ${answer.message}.`);
      case "refused": {
        const code = answer.reason === "rate-limited" ? "rate-limited" : "not-taken";
        return refused(code, `${answer.reason}: ${answer.message}`);
      }
    }
  });
}
