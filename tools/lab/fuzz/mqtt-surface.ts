// MQTT: publications of changed readings and operations, credentials and topics from sessions that are otherwise in order, and packets that are
// changed themselves, which mostly end the session. Records are partly signed anew, so that they get past the signature. Some sessions
// replay what is public, births and records, as fast as they are read, and some connections send what the standard forbids.

import { toHex } from "../../../src/wire/bytes.js";
import { parseSign1, sign1 } from "../../../src/wire/cose.js";
import { OPERATION_BYTES_MAX } from "../../../src/wire/operation.js";
import { meterTopic, serviceTopic } from "../../../src/wire/topics.js";
import {
  createPacketReader,
  encodeConnect,
  encodePubacks,
  encodePublish,
  encodeSubscribe,
  packetTypes,
  readPublish,
} from "../rig/mqtt-packets.js";
import type { Random } from "../rig/random.js";
import { type LoadMeter, signedOperations, signedRecords } from "../rig/records.js";
import { oddConnect, oddPacket } from "./mqtt-oddities.js";
import { mutateBytes, mutateCbor } from "./mutate.js";
import { type Address, openRaw, type RawConnection } from "./socket.js";
import type { Surface } from "./surface.js";

export interface MqttTarget {
  readonly address: Address;
  readonly network: string;
  readonly services: readonly number[];
  /** meters of the network that nobody else speaks for */
  readonly meters: readonly LoadMeter[];
  /** participants of the network, of whom the same holds */
  readonly participants: readonly LoadMeter[];
}

const RECORDS_PER_METER = 64;
/** Publications before their acknowledgements are waited for. */
const WINDOW = 64;
const PATIENCE_MS = 2_000;
/** One session in so many publishes packets that are no MQTT. */
const RAW_SESSIONS = 0.02;
/** Of the windows so many replay what is public, and before so many one connection is odd. */
const REPLAYS = 0.05;
const ODD_CONNECTIONS = 0.1;

interface Sample {
  readonly meter: LoadMeter;
  readonly service: number;
  readonly record: Uint8Array;
  readonly payload: Uint8Array;
}

export function createMqttSurface(target: MqttTarget, name: string): Surface {
  const serviceOf = (index: number) => target.services[index % target.services.length]!;
  const samples = [
    ...target.meters.flatMap((meter, index) => samplesOf(meter, serviceOf(index), signedRecords)),
    ...target.participants.flatMap((participant, index) => samplesOf(participant, serviceOf(index), signedOperations)),
  ];
  let connection: RawConnection | undefined;
  let acknowledged = 0;
  let published = 0;
  let sent = 0;
  let ended = 0;
  let pubacks: number[] = [];

  async function openSession(random: Random): Promise<RawConnection> {
    acknowledged = 0;
    published = 0;
    const reader = createPacketReader((type, body) => {
      if (type === packetTypes.publish) pubacks.push(readPublish(body).packetId);
      else if (type === packetTypes.puback) acknowledged += 1;
    });
    const opened = await openRaw(target.address, (chunk) => {
      reader(chunk);
      if (pubacks.length > 0) opened.write(encodePubacks(pubacks));
      pubacks = [];
    });
    const { meter, service } = random.pick(samples);
    const id = toHex(meter.kid);
    opened.write(encodeConnect(`fuzz-${random.below(1_000_000)}`));
    opened.write(
      encodeSubscribe(1, [serviceTopic(target.network, service, "receipt", id), meterTopic(target.network, "ack", id)]),
    );
    for (const each of [...target.meters, ...target.participants]) {
      published += 1;
      opened.write(encodePublish(meterTopic(target.network, "birth", toHex(each.kid)), published, each.credential));
    }
    return opened;
  }

  /** A record or a birth as it is, that the node has had before. */
  function replay(random: Random): Buffer {
    published += 1;
    const id = 1 + (published % 60_000);
    const { meter, service, record } = random.pick(samples);
    const kid = toHex(meter.kid);
    if (random.chance(0.5)) return encodePublish(meterTopic(target.network, "birth", kid), id, meter.credential);
    return encodePublish(serviceTopic(target.network, service, "record", kid), id, record);
  }

  /** One connection for one thing that the standard forbids. */
  async function sendOdd(random: Random): Promise<void> {
    const opened = await openRaw(target.address, () => {});
    if (!opened.isOpen) return;
    const { meter, service } = random.pick(samples);
    const topic = Buffer.from(serviceTopic(target.network, service, "record", toHex(meter.kid)));
    opened.write(
      random.chance(0.5) ? oddConnect(random) : Buffer.concat([encodeConnect("odd"), oddPacket(topic, random)]),
    );
    sent += 1;
    await opened.wait(() => false, PATIENCE_MS / 4);
    if (!opened.isOpen) ended += 1;
    opened.close();
  }

  function publication(random: Random): Buffer {
    published += 1;
    const id = 1 + (published % 60_000);
    const sample = random.pick(samples);
    const topic = serviceTopic(target.network, sample.service, "record", toHex(sample.meter.kid));
    const kind = random.fraction();
    if (kind < 0.3) return encodePublish(topic, id, mutateCbor(sample.record, random) ?? sample.record);
    if (kind < 0.55) return encodePublish(topic, id, signedAnew(sample, random));
    if (kind < 0.75) return encodePublish(topic, id, mutateBytes(sample.record, random.pick(samples).record, random));
    if (kind < 0.8) return encodePublish(topic, id, sample.record);
    const notice = random.pick(["birth", "death", "diag", "ack", "command"] as const);
    const subject = meterTopic(target.network, notice, toHex(sample.meter.kid));
    const { credential } = sample.meter;
    if (kind < 0.95) {
      return encodePublish(
        subject,
        id,
        mutateCbor(credential, random) ?? mutateBytes(credential, sample.record, random),
      );
    }
    const strange = mutateBytes(Buffer.from(topic), Buffer.from(subject), random);
    return encodePublish(Buffer.from(strange).toString("latin1").replaceAll("\u0000", "0"), id, sample.record);
  }

  return {
    name,
    get sent() {
      return sent;
    },
    get ended() {
      return ended;
    },
    async sendSome(random) {
      if (!connection?.isOpen) {
        if (connection !== undefined) ended += 1;
        connection = await openSession(random);
        if (!connection.isOpen) return;
      }
      if (random.chance(ODD_CONNECTIONS)) await sendOdd(random);
      const isRaw = random.chance(RAW_SESSIONS);
      const isReplay = random.chance(REPLAYS);
      const packets = Array.from({ length: WINDOW }, () => (isReplay ? replay(random) : publication(random)));
      const written = isRaw ? packets.map((packet) => mutateBytes(packet, packets[0]!, random)) : packets;
      connection.write(Buffer.concat(written));
      sent += written.length;
      await connection.wait(() => acknowledged >= published, isRaw ? PATIENCE_MS / 10 : PATIENCE_MS);
      // A session whose packets were changed waits for the rest of one, or counts otherwise.
      if (isRaw) connection.close();
    },
    async close() {
      connection?.close();
    },
  };
}

function samplesOf(meter: LoadMeter, service: number, signed: typeof signedRecords): Sample[] {
  const now_s = Math.floor(Date.now() / 1000);
  return [...signed(meter, service, RECORDS_PER_METER, now_s)].map((record) => ({
    meter,
    service,
    record,
    payload: parseSign1(record, OPERATION_BYTES_MAX).payload,
  }));
}

/** A changed payload under a good signature of its meter. */
function signedAnew({ meter, payload, record }: Sample, random: Random): Uint8Array {
  return sign1(mutateCbor(payload, random) ?? mutateBytes(payload, record, random), meter.signer, meter.kid);
}
