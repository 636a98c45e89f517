// A broker that a faulty node may be for its meters: it stands before an honest one, passes everything on, and when it is told to lie it
// refuses meters' records in the node's name, or keeps them back and acknowledges them, as tools/lab/simulation/faults/liar.ts says.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { parseRecord } from "../../../src/wire/record.js";
import { encodeRefusal } from "../../../src/wire/refusal.js";
import { meterTopic, parseTopic } from "../../../src/wire/topics.js";
import { encodePuback, encodePublishHead } from "../../node/ingest/packets.js";
import { createPacketReader, packetTypes, readPublish } from "../rig/mqtt-packets.js";
import { createLiar, type Liar, type Starving } from "../simulation/faults/liar.js";

export interface LyingBroker {
  readonly port: number;
  /** Lies from here on; honest again where it is told undefined. */
  lie(starving: Starving | undefined): void;
  readonly counters: { readonly refusalsForged: number; readonly recordsKeptBack: number };
  /** How long ago it kept back the first record of a connection that it still has, of that which has waited longest; 0 where there is none. */
  betrayed_ms(): number;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";

export async function startLyingBroker(
  target: { readonly host: string; readonly port: number },
  seed: number,
): Promise<LyingBroker> {
  const sockets = new Set<Socket>();
  /** when it kept back the first record of each connection, since it was told to lie */
  const since = new Map<Socket, number>();
  const counters = { refusalsForged: 0, recordsKeptBack: 0 };
  let liar: Liar | undefined;

  /** Whether the meter's publication goes on to the node. */
  const passes = (meter: Socket, body: Buffer): boolean => {
    const { topic, packetId, payload } = readPublish(body);
    const parsed = parseTopic(topic.toString());
    if (liar === undefined || parsed?.kind !== "record") return true;
    const { claims, hash } = parseRecord(new Uint8Array(payload));
    const treatment = liar.treat(claims.seq);
    if (treatment.refusal !== undefined) {
      const { service, seq } = claims;
      const refusal = encodeRefusal({ service, seq, recordHash: hash, reason: treatment.refusal, sentence: "a lie" });
      meter.write(encodePublishHead(meterTopic(parsed.network, "ack", parsed.meter), 0, 0, refusal.length));
      meter.write(refusal);
    }
    if (!treatment.passes) {
      if (!since.has(meter)) since.set(meter, performance.now());
      meter.write(encodePuback(packetId));
    }
    return treatment.passes;
  };

  const server = createServer((meter) => {
    const node = connect(target);
    const read = createPacketReader((type, body, packet) => {
      if (type !== packetTypes.publish || passes(meter, body)) node.write(Buffer.from(packet));
    });
    meter.on("data", (chunk) => {
      try {
        read(chunk);
      } catch {
        meter.destroy(); // it speaks no MQTT
      }
    });
    // Whole packets come from a node in one write, so that what is made up does not fall into the middle of one.
    const answer = createPacketReader((_type, _body, packet) => void meter.write(Buffer.from(packet)));
    node.on("data", answer);
    for (const [from, to] of [
      [meter, node],
      [node, meter],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        since.delete(meter);
        to.destroy();
      });
    }
  });
  server.listen(0, HOST);
  await once(server, "listening");
  return {
    port: (server.address() as { readonly port: number }).port,
    counters,
    lie(starving) {
      since.clear();
      liar = starving === undefined ? undefined : createLiar(seed, starving, counters);
    },
    betrayed_ms: () => (since.size === 0 ? 0 : performance.now() - Math.min(...since.values())),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
