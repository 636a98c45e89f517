// Sealed blocks as they come, as server-sent events (HTML Living Standard, section 9.2).

import type { FastifyInstance, FastifyReply } from "fastify";
import { createAddressCounts } from "../address-limits.js";
import { groupOf, refuseBusy } from "./answering.js";

/** At one time. */
const SUBSCRIBERS_MAX = 256;
/** Bytes that a subscriber may be behind before it is let go. */
const BEHIND_BYTES_MAX = 1_048_576;

export interface Events {
  /** Tells the subscribers. */
  broadcast(event: object): void;
  close(): void;
}

/** A stream has no end: an address may have fewer than connections, so that it has some left. */
export function addEvents(server: FastifyInstance, ofAddress: (group: string) => number): Events {
  const subscribers = new Set<FastifyReply>();
  const counts = createAddressCounts(ofAddress);
  server.get("/events", (request, reply) => {
    const group = groupOf(request);
    if (subscribers.size >= SUBSCRIBERS_MAX || !counts.take(group)) {
      refuseBusy(reply, "Too many subscribers: try another node.");
      return;
    }
    reply.raw.once("close", () => counts.release(group));
    subscribe(subscribers, reply);
  });
  return {
    broadcast(event) {
      const bytes = Buffer.from(`event: block\ndata: ${JSON.stringify(event)}\n\n`);
      for (const { raw } of subscribers) {
        if (raw.writableLength > BEHIND_BYTES_MAX) raw.destroy();
        else raw.write(bytes);
      }
    },
    close() {
      for (const subscriber of subscribers) subscriber.raw.end();
    },
  };
}

function subscribe(subscribers: Set<FastifyReply>, reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  if (reply.request.method === "HEAD") {
    reply.raw.end();
    return;
  }
  reply.raw.write(":\n\n");
  subscribers.add(reply);
  reply.raw.on("close", () => subscribers.delete(reply));
  reply.raw.on("error", () => subscribers.delete(reply));
}
