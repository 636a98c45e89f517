// Before a meter gets a receipt it gets what it needs to verify it: the handovers of the chain, and the order that added it, where the
// members are not those of the genesis. What a meter on this connection has been shown is not shown again.

import { decodeHandover } from "../../../src/wire/handover.js";
import { isFounding } from "../../../src/wire/lineage.js";
import { serviceTopic } from "../../../src/wire/topics.js";
import { BoundedMap } from "../../bounded-map.js";
import { lineageOf } from "../chain/tables/lineage.js";
import type { StoreReader } from "../store/store.js";

/** Meters whose state is remembered; one that is forgotten is shown everything again, and passes over what it knows. */
const METERS_KEPT = 65_536;

export interface Introductions {
  /** The meter has come, or come again: what it was shown may not have reached it. */
  onBirth(meter: string): void;
  /** Shows the meter what it may lack for a receipt of this height; with `to` that session alone, which is remembered by itself. */
  beforeReceipt(service: number, meter: string, height: number, to?: string): void;
  /** The members of a chain have changed. */
  onChange(service: number): void;
}

interface Item {
  readonly bytes: Uint8Array;
  /** height from which its members count */
  readonly from: number;
}

export function createIntroductions(
  network: string,
  store: StoreReader,
  publish: (topic: string, payload: Uint8Array, to?: string) => void,
): Introductions {
  const lineages = new Map<number, readonly Item[]>();
  /** by meter, or meter and session, and by service: how many items were shown */
  const shown = new BoundedMap<string, Map<number, number>>(METERS_KEPT);

  const itemsOf = (service: number): readonly Item[] => {
    let items = lineages.get(service);
    if (items === undefined) {
      items = lineageOf(store, service).map((bytes) => ({
        bytes,
        from: isFounding(bytes) ? 1 : decodeHandover(bytes).height + 1,
      }));
      lineages.set(service, items);
    }
    return items;
  };

  const show = (topic: string, items: readonly Item[], to: string | undefined) => {
    for (const { bytes } of items) publish(topic, bytes, to);
  };

  return {
    onBirth(meter) {
      shown.delete(meter);
    },
    beforeReceipt(service, meter, height, to) {
      const items = itemsOf(service);
      if (items.length === 0) return;
      const whom = to === undefined ? meter : `${meter} ${to}`;
      const topic = serviceTopic(network, service, "members", meter);
      const needed = items.findLastIndex(({ from }) => from <= height) + 1;
      const counts = shown.get(whom) ?? new Map<number, number>();
      const before = counts.get(service) ?? 0;
      // Those who seal above this height are shown with the first receipt that is theirs. Of those below the newest a meter keeps few
      // sets: it is shown how to come to them.
      if (needed !== before) show(topic, items.slice(needed > before ? before : 0, needed), to);
      shown.set(whom, counts.set(service, Math.max(before, needed)));
    },
    onChange: (service) => void lineages.delete(service),
  };
}
