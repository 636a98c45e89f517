// GET /chains/<service>/slots/<start>: the rows of a closed slot, as long as the node keeps them.

import { encodeSlotRows } from "../../../../src/wire/slot.js";
import { slot } from "../../../routes/slots.js";
import { slots } from "../../chain/tables/settlement.js";
import { slotKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";
import { type Route, refused, route } from "../route.js";

/** Slots begin no later than blocks, whose seconds have four bytes. */
const START_S_MAX = 2 ** 32;

export function slotRoute(store: Store): Route {
  return route(slot, ({ parameters: { service, start } }) => {
    const row = start < START_S_MAX ? store.get(slots, slotKey(service, start)) : undefined;
    if (row === undefined)
      return refused("unknown-slot", `This node has no slot of chain ${service} from ${start} s on.`);
    const bytes = encodeSlotRows(row);
    return { type: "long", items: [bytes].values(), length: bytes.length };
  });
}
