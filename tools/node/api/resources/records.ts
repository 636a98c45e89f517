// GET /records/<service>/<meter>: the sealed records of a meter or a participant, in the order of their numbers.

import { idFromText } from "../../../../src/wire/key.js";
import { encodeRecordRow } from "../../../routes/record-rows.js";
import { RECORDS_PER_ANSWER_MAX, sealedRecords } from "../../../routes/records.js";
import { sealedRecordsOf } from "../../chain/sealed-records.js";
import type { Store } from "../../store/store.js";
import { type Route, route } from "../route.js";

const BYTES_PER_ANSWER_MAX = 4_194_304;

export function sealedRecordsRoute(store: Store): Route {
  return route(sealedRecords, ({ parameters: { service, meter }, query: { from, limit } }) => ({
    type: "long",
    items: rowsFrom(store, { service, kid: idFromText(meter)!, from, limit }),
  }));
}

interface Wanted {
  readonly service: number;
  readonly kid: Uint8Array;
  readonly from: number;
  readonly limit: number;
}

function* rowsFrom(store: Store, { service, kid, from, limit }: Wanted): Generator<Uint8Array, void> {
  let left = Math.min(limit, RECORDS_PER_ANSWER_MAX);
  let bytes = 0;
  if (left === 0) return;
  for (const found of sealedRecordsOf(store, service, kid, from)) {
    const row = encodeRecordRow(found);
    yield row;
    left -= 1;
    bytes += row.length;
    if (left === 0 || bytes > BYTES_PER_ANSWER_MAX) return;
  }
}
