// An operation as it is printed.

import { toHex } from "../../../src/wire/bytes.js";
import type { Operation } from "../../../src/wire/operation.js";
import { valueToJson } from "../../contracts/value-json.js";
import { timeText } from "../../terminal/output.js";

/** Its members in the order in which they are printed as JSON. */
export function operationView({ hash, kid, claims, disclosures, stripped }: Operation) {
  const { time_s, until_s, body, digests, ...others } = claims;
  return {
    hash,
    participant: kid,
    time: time_s,
    ...others,
    ...(until_s !== undefined && { until: until_s }),
    body: valueToJson(body),
    ...(digests !== undefined && { digests }),
    ...(disclosures.length > 0 && {
      disclosed: Object.fromEntries(disclosures.map(({ label, value }) => [label, valueToJson(value)])),
    }),
    bytes: stripped,
  };
}

export type OperationView = ReturnType<typeof operationView>;

export function operationLines(view: OperationView): string[] {
  const { seq, participant, type, time, until, hash, body, digests = [], disclosed = {} } = view;
  const parts = `confidential part${digests.length === 1 ? "" : "s"}`;
  return [
    `  operation ${seq} of participant ${toHex(participant)}, type ${type}, ${timeText(time * 1000)}`,
    `    hash ${toHex(hash)}`,
    ...(until === undefined ? [] : [`    until ${timeText(until * 1000)}`]),
    `    ${JSON.stringify(body)}`,
    ...(digests.length === 0 ? [] : [`    and ${digests.length} ${parts}`]),
    ...Object.entries(disclosed).map(([label, value]) => `    ${label}: ${JSON.stringify(value)}`),
  ];
}
