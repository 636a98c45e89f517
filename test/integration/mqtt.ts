// Meters made by hand for the integration tests: any MQTT client with a key and a credential, which sends what its test wants.

import { randomBytes } from "node:crypto";
import { connectAsync, type MqttClient } from "mqtt";
import { type Credential, issueCredential, issuerName } from "../../src/wire/credential.js";
import { keyId } from "../../src/wire/key.js";
import { decodeSentReceipt, type Receipt } from "../../src/wire/receipt.js";
import { type Claims, digestsOf, parseRecord, signRecord } from "../../src/wire/record.js";
import { meterTopic, serviceTopic } from "../../src/wire/topics.js";
import { generateSeed, signerFromSeed } from "../../tools/crypto/signatures.js";
import { type Item, independentDecode } from "../wire/independent-cbor.js";
import { list, numberOf } from "../wire/stranger-proof.js";
import type { TestNetwork } from "./network.js";
import { type Defer, until } from "./processes.js";

export interface HandMadeMeter {
  /** key id as topics write it */
  readonly id: string;
  readonly credential: Uint8Array;
  /** A record that follows on the one made before it, unless the claims say otherwise, with what it hides beside it. */
  record(claims?: Partial<Claims>, hidden?: readonly Uint8Array[]): Uint8Array;
}

/** A meter of the network, with a credential as its authority issues them unless the terms say otherwise. */
export function makeMeter(network: TestNetwork, terms: Partial<Credential> = {}): HandMadeMeter {
  const signer = signerFromSeed(generateSeed());
  const kid = keyId(signer.key);
  const now_s = Math.floor(Date.now() / 1000);
  const credential: Credential = {
    issuer: issuerName({ network: network.network, isTest: true, authority: network.authority.key }),
    subject: `hand-made-${hexOf(kid)}`,
    notBefore_s: now_s - 86_400,
    expires_s: now_s + 86_400,
    id: Uint8Array.from(randomBytes(8)),
    key: signer.key,
    statusIndex: 0,
    services: [1, 2, 3, 4, 5],
    roles: ["meter"],
    ...terms,
  };
  const next = new Map<number, { readonly seq: number; readonly previous: Uint8Array }>();
  return {
    id: hexOf(kid),
    credential: issueCredential(credential, network.authority),
    record(stated = {}, hidden = []) {
      const service = stated.service ?? 1;
      const follows = next.get(service) ?? { seq: 0, previous: new Uint8Array(0) };
      const claims: Claims = {
        service,
        serviceId: 12,
        ...follows,
        time_s: Math.floor(Date.now() / 1000),
        quality: 2,
        registers: [{ obis: Uint8Array.of(1, 0, 1, 8, 0, 255), value: 2_130_115 + follows.seq, scaler: 0, unit: 30 }],
        source: 1,
        ...(hidden.length > 0 && { digests: digestsOf(hidden) }),
        ...stated,
      };
      const record = signRecord(claims, hidden, signer, kid);
      if (claims.seq === follows.seq) next.set(service, { seq: claims.seq + 1, previous: parseRecord(record).hash });
      return record;
    },
  };
}

/** What came on the ack topic, read by independent code (PROTOCOL.md, section 15). */
export interface SeenRefusal {
  readonly service: Item;
  readonly seq: Item;
  readonly code: number;
  readonly sentence: string;
}

export interface MeterSession {
  readonly client: MqttClient;
  readonly refusals: readonly SeenRefusal[];
  readonly receipts: readonly Receipt[];
  /** the same receipts, as they came */
  readonly receiptPayloads: readonly Uint8Array[];
  /** what proves the members of a service's chain, as it came */
  readonly lineages: ReadonlyMap<number, readonly Uint8Array[]>;
  /** Publishes as QoS 1; resolves when it is acknowledged. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  /** Publishes on the record topic of a service. */
  send(record: Uint8Array, service?: number): Promise<void>;
  /** Publishes the credential; resolves when it is acknowledged. */
  bear(): Promise<void>;
  /** The receipt of a record; waits until it is there. */
  receiptOf(record: Uint8Array): Promise<Receipt>;
  close(): Promise<void>;
}

/** Connects a meter to a broker and subscribes to what is sent to it. */
export async function connectMeter(
  defer: Defer,
  { network }: TestNetwork,
  meter: Pick<HandMadeMeter, "id" | "credential">,
  broker: { readonly host: string; readonly port: number },
): Promise<MeterSession> {
  const client = await connectAsync(`mqtt://${broker.host}:${broker.port}`, {
    clientId: `test-${meter.id}-${hexOf(randomBytes(4))}`,
    reconnectPeriod: 500,
    resubscribe: true,
  });
  client.on("error", () => {}); // a lost connection shows in what the test waits for
  const close = () => client.endAsync(true);
  defer(close);
  const refusals: SeenRefusal[] = [];
  const receipts: Receipt[] = [];
  const receiptPayloads: Uint8Array[] = [];
  const lineages = new Map<number, Uint8Array[]>();
  client.on("message", (topic, payload) => {
    if (topic === meterTopic(network, "ack", meter.id)) refusals.push(refusalOf(payload));
    else if (topic.endsWith(`/members/${meter.id}`)) {
      const service = Number(topic.split("/")[2]);
      lineages.set(service, [...(lineages.get(service) ?? []), Uint8Array.from(payload)]);
    } else {
      receiptPayloads.push(Uint8Array.from(payload));
      receipts.push(decodeSentReceipt(Uint8Array.from(payload)).receipt);
    }
  });
  const kinds = ["receipt", "members"].map((kind) => `gs1/${network}/+/${kind}/${meter.id}`);
  await client.subscribeAsync([meterTopic(network, "ack", meter.id), ...kinds], { qos: 1 });
  const publish = async (topic: string, payload: Uint8Array): Promise<void> => {
    await client.publishAsync(topic, Buffer.from(payload), { qos: 1 });
  };
  return {
    client,
    refusals,
    receipts,
    receiptPayloads,
    lineages,
    publish,
    send: (record, service = 1) => publish(serviceTopic(network, service, "record", meter.id), record),
    bear: () => publish(meterTopic(network, "birth", meter.id), meter.credential),
    async receiptOf(record) {
      const hash = hexOf(parseRecord(record).hash);
      const find = () => receipts.find(({ recordHash }) => hexOf(recordHash) === hash);
      return until(`receipt of record ${hash}`, find).catch((error: Error) => {
        throw new Error(
          `${error.message}; refused: ${refusals.map(({ sentence }) => sentence).join(", ") || "nothing"}`,
        );
      });
    },
    close,
  };
}

function refusalOf(payload: Uint8Array): SeenRefusal {
  const [service, seq, , code, sentence] = list(independentDecode(payload), 5);
  return { service: service!, seq: seq!, code: numberOf(code, 255), sentence: String(sentence) };
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
