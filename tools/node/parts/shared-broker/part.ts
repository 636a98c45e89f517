// A part of a node: what a broker that nodes share asks of it, who may connect there and use which topics.

import { createBrokerHooks } from "../../admission/broker-hooks.js";
import type { Part } from "../../part.js";
import { brokerHookRoutes } from "./routes.js";

export const sharedBrokerPart: Part = {
  name: "shared broker",
  create: ({ configuration, identity, governor, tokens }) => ({
    routes: brokerHookRoutes(
      createBrokerHooks({
        network: identity.genesis.network,
        governance: () => governor.current,
        judge: (token) => tokens.judge(token, configuration.mqtt.hosts ?? []),
      }),
    ),
  }),
};
