// The ingest that a node's configuration asks for: its own broker, or its share of another one.

import type { TokenJudge } from "../admission/token-judge.js";
import { admissionAt, type NodeConfiguration, namesOf } from "../configuration.js";
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
  readonly tokens: TokenJudge;
  /** of the own broker, where its configuration asks for TLS; PEM */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** what this node shows to a shared broker that its URL names no user for: its id, and a token for each connection */
  passwordFor(url: string): { readonly username: string; readonly password: string };
  onConnection(connected: boolean, detail: string): void;
}

export function createIngest(mqtt: NodeConfiguration["mqtt"], terms: IngestTerms): Ingest {
  const { network, handlers, tokens, tls } = terms;
  if ("listen" in mqtt) {
    const { listen, connections_max, address_connections_max, hosts } = mqtt;
    const admission =
      admissionAt(listen, mqtt.admission) === "tokens"
        ? {
            judge: (token: string | undefined) => tokens.judge(token, namesOf(listen, hosts)),
            objection: tokens.objection,
          }
        : undefined;
    const limits = { ...defaultBrokerLimits, ...limitsOf(address_connections_max, connections_max) };
    return createEmbeddedBroker({
      ...{ network, listen, limits, handlers },
      ...(admission !== undefined && { admission }),
      ...(tls !== undefined && { tls }),
    });
  }
  return createExternalBroker({
    ...terms,
    url: mqtt.url,
    clientId: `gridseal-${terms.node}`,
    limits: defaultExternalLimits,
  });
}

/** Meters behind one address of a carrier are many; one address fills no more than a tenth of the broker. */
function limitsOf(stated: number | undefined, connections_max = defaultBrokerLimits.connections_max) {
  return {
    connections_max,
    address_connections_max: stated ?? Math.max(1, Math.ceil(connections_max / 10)),
    loopback_connections_max: stated ?? connections_max,
  };
}
