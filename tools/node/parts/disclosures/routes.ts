// GET /chains/<service>/grants/<grant>, and what it delivers of each of its days. Who shows a session token gets his own grants alone;
// what is delivered is sealed to the grant's key in any case.

import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { DAY_MAX } from "../../../../src/wire/envelope.js";
import { erased } from "../../../routes/erasures.js";
import { grant, grantRecords, grantShares } from "../../../routes/grants.js";
import type { Holder } from "../../admission/token-judge.js";
import { type Refused, type Route, refused, route } from "../../api/route.js";
import { type Grant, grantInForce, holdsDay, recordsOf, sharesOf } from "../../disclosures/grants.js";
import type { DisclosuresPorts } from "../../disclosures/ports.js";
import { erasures } from "../../disclosures/tables/erasures.js";
import type { Receipts } from "../../ingest/receipts.js";
import { hashRange } from "../../store/keys.js";

export interface GrantPorts {
  readonly disclosures: DisclosuresPorts;
  readonly receipts: Receipts;
}

interface Sought {
  readonly service: number;
  readonly grant: string;
  readonly day?: number;
}

export function grantRoutes(ports: GrantPorts): readonly Route[] {
  const { disclosures, receipts } = ports;
  const find = ({ service, grant: id, day }: Sought, shown: Holder | undefined): Grant | Refused => {
    const found = grantInForce(disclosures, service, id);
    const isTheirs = shown?.credential === undefined || shown.id === found?.requester;
    const isWithin = day === undefined || (found !== undefined && holdsDay(found, day));
    if (found !== undefined && isTheirs && isWithin) return found;
    const what = day === undefined ? "" : ` for day ${day}`;
    return refused("no-grant", `No grant ${id} is in force on chain ${service}${what} for who asks.`);
  };
  return [
    route(grant, ({ parameters, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      const { id: _id, chain: _chain, ...stated } = found;
      const days = stated.days.map(([first, end]) => [first, end]);
      return { type: "value", value: { ...stated, days, custodian: toHex(disclosures.self) } };
    }),
    route(grantShares, ({ parameters, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      return { type: "long", items: sharesOf(disclosures, found, parameters.day) };
    }),
    route(grantRecords, ({ parameters, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      return { type: "long", items: recordsOf(disclosures, receipts, found, parameters.day) };
    }),
    route(erased, ({ parameters: { service, meter } }) => {
      const days = hashRange(service, fromHex(meter)!, { from: 0, to: DAY_MAX });
      const rows = disclosures.store.range(erasures, days);
      return { type: "long", items: rows.map(({ row }) => row).values() };
    }),
  ];
}
