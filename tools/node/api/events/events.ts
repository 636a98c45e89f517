// GET /events: sealed blocks as they come, and those that a subscriber has missed, from the position that it names.

import { type BlockEvent, type EventTopic, events, positionOf } from "../../../routes/events.js";
import { createAddressCounts } from "../../limits/addresses.js";
import { type Route, refused, route } from "../route.js";
import { Subscriber, type SubscriberPorts } from "./subscriber.js";

/** At one time. */
const SUBSCRIBERS_MAX = 256;

export interface Events {
  readonly route: Route;
  /** A block is sealed; it is in the store. */
  onSealed(event: BlockEvent): void;
  /** To be called every second or so. */
  look(): void;
  close(): void;
}

export interface EventsPorts extends SubscriberPorts {
  /** A stream has no end: an address may have fewer than connections, so that it has some left. */
  ofAddress(group: string): number;
}

export function createEvents(ports: EventsPorts): Events {
  const subscribers = new Set<Subscriber>();
  const counts = createAddressCounts(ports.ofAddress);
  return {
    route: route(events, ({ query, group, lastEventId, objection }) => {
      // Who connects again asks as it did first, and says beside what it has got since.
      const text = lastEventId ?? query.after;
      const after = text === undefined ? undefined : positionOf(text);
      const topic = query.topic as EventTopic;
      if (text !== undefined && after === undefined) {
        return refused(
          "malformed",
          `Last-Event-ID or after is ${JSON.stringify(text.slice(0, 40))}, the id of no event.`,
        );
      }
      if (subscribers.size >= SUBSCRIBERS_MAX || !counts.take(group)) {
        return refused("busy", "Too many subscribers, of all addresses or of yours.");
      }
      return {
        type: "stream",
        begin(stream) {
          const subscriber = new Subscriber(ports, stream, group, { after, topic, objection });
          subscribers.add(subscriber);
          stream.onClosed(() => {
            subscribers.delete(subscriber);
            counts.release(group);
          });
          subscriber.wake();
        },
      };
    }),
    onSealed(event) {
      ports.log.add(event);
      for (const subscriber of subscribers) subscriber.wake();
    },
    look() {
      for (const subscriber of subscribers) subscriber.look();
    },
    close() {
      for (const subscriber of subscribers) subscriber.end("stopping", "This node stops.");
    },
  };
}
