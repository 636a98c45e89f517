// A part of a node: what the world is told of a sealed block.

import { createAnnouncer } from "../ingest/announcer.js";
import type { Part } from "../part.js";

export const announcerPart: Part = {
  name: "announcer",
  create: ({ configuration, identity, metrics, introductions, ingest, api }) => ({
    onSealed: createAnnouncer({
      network: identity.genesis.network,
      ...{ metrics, introductions },
      ingest: {
        hasSubscriber: (topic) => ingest.to.hasSubscriber(topic),
        publish: (topic, payload, to) => ingest.to.publish(topic, payload, to),
      },
      recordsOf: "url" in configuration.mqtt ? identity.self.id : undefined,
      broadcast: (event) => api.to.broadcast(event),
    }),
  }),
};
