// The ingest that a node's configuration asks for: its own broker, or its share of another one.

import type { NodeConfiguration } from "../configuration.js";
import { createEmbeddedBroker, defaultBrokerLimits } from "./broker.js";
import { createExternalBroker, defaultExternalLimits } from "./external.js";
import type { Ingest, IngestHandlers } from "./ingest.js";

export interface IngestTerms {
  readonly network: string;
  /** this node's id as hex */
  readonly node: string;
  /** the services whose chains this node serves */
  readonly services: readonly number[];
  readonly handlers: IngestHandlers;
  onConnection(connected: boolean, detail: string): void;
}

export function createIngest(mqtt: NodeConfiguration["mqtt"], terms: IngestTerms): Ingest {
  const { network, handlers } = terms;
  if ("listen" in mqtt) {
    return createEmbeddedBroker({ network, listen: mqtt.listen, limits: defaultBrokerLimits, handlers });
  }
  return createExternalBroker({
    ...terms,
    url: mqtt.url,
    clientId: `gridseal-${terms.node}`,
    limits: defaultExternalLimits,
  });
}
