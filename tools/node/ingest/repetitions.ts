// Records that were published before: answered with their receipt, or left waiting, and never verified again.

import { serviceTopic } from "../../../src/wire/topics.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import type { Chain } from "../chain/chain.js";
import { meters } from "../chain/tables/states.js";
import { idKey } from "../store/keys.js";
import type { Allowances } from "./allowances.js";
import type { AdmissionsPorts } from "./publication-ports.js";

export function createRepetitions(ports: AdmissionsPorts, allowances: Allowances) {
  const { genesis, store, metrics } = ports;

  /** Whether the record may be one that was published before; what is new is above all that is sealed of its meter. */
  const mayBeKnown = (chain: Chain, { kid, claims: { service, seq } }: ReadRecord): boolean =>
    seq <= (store.get(meters, idKey(service, kid))?.high ?? -1) || chain.isWaiting(kid, seq);

  /** Whether the record was published before and is dealt with, without verifying it again: answered, or left waiting. */
  const isRepetition = async (chain: Chain, record: ReadRecord, meter: string, client: string): Promise<boolean> => {
    const { service, seq } = record.claims;
    if (chain.isWaiting(record.kid, seq)) {
      if (chain.known(record) !== "waiting") return false;
      await chain.admit(record, undefined); // until it is durable
      metrics.repeated.inc({ state: "waiting" });
      return true;
    }
    let isCharged = false;
    const charge = () => {
      isCharged = allowances.mayRepeat(client || meter);
      return isCharged;
    };
    const sealing = ports.receipts.look({ chain: service, kid: record.kid, seq, hash: record.hash }, () => {
      return charge() && allowances.mayReadBlock();
    });
    if (sealing.kind === "none" || sealing.kind === "other") return false;
    if (sealing.kind === "unread" || !(isCharged || charge())) {
      metrics.repeated.inc({ state: "unanswered" });
      return true;
    }
    metrics.repeated.inc({ state: "sealed" });
    // To whoever published it: sealed records are public, and anybody can publish them again.
    const to = client === "" ? undefined : client;
    ports.introductions.beforeReceipt(service, meter, sealing.height, to);
    ports.publish(serviceTopic(genesis.network, service, "receipt", meter), sealing.receipt(), to);
    return true;
  };

  return { mayBeKnown, isRepetition };
}
