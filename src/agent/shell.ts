// The agent on a host: events of the platform become inputs, effects become calls of the platform. No decision is made here.

import type { Host, MeterPort, MqttConnection, MqttOptions } from "../host.js";
import { type Agent, type AgentEffect, type AgentInput, createAgent } from "./agent.js";

const TIMER = "agent";

/** Starts the agent that the host's configuration describes. A wrong document is shown and logged, as is that there is none yet, and nothing is started. */
export function runAgent(host: Host): void {
  const { keyValue, outboxFlash, deferral_ms } = host;
  const random = (length: number): Uint8Array => host.random(length);
  const json = host.configuration();
  const agent = createAgent(json, { keyValue, outboxFlash, random, crypto: host, deferral_ms });
  if ("reason" in agent) {
    if (json === "") host.log("warn", "no configuration came yet");
    else host.log("error", `configuration refused: ${agent.path} ${agent.reason}`);
    host.showState("configuration refused", {});
    return;
  }
  new Shell(host, agent).take({ kind: "started" });
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class Shell {
  private readonly pending: AgentInput[] = [];
  private running = false;
  private port: MeterPort | undefined = undefined;
  private open: { readonly connection: number; readonly mqtt: MqttConnection } | undefined = undefined;

  constructor(
    private readonly host: Host,
    private readonly agent: Agent,
  ) {}

  /** An effect may bring the next input before it returns: inputs wait for each other here. */
  take(input: AgentInput): void {
    const { host, pending } = this;
    pending.push(input);
    if (this.running) return;
    this.running = true;
    try {
      for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
        const { time_ms, quality } = host.now();
        const effects = this.agent.step(next, { uptime_ms: host.uptime_ms(), time_ms, quality });
        for (let index = 0; index < effects.length; index += 1) this.perform(effects[index]!);
      }
    } finally {
      this.running = false;
      pending.length = 0;
    }
  }

  private perform(effect: AgentEffect): void {
    const { host, open } = this;
    switch (effect.kind) {
      case "connect":
        this.connect(effect.connection, effect.options);
        return;
      case "subscribe":
        if (open?.connection === effect.connection) open.mqtt.subscribe(effect.topics);
        return;
      case "publish": {
        const { connection, packetId, topic, payload, duplicate } = effect;
        if (open?.connection !== connection) return;
        if (!open.mqtt.publish(packetId, topic, payload, duplicate))
          this.take({ kind: "mqttBlocked", connection, packetId });
        return;
      }
      case "close":
        if (open?.connection !== effect.connection) return;
        open.mqtt.close();
        this.open = undefined;
        return;
      case "openMeter":
        this.port = host.openMeter(effect.port, effect.line, (bytes) => this.take({ kind: "meterBytes", bytes }));
        return;
      case "writeMeter":
        this.port?.write(effect.bytes);
        return;
      case "setLine":
        this.port?.setLine(effect.line);
        return;
      case "watchUpdates":
        host.watchUpdates?.(effect.url, effect.signer);
        return;
      case "setTimer":
        host.setTimer(TIMER, effect.delay_ms, () => this.take({ kind: "timer" }));
        return;
      case "log":
        host.log(effect.level, effect.message);
        return;
      case "showState":
        host.showState(effect.state, effect.counters);
    }
  }

  private connect(connection: number, options: MqttOptions): void {
    const mqtt = this.host.connectMqtt(options, {
      onConnected: () => this.take({ kind: "mqttConnected", connection }),
      onPublished: (packetId) => this.take({ kind: "mqttPublished", connection, packetId }),
      onMessage: (topic, payload) => this.take({ kind: "mqttMessage", connection, topic, payload }),
      onClosed: (reason) => this.take({ kind: "mqttClosed", connection, reason }),
    });
    this.open = { connection, mqtt };
  }
}
