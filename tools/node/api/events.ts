// GET /events: sealed blocks as they come, as server-sent events (HTML Living Standard, section 9.2).

import { events } from "../../routes/events.js";
import { createAddressCounts } from "../address-limits.js";
import type { EventStream } from "./event-stream.js";
import { type Route, refused, route } from "./route.js";

/** At one time. */
const SUBSCRIBERS_MAX = 256;

export interface Events {
  readonly route: Route;
  /** Tells the subscribers. */
  broadcast(event: object): void;
  close(): void;
}

/** A stream has no end: an address may have fewer than connections, so that it has some left. */
export function createEvents(ofAddress: (group: string) => number): Events {
  const subscribers = new Set<EventStream>();
  const counts = createAddressCounts(ofAddress);
  return {
    route: route(events, ({ group }) => {
      if (subscribers.size >= SUBSCRIBERS_MAX || !counts.take(group)) return refused("busy", "Too many subscribers.");
      return {
        type: "stream",
        begin(stream) {
          subscribers.add(stream);
          stream.onClosed(() => {
            subscribers.delete(stream);
            counts.release(group);
          });
          stream.send(Buffer.from(":\n\n"), () => undefined);
        },
      };
    }),
    broadcast(event) {
      const bytes = Buffer.from(`event: block\ndata: ${JSON.stringify(event)}\n\n`);
      for (const stream of subscribers) stream.send(bytes, () => undefined);
    },
    close() {
      for (const stream of subscribers) stream.end();
    },
  };
}
