// MQTT: publications of changed records, credentials and topics from sessions that are otherwise in order, and packets that are
// changed themselves, which mostly end the session. Records are partly signed anew, so that they get past the signature.

import { toHex } from "../../src/wire/bytes.js";
import { parseSign1, sign1 } from "../../src/wire/cose.js";
import { RECORD_BYTES_MAX } from "../../src/wire/record.js";
import { meterTopic, serviceTopic } from "../../src/wire/topics.js";
import {
  createPacketReader,
  encodeConnect,
  encodePubacks,
  encodePublish,
  encodeSubscribe,
  packetTypes,
  readPublish,
} from "../bench/mqtt-packets.js";
import { type LoadMeter, signedRecords } from "../bench/records.js";
import type { Random } from "../simulation/random.js";
import { mutateBytes, mutateCbor } from "./mutate.js";
import { type Address, openRaw, type RawConnection } from "./socket.js";
import type { Surface } from "./surface.js";

export interface MqttTarget {
  readonly address: Address;
  readonly network: string;
  readonly services: readonly number[];
  /** meters of the network that nobody else speaks for */
  readonly meters: readonly LoadMeter[];
}

const RECORDS_PER_METER = 64;
/** Publications before their acknowledgements are waited for. */
const WINDOW = 64;
const PATIENCE_MS = 2_000;
/** One session in so many publishes packets that are no MQTT. */
const RAW_SESSIONS = 0.02;

interface Sample {
  readonly meter: LoadMeter;
  readonly service: number;
  readonly record: Uint8Array;
  readonly payload: Uint8Array;
}

export function createMqttSurface(target: MqttTarget, name: string): Surface {
  const samples = target.meters.flatMap((meter, index) =>
    samplesOf(meter, target.services[index % target.services.length]!),
  );
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
    for (const each of target.meters) {
      published += 1;
      opened.write(encodePublish(meterTopic(target.network, "birth", toHex(each.kid)), published, each.credential));
    }
    return opened;
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
      const isRaw = random.chance(RAW_SESSIONS);
      const packets = Array.from({ length: WINDOW }, () => publication(random));
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

function samplesOf(meter: LoadMeter, service: number): Sample[] {
  const now_s = Math.floor(Date.now() / 1000);
  return [...signedRecords(meter, service, RECORDS_PER_METER, now_s)].map((record) => ({
    meter,
    service,
    record,
    payload: parseSign1(record, RECORD_BYTES_MAX).payload,
  }));
}

/** A changed payload under a good signature of its meter. */
function signedAnew({ meter, payload, record }: Sample, random: Random): Uint8Array {
  return sign1(mutateCbor(payload, random) ?? mutateBytes(payload, record, random), meter.signer, meter.kid);
}
