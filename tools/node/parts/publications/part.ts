// A part of a node: births and records of meters, by MQTT and by HTTP, taken by publications.ts.

import { verifyOfAnybody, verifySoon } from "../../../crypto/verifying.js";
import { governedChain, holderStanding, standingOf } from "../../../ledger/governance.js";
import { createAdmissions } from "../../ingest/publications.js";
import type { Part } from "../../part.js";
import { submitRecordRoute } from "./routes.js";

export const publicationsPart: Part = {
  name: "publications",
  create(services) {
    const { configuration, identity, governor, ingest, health } = services;
    const { store, chains, receipts, introductions, metrics, log } = services;
    const { onPublish, onSealed, submit } = createAdmissions({
      genesis: identity.genesis,
      self: services.selfId,
      ...{ store, chains, receipts, introductions, metrics, log },
      verifyBirth: verifyOfAnybody,
      verifyRecord: verifySoon,
      sealDisclosures: (record) => services.disclosures.seal(record),
      now_ms: () => health.now_ms(),
      monotonic_ms: () => performance.now(),
      rate: configuration.rate,
      sealsService: (service) => governedChain(governor.current, service) !== undefined,
      isRevoked: (meter) => governor.current.revoked.has(meter),
      holderStanding: (meter) => holderStanding(governor.current, meter),
      standingOf: (...named) => standingOf(governor.current, ...named, Number.POSITIVE_INFINITY),
      publish: (topic, payload, to) => void ingest.to.publish(topic, payload, to),
      addressOf: (client) => ingest.to.addressOf(client),
      isProved: (client, meter) => ingest.to.isProved(client, meter),
      onProved: (client, meter) => ingest.to.prove(client, meter),
    });
    return {
      onSealed,
      routes: [submitRecordRoute(submit)],
      topics: [
        { kind: "birth", take: onPublish },
        { kind: "record", take: onPublish },
      ],
    };
  },
};
