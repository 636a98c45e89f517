/// <reference path="../../hosts/module.d.ts" />
// A program for an XS meter that does what the test tells it: a line of JSON on the meter's port is a command, a line of log its
// answer, so that each call of the host is made from inside the engine.

import { ed25519 } from "@noble/curves/ed25519.js";
import host from "host";
import type { MqttConnection } from "../../src/host.js";
import { usualLines } from "../../src/meter/line.js";
import type { Command } from "./exercise.js";

const connections: MqttConnection[] = [];
const pending = { text: "" };
const decoder = new TextDecoder();

host.openMeter({ kind: "exercise" }, usualLines.p1, (bytes) => {
  pending.text += decoder.decode(bytes);
  const lines = pending.text.split("\n");
  pending.text = lines.pop() ?? "";
  for (const line of lines) {
    const { id, command } = JSON.parse(line) as { id: number; command: Command };
    say({ id, result: perform(command) });
  }
});
say({ event: "ready" });

function say(message: object): void {
  host.log("info", JSON.stringify(message));
}

function perform(command: Command): unknown {
  if (command.do !== "throw") {
    try {
      return act(command);
    } catch (thrown) {
      return { error: String(thrown) };
    }
  }
  throw new Error("thrown on purpose");
}

function act(command: Exclude<Command, { do: "throw" }>): unknown {
  switch (command.do) {
    case "describe":
      return {
        platform: host.platform,
        configuration: host.configuration(),
        now: host.now(),
        uptime_ms: host.uptime_ms(),
      };
    case "globals":
      return command.names.filter((name) => name in globalThis);
    case "random":
      return hex(host.random(command.length));
    case "get": {
      const value = host.keyValue.get(command.key);
      return value === undefined ? null : hex(value);
    }
    case "set":
      return host.keyValue.set(command.key, octets(command.value)) ?? null;
    case "delete":
      return host.keyValue.delete(command.key) ?? null;
    case "read":
      return hex(host.outboxFlash.read(command.offset, command.length));
    case "write":
      return host.outboxFlash.write(command.offset, octets(command.bytes)) ?? null;
    case "erase":
      return host.outboxFlash.erase(command.offset) ?? null;
    case "timer":
      return host.setTimer(command.name, command.delay_ms, () => say({ event: "timer", label: command.label })) ?? null;
    case "clear":
      return host.clearTimer(command.name) ?? null;
    case "show":
      return host.showState(command.state, command.counters) ?? null;
    case "sign":
      return hex(ed25519.sign(octets(command.message), octets(command.seed)));
    case "verify":
      return ed25519.verify(octets(command.signature), octets(command.message), octets(command.publicKey));
    default:
      return talk(command);
  }
}

function talk(command: Extract<Command, { do: "connect" | "publish" | "subscribe" | "close" }>): unknown {
  switch (command.do) {
    case "connect": {
      const { will, password, ...options } = command.options;
      const connection = host.connectMqtt(
        {
          ...options,
          ...(password === undefined ? {} : { password: octets(password) }),
          ...(will === undefined ? {} : { will: { topic: will.topic, payload: octets(will.payload) } }),
        },
        {
          onConnected: () => say({ event: "connected" }),
          onPublished: (packetId) => say({ event: "published", packetId }),
          onMessage: (topic, payload) => say({ event: "message", topic, payload: hex(payload) }),
          onClosed: (reason) => say({ event: "closed", reason }),
        },
      );
      return connections.push(connection) - 1;
    }
    case "publish":
      return connections[command.connection]!.publish(
        command.packetId,
        command.topic,
        octets(command.payload),
        command.duplicate,
      );
    case "subscribe":
      return connections[command.connection]!.subscribe(command.topics) ?? null;
    case "close":
      return connections[command.connection]!.close() ?? null;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

function octets(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  );
}
