// Births of meters: whose credential is verified, whose is not looked at, and what a meter is told that is known from here on.

import { equalBytes } from "../../../src/wire/bytes.js";
import { parseCredential } from "../../../src/wire/credential.js";
import type { Verify } from "../../../src/wire/key.js";
import { encodeTime } from "../../../src/wire/time.js";
import { meterTopic } from "../../../src/wire/topics.js";
import { credentials as credentialTable } from "../chain/tables/credentials.js";
import { idKey } from "../store/keys.js";
import { admitCredential, barOf, replaces, revoked } from "./admission.js";
import type { Allowances } from "./allowances.js";
import type { PublishedTopic } from "./ingest.js";
import type { KnownCredentials } from "./known-credentials.js";
import type { AdmissionsPorts } from "./publication-ports.js";
import type { VerifyingLimit } from "./verifying-limit.js";

export interface Births {
  /** Resolves where the credential is durable, known already, or passed over; rejects with Refused or Busy. */
  takeBirth(topic: PublishedTopic, payload: Uint8Array, client: string): Promise<void>;
  /** Resolves when no birth of the meter is under way: what it publishes right behind one does not overtake it. */
  settled(meter: string): Promise<void>;
}

export interface BirthParts {
  readonly allowances: Allowances;
  readonly credentials: KnownCredentials;
  readonly verifying: VerifyingLimit;
}

export function createBirths(ports: AdmissionsPorts, { allowances, credentials, verifying }: BirthParts): Births {
  const { genesis, store, chains, metrics, log } = ports;
  const underWay = new Map<string, Promise<void>>();

  const verify = async (...signed: Parameters<Verify>): Promise<boolean> => {
    verifying.enter();
    try {
      return await ports.verifyBirth(...signed);
    } finally {
      verifying.leave();
    }
  };

  /** What is over its allowance is acknowledged and gets no answer: who asks in good faith asks again. */
  const passOver = (topic: PublishedTopic) => {
    metrics.refused.inc({ reason: "rate-limited" });
    log.debug({ ...topic }, "publish passed over");
  };

  /** What is on a chain has been verified. Of the rest, only what lacks nothing but its signature spends what is there for all. */
  const newCredential = async (kid: Uint8Array, meter: string, payload: Uint8Array, client: string) => {
    const isSealed = [...chains.keys()].some((service) => {
      const sealed = store.get(credentialTable, idKey(service, kid));
      return sealed !== undefined && equalBytes(sealed, payload);
    });
    if (isSealed) return parseCredential(payload);
    let isWithin = true;
    const credential = await admitCredential(genesis, meter, payload, async (...signed) => {
      const address = ports.addressOf(client);
      isWithin = allowances.mayVerifyBirth(meter, address);
      if (!isWithin) return true;
      const isGood = await verify(...signed);
      if (!isGood && address !== undefined) allowances.onForgedBirth(address);
      return isGood;
    });
    return isWithin ? credential : undefined;
  };

  const onBirth = async (topic: PublishedTopic, payload: Uint8Array, client: string) => {
    const { meter } = topic;
    if (!allowances.mayBeBorn(client || meter)) return passOver(topic);
    const kid = Buffer.from(meter, "hex");
    const known = credentials.known(kid, meter);
    const isKnown = known !== undefined && equalBytes(known.bytes, payload);
    const credential = isKnown ? known.credential : await newCredential(kid, meter, payload, client);
    if (credential === undefined) return passOver(topic);
    // Before it is refused: a client without a token hears this alone.
    const time_s = Math.floor(ports.now_ms() / 1_000);
    const time = encodeTime({ time_s, refusedAs: barOf(ports.holderStanding(meter), credential, time_s) });
    ports.publish(meterTopic(genesis.network, "time", meter), time, client === "" ? undefined : client);
    if (ports.isRevoked(meter)) throw revoked(meter);
    if (allowances.mayBeShown(meter)) ports.introductions.onBirth(meter);
    if (isKnown) return credentials.hold(kid, meter);
    if (!replaces(credentials.of(kid, meter), credential)) return;
    await credentials.add(kid, meter, { credential, bytes: payload });
    log.info({ meter, id: credential.subject }, "meter is known");
  };

  return {
    takeBirth(topic, payload, client) {
      const birth = onBirth(topic, payload, client).finally(() => {
        if (underWay.get(topic.meter) === birth) underWay.delete(topic.meter);
      });
      underWay.set(topic.meter, birth);
      return birth;
    },
    async settled(meter) {
      await underWay.get(meter)?.catch(() => {});
    },
  };
}
