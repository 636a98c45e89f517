// A part of a node: what sealed blocks say against meters, participants and nodes. It is listed, answered, and told to whom it is said
// against.

import { setImmediate as afterOthers } from "node:timers/promises";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import { meterTopic } from "../../../../src/wire/topics.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { violationView } from "../../../ledger/violation-place.js";
import { ruleOf, violationKinds } from "../../../ledger/violations.js";
import { violationIndex, violations, violationsListed } from "../../chain/tables/violations.js";
import { nextViolations } from "../../chain/violation-list.js";
import type { Part } from "../../part.js";
import { fillViolations } from "./filling.js";
import { violationRoutes } from "./routes.js";

export const violationsPart: Part = {
  name: "violations",
  tables: [violations, violationIndex, violationsListed],
  create({ store, chains, identity, ingest, log, onFatal }) {
    let isStopped = false;
    const { network } = identity.genesis;
    const fill = async () => {
      const ports = { store, afterOthers: () => afterOthers(), isStopped: () => isStopped };
      for (const chain of [...chains.keys()]) await fillViolations(ports, chain);
    };
    return {
      routes: violationRoutes({ store, services: () => [...chains.keys()] }),
      onSealed({ block }) {
        const { chain: service, height } = block;
        for (const found of nextViolations(store, service, height)) {
          if (found.height !== height) return;
          const { subject, number, kind, index } = violationView(found);
          const topic = meterTopic(network, "violation", subject);
          if (!ingest.to.hasSubscriber(topic)) continue;
          const told = [1, service, height, index, violationKinds[kind], number, ruleOf(found.violation) ?? null];
          ingest.to.publish(topic, encodeCbor(told));
        }
      },
      start() {
        fill().catch((error: unknown) => {
          if (error instanceof GridsealError && error.code !== "STORE_CORRUPT") return onFatal(error);
          log.error({ reason: reasonOf(error) }, "violations of earlier blocks cannot be listed");
        });
      },
      stop() {
        isStopped = true;
      },
    };
  },
};
