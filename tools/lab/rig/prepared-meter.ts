// A meter's whole load, made before anything is measured: signed records in PUBLISH packets that
// stand behind one another, so that sending the next few of them is one write.

import { meterTopic, serviceTopic } from "../../../src/wire/topics.js";
import { encodePublish, PACKET_ID_MAX } from "./mqtt-packets.js";
import {
  type LoadMeter,
  readLoadMeter,
  readLoadParticipant,
  sealedHash,
  signedAsks,
  signedRecords,
} from "./records.js";

export interface PreparedMeter {
  readonly meter: LoadMeter;
  readonly birthTopic: string;
  readonly receiptTopic: string;
  readonly ackTopic: string;
  readonly count: number;
  /** bytes of all signed records together */
  readonly record_bytes: number;
  /** The packets of the records `from` to `to`, the latter not included. */
  packets(from: number, to: number): Buffer;
  /** Which record a hash belongs to. */
  indexOf(hash: Buffer): number | undefined;
  hashOf(index: number): Buffer;
}

export interface MeterPlan {
  readonly folder: string;
  readonly network: string;
  readonly service: number;
  readonly records: number;
  /** in each record; as a household's where absent */
  readonly registers?: number;
  /** the last of them is a confidential group of its own */
  readonly hides?: boolean;
  readonly time_s: number;
}

/** Ids of a meter's records go round below this one, which is the birth message's. */
export const BIRTH_PACKET_ID = PACKET_ID_MAX;

export function prepareMeter(plan: MeterPlan): PreparedMeter {
  return prepareRecords(plan, readLoadMeter(plan.folder, plan.registers, plan.hides), signedRecords);
}

/** Operations of the participant in the plan's folder. */
export async function prepareParticipant(plan: MeterPlan): Promise<PreparedMeter> {
  return prepareRecords(plan, await readLoadParticipant(plan.folder), signedAsks);
}

function prepareRecords(plan: MeterPlan, meter: LoadMeter, signed: typeof signedRecords): PreparedMeter {
  const id = Buffer.from(meter.kid).toString("hex");
  const topic = serviceTopic(plan.network, plan.service, "record", id);
  const chunks: Buffer[] = [];
  const ends = new Float64Array(plan.records + 1);
  const hashes = Buffer.allocUnsafe(32 * plan.records);
  const indices = new Map<number, number>();
  let index = 0;
  let record_bytes = 0;
  for (const record of signed(meter, plan.service, plan.records, plan.time_s)) {
    const packet = encodePublish(topic, 1 + (index % (BIRTH_PACKET_ID - 1)), record);
    const hash = sealedHash(meter, record);
    chunks.push(packet);
    hashes.set(hash, 32 * index);
    indices.set(shortHash(hashes, 32 * index), index);
    record_bytes += record.length;
    index += 1;
    ends[index] = ends[index - 1]! + packet.length;
  }
  const stream = Buffer.concat(chunks);
  const hashOf = (record: number) => hashes.subarray(32 * record, 32 * record + 32);
  return {
    meter,
    birthTopic: meterTopic(plan.network, "birth", id),
    receiptTopic: serviceTopic(plan.network, plan.service, "receipt", id),
    ackTopic: meterTopic(plan.network, "ack", id),
    count: plan.records,
    record_bytes,
    packets: (from, to) => stream.subarray(ends[from], ends[to]),
    indexOf(hash) {
      const found = indices.get(shortHash(hash, 0));
      return found !== undefined && hash.equals(hashOf(found)) ? found : undefined;
    },
    hashOf,
  };
}

/** Six bytes are enough to tell a meter's records apart, and are a number. */
function shortHash(bytes: Buffer, offset: number): number {
  return bytes.readUIntBE(offset, 6);
}
