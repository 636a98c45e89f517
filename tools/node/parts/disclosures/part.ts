// A part of a node: what records hide. It takes the frames by which shares of keys come to their custodians.

import type { Block } from "../../../../src/wire/block.js";
import { decodeOutput, type Value } from "../../../../src/wire/value.js";
import { decodeResults } from "../../../ledger/violations.js";
import { ACCESS_CONTRACT } from "../../disclosures/chain-policy.js";
import {
  CUSTODY_KEY_FRAME,
  DIVISION_FRAME,
  ENVELOPE_FRAME,
  FOUND_DISCLOSURES_FRAME,
  GROUP_QUESTION_FRAME,
  GROUP_SHARE_FRAME,
  KEPT_FRAME,
  NEED_DISCLOSURES_FRAME,
  NEED_SHARES_FRAME,
} from "../../disclosures/ports.js";
import { custodyKeys } from "../../disclosures/tables/custody-keys.js";
import { destroyed } from "../../disclosures/tables/destroyed.js";
import { disclosuresNoted } from "../../disclosures/tables/disclosures-noted.js";
import { divisions } from "../../disclosures/tables/divisions.js";
import { envelopes } from "../../disclosures/tables/envelopes.js";
import { erasures } from "../../disclosures/tables/erasures.js";
import { missingDisclosures } from "../../disclosures/tables/missing-disclosures.js";
import { missingShares } from "../../disclosures/tables/missing-shares.js";
import type { Part } from "../../part.js";
import type { NodeServices } from "../../services.js";
import { groupGrantRoutes } from "./group-routes.js";
import { grantRoutes } from "./routes.js";

const TICK_MS = 500;

/** Ids as hex of the meters of which the block erases days. */
function erasedBy({ results }: Block): string[] {
  return decodeResults(results).outcomes.flatMap((outcome) => {
    if (outcome.type !== "done" || outcome.contract !== ACCESS_CONTRACT) return [];
    return outcome.effects.filter(({ name }) => name === "erasure").flatMap(({ body }) => meterIn(decodeOutput(body)));
  });
}

function meterIn(body: Value): string[] {
  const meter = typeof body === "object" && body !== null && "meter" in body ? body.meter : undefined;
  return typeof meter === "string" ? [meter] : [];
}

/** What it is made of. */
export interface DisclosuresPartServices
  extends Pick<NodeServices, "disclosures" | "receipts" | "readersOf" | "chains" | "onFatal"> {
  readonly timers: Pick<NodeServices["timers"], "scope">;
}

export const disclosuresPart = {
  name: "disclosures",
  tables: [
    ...[envelopes, custodyKeys, erasures, destroyed],
    ...[divisions, missingDisclosures, missingShares, disclosuresNoted],
  ],
  create({ disclosures, receipts, readersOf, chains, timers, onFatal }: DisclosuresPartServices) {
    const { erasing, groups, missing } = disclosures;
    let isLooking = false;
    /** One at a time: it goes over whole chains. */
    const lookForMissing = async () => {
      if (isLooking) return;
      isLooking = true;
      try {
        await missing.tick();
      } finally {
        isLooking = false;
      }
    };
    const scope = timers.scope("disclosures");
    let stopped = false;
    const tick = () => {
      if (stopped) return;
      try {
        disclosures.tick();
        erasing.tick().catch(onFatal);
        lookForMissing().catch(onFatal);
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
          // One, and its share of a row that is written now and then.
          verifications: 2,
          take: (from, _chain, payload) => disclosures.onCustodyKey(from, payload),
        },
        {
          byte: ENVELOPE_FRAME,
          kind: "envelope",
          // An origin of ten thousand meters brings theirs together as a day begins, and is not to be read more slowly for it.
          verifications: 1,
          take: (from, chain, payload) => disclosures.onEnvelope(from, chain, payload),
        },
        {
          byte: KEPT_FRAME,
          kind: "envelopeKept",
          verifications: 0,
          take: async (from, _chain, payload) => disclosures.onKept(from, payload),
        },
        {
          byte: NEED_DISCLOSURES_FRAME,
          kind: "needDisclosures",
          verifications: 0,
          async take(from, chain, payload) {
            missing.onNeedDisclosures(from, chain, payload);
            return undefined;
          },
        },
        {
          byte: FOUND_DISCLOSURES_FRAME,
          kind: "foundDisclosures",
          verifications: 0,
          async take(from, chain, payload) {
            await missing.onFoundDisclosures(from, chain, payload);
            return undefined;
          },
        },
        {
          byte: NEED_SHARES_FRAME,
          kind: "needShares",
          verifications: 0,
          async take(from, chain, payload) {
            await missing.onNeedShares(from, chain, payload);
            return undefined;
          },
        },
        {
          byte: DIVISION_FRAME,
          kind: "division",
          // Two, and a row that is written.
          verifications: 6,
          take: (from, chain, payload) => disclosures.onDivision(from, chain, payload),
        },
        {
          byte: GROUP_QUESTION_FRAME,
          kind: "groupQuestion",
          verifications: 0,
          async take(from, chain, payload) {
            groups.onQuestion(from, chain, payload);
            return undefined;
          },
        },
        {
          byte: GROUP_SHARE_FRAME,
          kind: "groupShare",
          // Opening what is sealed.
          verifications: 4,
          async take(from, chain, payload) {
            groups.onShare(from, chain, payload);
            return undefined;
          },
        },
      ],
      routes: [
        ...grantRoutes({ disclosures: disclosures.ports, receipts, readersOf }),
        ...groupGrantRoutes({ disclosures: disclosures.ports, groups }),
      ],
      onSealed({ block, records }) {
        const { chain } = block;
        missing.sealed({ block, records });
        for (const { meter, seq, hash } of records) {
          if (erasing.concerns(chain, meter)) erasing.record(chain, meter, { seq, hash }).catch(onFatal);
        }
        for (const meter of erasedBy(block)) erasing.meter(chain, meter).catch(onFatal);
      },
      start() {
        tick();
        // What a backup has brought back is erased again.
        for (const chain of chains.keys()) erasing.all(chain).catch(onFatal);
      },
      stop() {
        stopped = true;
        disclosures.close();
      },
    };
  },
} satisfies Part;
