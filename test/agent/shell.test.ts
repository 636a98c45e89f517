import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runAgent } from "../../src/agent/shell.js";
import type { Host, MqttConnection, MqttEvents } from "../../src/host.js";
import { toHex } from "../../src/wire/bytes.js";
import { createSealer } from "../../tools/firmware/sealer.js";
import { simulatedStores } from "./norFlash.js";

const sealer = createSealer("shell");
const valid = {
  version: 1,
  network: "shell",
  genesis: toHex(sealer.genesisBytes),
  brokers: ["mqtt://a"],
  meter: { protocol: "p1", port: { path: "x" } },
  schedule: [{ service: 1, serviceId: 0, every_s: 1, aligned: false, registers: ["1-0:1.8.0"] }],
};

/** A host that writes down what is asked of it. */
function recordingHost(configuration: object | "") {
  const { flash, keyValue } = simulatedStores(4 * 4096, 4096);
  const calls: string[] = [];
  const mqtt: { events?: MqttEvents } = {};
  const connection: MqttConnection = {
    publish: () => true,
    subscribe: () => {},
    close: () => void calls.push("close"),
  };
  const host: Host = {
    platform: "test",
    configuration: () => (configuration === "" ? "" : JSON.stringify(configuration)),
    now: () => ({ time_ms: 0, quality: 0 }),
    uptime_ms: () => 0,
    random: (length) => new Uint8Array(length).fill(7),
    keyValue,
    outboxFlash: flash,
    openMeter(port, { baud }) {
      calls.push(`openMeter ${JSON.stringify(port)} ${baud}`);
      return {
        write: (bytes) => void calls.push(`write ${toHex(bytes)}`),
        setLine: (line) => void calls.push(`line ${line.baud}`),
      };
    },
    aesGcmDecrypt: () => undefined,
    aesCbcDecrypt: () => new Uint8Array(0),
    watchUpdates: (url, signer) => void calls.push(`watchUpdates ${url} ${toHex(signer.x)}`),
    connectMqtt(options, events) {
      calls.push(`connect ${options.url}`);
      mqtt.events = events;
      return connection;
    },
    setTimer: (name, delay_ms) => void calls.push(`timer ${name} ${delay_ms}`),
    clearTimer: () => {},
    log: (level, message) => void calls.push(`${level} ${message}`),
    showState: (state) => void calls.push(`state ${state}`),
  };
  return { host, calls, mqtt, keyValue };
}

function refusalOf(changes: object): string {
  const { host, calls } = recordingHost({ ...valid, ...changes });
  runAgent(host);
  assert.equal(calls.length, 2, "nothing is started");
  assert.equal(calls[1], "state configuration refused");
  return calls[0]!;
}

describe("shell", () => {
  test("says of a new meter that no configuration came yet, not that one is refused", () => {
    const { host, calls } = recordingHost("");
    runAgent(host);
    assert.deepEqual(calls, ["warn no configuration came yet", "state configuration refused"]);
  });

  test("shows and logs a configuration that it refuses, and starts nothing", () => {
    assert.match(refusalOf({ version: 2 }), /^error configuration refused: \$\.version must be/);
    assert.match(refusalOf({ network: "other" }), /\$\.network is other, the genesis is of shell/);
    assert.match(
      refusalOf({ id: "0123456789abcdef" }),
      /\$\.id is of meter 0123456789abcdef, this one is [0-9a-f]{16}/,
    );
    assert.match(refusalOf({ genesis: "d284" }), /\$\.genesis /);
    const forged = sealer.genesisBytes.slice();
    forged[forged.length - 1]! ^= 1;
    assert.match(refusalOf({ genesis: toHex(forged) }), /\$\.genesis .*not signed by its authority/);
  });

  test("opens the port, and connects where there is a credential", () => {
    const without = recordingHost(valid);
    runAgent(without.host);
    assert.ok(without.calls.includes('openMeter {"path":"x"} 115200'));
    assert.ok(!without.calls.some((call) => call.startsWith("connect")));
    assert.ok(without.calls.includes("state no credential"));
  });

  test("looks for firmware where the configuration says, signed by the authority unless it names a key", () => {
    const watched = (update: object): string | undefined => {
      const { host, calls } = recordingHost({ ...valid, ...update });
      runAgent(host);
      return calls.find((call) => call.startsWith("watchUpdates"));
    };
    const url = "http://updates/newest.cose";
    assert.equal(watched({}), undefined);
    assert.equal(watched({ update: { url } }), `watchUpdates ${url} ${toHex(sealer.genesis.authority.x)}`);
    assert.equal(watched({ update: { url, signer: "0a".repeat(32) } }), `watchUpdates ${url} ${"0a".repeat(32)}`);
  });
});
