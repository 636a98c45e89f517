// The ingest that a node's configuration asks for: its own broker, or a share of another one.

import { GridsealError } from "../../errors.js";
import type { NodeConfiguration } from "../configuration.js";
import { createEmbeddedBroker, defaultBrokerLimits } from "./broker.js";
import type { Ingest, IngestHandlers } from "./ingest.js";

export function createIngest(
  mqtt: NodeConfiguration["mqtt"],
  network: string,
  _node: string,
  handlers: IngestHandlers,
): Ingest {
  if ("listen" in mqtt) {
    return createEmbeddedBroker({ network, listen: mqtt.listen, limits: defaultBrokerLimits, handlers });
  }
  throw new GridsealError("BROKER_UNREACHABLE", "external pending");
}
