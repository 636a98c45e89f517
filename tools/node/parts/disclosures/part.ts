// A part of a node: what records hide. It takes the frames by which shares of keys come to their custodians.

import { CUSTODY_KEY_FRAME, ENVELOPE_FRAME, KEPT_FRAME } from "../../disclosures/ports.js";
import { custodyKeys } from "../../disclosures/tables/custody-keys.js";
import { envelopes } from "../../disclosures/tables/envelopes.js";
import type { Part } from "../../part.js";
import { grantRoutes } from "./routes.js";

const TICK_MS = 500;

export const disclosuresPart: Part = {
  name: "disclosures",
  tables: [envelopes, custodyKeys],
  create({ disclosures, receipts, timers, onFatal }) {
    const scope = timers.scope("disclosures");
    let stopped = false;
    const tick = () => {
      if (stopped) return;
      try {
        disclosures.tick();
      } catch (error) {
        onFatal(error);
      }
      scope.set("tick", TICK_MS, tick);
    };
    return {
      frames: [
        {
          byte: CUSTODY_KEY_FRAME,
          kind: "custodyKey",
          take: (from, _chain, payload) => disclosures.onCustodyKey(from, payload),
        },
        {
          byte: ENVELOPE_FRAME,
          kind: "envelope",
          take: (from, chain, payload) => disclosures.onEnvelope(from, chain, payload),
        },
        {
          byte: KEPT_FRAME,
          kind: "envelopeKept",
          take: async (from, _chain, payload) => disclosures.onKept(from, payload),
        },
      ],
      routes: grantRoutes({ disclosures: disclosures.ports, receipts }),
      start: tick,
      stop() {
        stopped = true;
        disclosures.close();
      },
    };
  },
};
