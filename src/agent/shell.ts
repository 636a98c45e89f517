// The agent on a host: events of the platform become inputs, effects become calls of the platform. No decision is made here.

import type { Host, MqttConnection, MqttOptions } from "../host.js";
import { type Agent, type AgentEffect, type AgentInput, createAgent } from "./agent.js";

const TIMER = "agent";

/** Starts the agent that the host's configuration describes. A wrong document is shown and logged, and nothing is started. */
export function runAgent(host: Host): void {
  const { keyValue, outboxFlash } = host;
  const agent = createAgent(host.configuration(), { keyValue, outboxFlash, random: (length) => host.random(length) });
  if ("reason" in agent) {
    host.log("error", `configuration refused: ${agent.path} ${agent.reason}`);
    host.showState("configuration refused", {});
    return;
  }
  perform(host, agent);
}

function perform(host: Host, agent: Agent): void {
  const pending: AgentInput[] = [];
  let running = false;
  let open: { readonly connection: number; readonly mqtt: MqttConnection } | undefined;

  /** An effect may bring the next input before it returns: inputs wait for each other here. */
  const take = (input: AgentInput): void => {
    pending.push(input);
    if (running) return;
    running = true;
    try {
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
        const moment = { uptime_ms: host.uptime_ms(), ...host.now() };
        for (const effect of agent.step(next, moment)) performOne(effect);
      }
    } finally {
      running = false;
      pending.length = 0;
    }
  };

  const connect = (connection: number, options: MqttOptions): void => {
    const mqtt = host.connectMqtt(options, {
      onConnected: () => take({ kind: "mqttConnected", connection }),
      onPublished: (packetId) => take({ kind: "mqttPublished", connection, packetId }),
      onMessage: (topic, payload) => take({ kind: "mqttMessage", connection, topic, payload }),
      onClosed: (reason) => take({ kind: "mqttClosed", connection, reason }),
    });
    open = { connection, mqtt };
  };

  const performOne = (effect: AgentEffect): void => {
    switch (effect.kind) {
      case "connect":
        connect(effect.connection, effect.options);
        return;
      case "subscribe":
        if (open?.connection === effect.connection) open.mqtt.subscribe(effect.topics);
        return;
      case "publish": {
        const { connection, packetId, topic, payload, duplicate } = effect;
        if (open?.connection !== connection) return;
        if (!open.mqtt.publish(packetId, topic, payload, duplicate))
          take({ kind: "mqttBlocked", connection, packetId });
        return;
      }
      case "close":
        if (open?.connection !== effect.connection) return;
        open.mqtt.close();
        open = undefined;
        return;
      case "openMeter":
        host.openMeter(effect.port, (bytes) => take({ kind: "meterBytes", bytes }));
        return;
      case "setTimer":
        host.setTimer(TIMER, effect.delay_ms, () => take({ kind: "timer" }));
        return;
      case "log":
        host.log(effect.level, effect.message);
        return;
      case "showState":
        host.showState(effect.state, effect.counters);
    }
  };

  take({ kind: "started" });
}
