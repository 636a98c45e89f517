// A participant's session at a broker, as a meter has one (PROTOCOL.md, section 15): its credential, its operations, refusals and receipts.

import { connectAsync } from "mqtt";
import { toHex } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { decodeReceipt, decodeSentReceipt, encodeReceipt } from "../../../src/wire/receipt.js";
import { decodeRefusal } from "../../../src/wire/refusal.js";
import { meterTopic, parseTopic, serviceTopic } from "../../../src/wire/topics.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { Waiting } from "../../files/operations/outbox.js";
import type { Participant } from "../../files/operations/participant-folder.js";
import type { Way } from "./way.js";

const CONNECT_MS_MAX = 10_000;

/** Connects and shows the credential. Throws BROKER_UNREACHABLE. */
export async function openBrokerSession(participant: Participant, service: number, url: string): Promise<Way> {
  const { genesis, kid, credentialBytes, tokenFor } = participant;
  const id = toHex(kid);
  const { network } = genesis;
  const receipts = new Map<string, Uint8Array>();
  const refusals = new Map<string, string>();
  const lineage: Uint8Array[] = [];

  const onMessage = (topic: string, payload: Uint8Array): void => {
    const kind = parseTopic(topic)?.kind;
    try {
      if (kind === "members") lineage.push(Uint8Array.from(payload));
      if (kind === "receipt") {
        const { receipt } = decodeSentReceipt(payload);
        receipts.set(toHex(receipt.recordHash), encodeReceipt(receipt));
      }
      if (kind === "ack") {
        const { recordHash, reason, sentence } = decodeRefusal(payload);
        if (recordHash !== undefined) refusals.set(toHex(recordHash), `${reason}: ${sentence}`);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error; // anybody may send rubbish on a shared broker
    }
  };

  const client = await connectAsync(url, {
    ...{ protocolVersion: 4, clean: true, reconnectPeriod: 0, connectTimeout: CONNECT_MS_MAX, clientId: id },
    ...{ username: id, password: tokenFor(url) },
  }).catch((cause: unknown) => {
    throw new GridsealError("BROKER_UNREACHABLE", `${url}: ${reasonOf(cause)}`, { cause });
  });
  client.on("message", (topic, payload) => onMessage(topic, payload));
  client.on("error", () => {}); // what waits for an answer is told
  const attempt = async <T>(action: Promise<T>): Promise<T> => {
    try {
      return await action;
    } catch (cause) {
      throw new GridsealError("BROKER_UNREACHABLE", `${url}: ${reasonOf(cause)}`, { cause });
    }
  };
  const publish = async (topic: string, payload: Uint8Array): Promise<void> => {
    await attempt(client.publishAsync(topic, Buffer.from(payload), { qos: 1 }));
  };
  for (const topic of [
    serviceTopic(network, service, "receipt", id),
    serviceTopic(network, service, "members", id),
    meterTopic(network, "ack", id),
  ]) {
    await attempt(client.subscribeAsync(topic, { qos: 1 }));
  }
  await publish(meterTopic(network, "birth", id), credentialBytes);

  const checkRefusal = ({ hash }: Waiting): void => {
    const refused = refusals.get(toHex(hash));
    if (refused !== undefined) throw new GridsealError("RECORD_REFUSED", `${url} does not take it: ${refused}`);
  };

  return {
    async submit(waiting) {
      await publish(serviceTopic(network, service, "record", id), waiting.bytes);
      checkRefusal(waiting); // a node's own broker tells it before it acknowledges
    },
    async receipt(waiting) {
      checkRefusal(waiting);
      const found = receipts.get(toHex(waiting.hash));
      return found && { bytes: found, lineage: lineageUpTo(lineage, decodeReceipt(found).height) };
    },
    // A broker has no blocks.
    block: async () => undefined,
    close: () => client.endAsync(true),
  };
}
