// One meter's MQTT session over a socket of its own: publishes prepared records, acknowledges and
// matches the receipts.

import { connect, type Socket } from "node:net";
import { decodeRefusal } from "../../../src/wire/refusal.js";
import { recordHashOffset } from "../bench/receipt-scan.js";
import {
  createPacketReader,
  encodeConnect,
  encodePubacks,
  encodePublish,
  encodeSubscribe,
  packetTypes,
  readPublish,
} from "./mqtt-packets.js";
import { BIRTH_PACKET_ID, type PreparedMeter } from "./prepared-meter.js";

export interface LoadConnection {
  readonly prepared: PreparedMeter;
  /** records published so far */
  readonly published: number;
  /** records whose first receipt has come */
  readonly receipted: number;
  /** Publishes the next records, as many as there are of `count`; returns how many. */
  publish(count: number): number;
  close(): void;
}

export interface LoadEvents {
  /** The first receipt of the record with this index. The bytes are good until the call returns. */
  onReceipt(connection: LoadConnection, index: number, receipt: Buffer): void;
  onRepeatedReceipt(): void;
  /** Receipts of one read have been handed over. */
  onReceiptsRead(connection: LoadConnection): void;
  onRefused(reason: string): void;
  /** The node ended the connection, or said what it never should. */
  onFailed(error: Error): void;
}

const SUBSCRIBE_PACKET_ID = 1;

/** Connects, subscribes and shows the meter's credential; resolves when the node has taken it. */
export async function openLoadConnection(
  prepared: PreparedMeter,
  address: { readonly host: string; readonly port: number },
  events: LoadEvents,
): Promise<LoadConnection> {
  const id = Buffer.from(prepared.meter.kid).toString("hex");
  const receiptTopic = Buffer.from(prepared.receiptTopic);
  const receipted = new Uint8Array(prepared.count);
  let receiptedCount = 0;
  let published = 0;
  let closed = false;
  let pubacks: number[] = [];
  let receiptsRead = false;
  let onReady: () => void;
  let onRejected: (error: Error) => void;
  const ready = new Promise<void>((resolve, reject) => {
    onReady = resolve;
    onRejected = reject;
  });
  const fail = (reason: string) => {
    if (closed) return;
    closed = true;
    const error = new Error(`meter ${id} on port ${address.port}: ${reason}`);
    onRejected(error);
    events.onFailed(error);
  };

  const onReceipt = (receipt: Buffer) => {
    const offset = recordHashOffset(receipt);
    const index = offset === undefined ? undefined : prepared.indexOf(receipt.subarray(offset, offset + 32));
    if (index === undefined) return fail("a receipt is of no record of this meter");
    receiptsRead = true;
    if (receipted[index] === 1) return events.onRepeatedReceipt();
    receipted[index] = 1;
    receiptedCount += 1;
    events.onReceipt(connection, index, receipt);
  };

  const reader = createPacketReader((type, body) => {
    if (type === packetTypes.publish) {
      const { topic, packetId, payload } = readPublish(body);
      pubacks.push(packetId);
      if (topic.equals(receiptTopic)) onReceipt(payload);
      else events.onRefused(decodeRefusal(payload).reason);
    } else if (type === packetTypes.connack) {
      if (body[1] !== 0) return fail(`CONNECT was refused with ${body[1]}`);
      socket.write(encodeSubscribe(SUBSCRIBE_PACKET_ID, [prepared.receiptTopic, prepared.ackTopic]));
    } else if (type === packetTypes.suback) {
      if (body.subarray(2).some((code) => code > 1)) return fail("SUBSCRIBE was refused");
      socket.write(encodePublish(prepared.birthTopic, BIRTH_PACKET_ID, prepared.meter.credential));
    } else if (type === packetTypes.puback && body.readUInt16BE(0) === BIRTH_PACKET_ID) {
      onReady();
    }
  });

  const socket: Socket = connect({ ...address, noDelay: true });
  socket.on("connect", () => socket.write(encodeConnect(id)));
  socket.on("error", (error) => fail(error.message));
  socket.on("close", () => fail("the node ended the connection"));
  socket.on("data", (chunk: Buffer) => {
    try {
      reader(chunk);
    } catch (thrown) {
      return fail(String(thrown));
    }
    if (pubacks.length > 0) socket.write(encodePubacks(pubacks));
    pubacks = [];
    if (receiptsRead) events.onReceiptsRead(connection);
    receiptsRead = false;
  });

  const connection: LoadConnection = {
    prepared,
    get published() {
      return published;
    },
    get receipted() {
      return receiptedCount;
    },
    publish(count) {
      const to = Math.min(published + count, prepared.count);
      const sent = to - published;
      if (sent > 0 && !closed) socket.write(prepared.packets(published, to));
      published = to;
      return sent;
    },
    close() {
      closed = true;
      socket.destroy();
    },
  };
  await ready;
  return connection;
}
