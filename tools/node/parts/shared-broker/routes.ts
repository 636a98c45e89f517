// POST /mqtt/auth and /mqtt/auth/form: who may connect to a broker that nodes share.

import { brokerForm, brokerHook } from "../../../routes/broker-hooks.js";
import type { BrokerHooks } from "../../admission/broker-hooks.js";
import { type Route, refused, route } from "../../api/route.js";

const [stranger, node, known] = ["stranger", "node", "holder"] as const;

export function brokerHookRoutes(hooks: BrokerHooks): readonly Route[] {
  return [
    route(brokerHook, async ({ body }) => ({ type: "value", value: await hooks.json(body) })),
    route(brokerForm, async ({ body }) => {
      const answer = await hooks.form(body);
      if (answer.type === "refused") return refused("unauthorized", `The client is not let in: ${answer.message}.`);
      const { holder } = answer;
      const is = holder === undefined ? stranger : holder.credential === undefined ? node : known;
      return { type: "value", value: { is } };
    }),
  ];
}
