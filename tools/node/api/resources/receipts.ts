// GET /receipts/<service>/<meter>/<seq>: the receipt of a sealed record, made in a thread where its block is not at hand.

import { idFromText } from "../../../../src/wire/key.js";
import { receipt } from "../../../routes/receipts.js";
import type { ApiPorts } from "../ports.js";
import { type Route, refused, route } from "../route.js";

export function receiptRoute({ receipts, isWaiting }: Pick<ApiPorts, "receipts" | "isWaiting">): Route {
  return route(receipt, async ({ parameters: { service, meter, seq } }) => {
    const kid = idFromText(meter)!;
    const bytes = await receipts.findSoon(service, kid, seq);
    if (bytes !== undefined) return { type: "sent", bytes };
    const name = `Record ${seq} of meter ${meter} and service ${service}`;
    if (isWaiting(service, kid, seq)) return refused("waiting", `${name} waits to be sealed.`);
    return refused("unknown-record", `${name} is not sealed on this node.`);
  });
}
