// Records of services that this node does not seal.

import { toHex } from "../../../src/wire/bytes.js";
import { BoundedMap } from "../../bounded-map.js";
import type { ReadRecord } from "../../ledger/record-scan.js";
import { Busy, Refused } from "./admission.js";
import type { KnownCredentials } from "./known-credentials.js";
import type { AdmissionsPorts } from "./publication-ports.js";

const SENT_AWAY_MAX = 65_536;

/** What is done with such a record: it throws Busy or Refused. */
export function createSendingAway(ports: AdmissionsPorts, credentials: KnownCredentials) {
  const { chains, metrics } = ports;
  /** meters whose session was ended for such a record, and which have not been told so since */
  const sentAway = new BoundedMap<string, true>(SENT_AWAY_MAX);

  /**
   * Leaves a record that other nodes seal without PUBACK, which on this node's own broker ends the session: the meter turns to its
   * next broker at once. (Handing the record on would show its disclosures to one node more.) A meter that comes back with it may have
   * no other broker: it is told, which sets the record aside for a while, so that the services that this node does seal go on.
   */
  return (record: ReadRecord): never => {
    const { service } = record.claims;
    const meter = toHex(record.kid);
    const sealsOthers = credentials
      .of(record.kid, meter)
      ?.services.some((other) => chains.get(other)?.hasMember(ports.self));
    if (!sealsOthers || !sentAway.delete(meter)) {
      sentAway.set(meter, true);
      metrics.unacknowledged.inc();
      throw new Busy(`this node is no member of chain ${service}`);
    }
    throw new Refused(
      "service-not-permitted",
      `this node is no member of chain ${service}: connect to one that is`,
      record,
    );
  };
}
