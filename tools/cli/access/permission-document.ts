// A request as a permission market document of CIM, with the names and codes that EDDIE's document 0.82 has. As JSON: it was held
// to no schema. Pure.

import type { Request } from "./shown.js";

/** Codes of the document: its type, its process, and the roles of who sends and who receives it. */
const TYPE = "Z04";
const PROCESS = "A55";
const PARTY_CONNECTED_TO_GRID = "A20";
const METERED_DATA_RESPONSIBLE = "A50";
const DAY_MS = 86_400_000;

/** EDDIE's names of the states of a request. */
const states: Readonly<Record<string, string>> = {
  sent: "SENT_TO_PERMISSION_ADMINISTRATOR",
  accepted: "ACCEPTED",
  rejected: "REJECTED",
  revoked: "REVOKED",
  terminated: "TERMINATED",
  unfulfillable: "UNFULFILLABLE",
  "timed-out": "TIMED_OUT",
  fulfilled: "FULFILLED",
};

export interface DocumentedRequest {
  /** ID of who has asked and number of the operation */
  readonly name: string;
  readonly request: Request & { readonly time_s: number };
  readonly network: string;
  /** what the need says; undefined where it was taken back */
  readonly text: string | undefined;
}

/** Throws a RangeError where the chain's state is none of the contract's. */
export function permissionDocument({ name, request, network, text }: DocumentedRequest): object {
  const { requester, meter, from, until, time_s, state, ended_s } = request;
  const status = states[state];
  if (status === undefined) throw new RangeError(`request ${name} is in no state of the contract: ${state}`);
  const at = (seconds: number) => new Date(1_000 * seconds).toISOString().replace(/\.\d+Z$/, "Z");
  const day = (days: number) => `${new Date(days * DAY_MS).toISOString().slice(0, 16)}Z`;
  return {
    Permission_MarketDocument: {
      mRID: name,
      type: TYPE,
      createdDateTime: at(time_s),
      ...(text !== undefined && { description: text }),
      "sender_MarketParticipant.mRID": { codingScheme: "NGS", value: requester },
      "sender_MarketParticipant.marketRole.type": PARTY_CONNECTED_TO_GRID,
      "receiver_MarketParticipant.mRID": { codingScheme: "NGS", value: network },
      "receiver_MarketParticipant.marketRole.type": METERED_DATA_RESPONSIBLE,
      "process.processType": PROCESS,
      "period.timeInterval": { start: day(from), end: day(until) },
      PermissionList: [
        {
          "permission.mRID": name,
          "marketEvaluationPoint.mRID": { codingScheme: "NGS", value: meter },
          MktActivityRecordList: [{ mRID: name, createdDateTime: at(ended_s ?? time_s), type: TYPE, status }],
        },
      ],
    },
  };
}
