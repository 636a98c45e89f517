// GET /chains/<service>/grants/<grant>, and what it delivers of each of its days. Who shows a session token gets his own grants alone;
// what is delivered is sealed to the grant's key in any case. And what was erased of a meter: its subjects get what is of their days, and who
// has signed an erasure what was done by it.

import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import type { Role } from "../../../../src/wire/credential.js";
import { DAY_MAX } from "../../../../src/wire/envelope.js";
import { decodeErased } from "../../../../src/wire/erased.js";
import { erased } from "../../../routes/erasures.js";
import { GRANT_DAYS_MAX, grant, grantRecords, grantShares } from "../../../routes/grants.js";
import type { Holder } from "../../admission/token-judge.js";
import { readsChains } from "../../api/access.js";
import { type Refused, type Route, refused, route } from "../../api/route.js";
import { type Grant, grantInForce, holdsDay, recordsOf, sharesOf } from "../../disclosures/grants.js";
import type { DisclosuresPorts } from "../../disclosures/ports.js";
import { subjectRuns } from "../../disclosures/subject-runs.js";
import { erasures } from "../../disclosures/tables/erasures.js";
import type { Receipts } from "../../ingest/receipts.js";
import { hashRange } from "../../store/keys.js";

export interface GrantPorts {
  readonly disclosures: DisclosuresPorts;
  readonly receipts: Receipts;
  /** Roles that read the chain; undefined where its policy names none. */
  readersOf(service: number): readonly Role[] | undefined;
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
    route(grantShares, ({ parameters, query, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      const days = daysAsked(found, parameters.day, query.until);
      return "type" in days ? days : { type: "long", items: sharesOfDays(disclosures, found, days) };
    }),
    route(grantRecords, ({ parameters, query, shown }) => {
      const found = find(parameters, shown);
      if ("type" in found) return found;
      const days = daysAsked(found, parameters.day, query.until);
      return "type" in days ? days : { type: "long", items: recordsOf(disclosures, receipts, found, days) };
    }),
    route(erased, ({ parameters: { service, meter }, shown }) => {
      const id = fromHex(meter)!;
      const rows = disclosures.store.range(erasures, hashRange(service, id, { from: 0, to: DAY_MAX }));
      const all = rows.map(({ row }) => row);
      if (shown === undefined || readsChains(shown, ports.readersOf(service)))
        return { type: "long", items: all.values() };
      const days = subjectRuns(disclosures.store, service, meter, shown.id);
      const theirs = all.filter((bytes) => {
        const said = decodeErased(bytes);
        const isOfTheirDays = days.some(({ from, until }) => from < said.until && said.from < until);
        return isOfTheirDays || said.erasure.startsWith(`${shown.id}-`);
      });
      if (theirs.length > 0 || days.length > 0) return { type: "long", items: theirs.values() };
      return refused("forbidden", `${shown.id} is the subject of no day of meter ${meter} on chain ${service}.`);
    }),
  ];
}

/** Those days from one on that the grant opens. */
function daysAsked(found: Grant, from: number, until = from + 1): readonly number[] | Refused {
  if (until <= from || until - from > GRANT_DAYS_MAX) {
    return refused("malformed", `until must be 1 to ${GRANT_DAYS_MAX} days behind day ${from}, not ${until}.`);
  }
  return Array.from({ length: until - from }, (_, index) => from + index).filter((day) => holdsDay(found, day));
}

function* sharesOfDays(ports: DisclosuresPorts, found: Grant, days: readonly number[]): Generator<Uint8Array, void> {
  for (const day of days) yield* sharesOf(ports, found, day);
}
