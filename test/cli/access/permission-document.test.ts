// A request as a permission document of market systems.

import assert from "node:assert/strict";
import { test } from "node:test";
import { permissionDocument } from "../../../tools/cli/access/permission-document.js";

const request = {
  ...{ requester: "bb00000000000001", need: "bb00000000000001-1", meter: "1111111111111111", basis: "consent" },
  ...{ purpose: 7, from: 20_700, until: 20_731, time_s: 1_788_480_000 },
};
const named = { name: "bb00000000000001-2", network: "village" };

interface Document {
  readonly Permission_MarketDocument: Readonly<Record<string, unknown>> & {
    readonly PermissionList: readonly {
      readonly MktActivityRecordList: readonly Readonly<Record<string, unknown>>[];
    }[];
  };
}

function documentOf(state: string, rest: object = {}, text?: string) {
  const made = permissionDocument({ ...named, request: { ...request, state, ...rest }, text }) as Document;
  return made.Permission_MarketDocument;
}

test("a request is written with who asks, for which point and period, and where it stands", () => {
  const document = documentOf("sent", {}, "evening peaks");
  assert.deepEqual(document["period.timeInterval"], { start: "2026-09-04T00:00Z", end: "2026-10-05T00:00Z" });
  assert.deepEqual(
    [document.mRID, document.description, document.createdDateTime],
    [named.name, "evening peaks", "2026-09-04T00:00:00Z"],
  );
  assert.deepEqual([document.type, document["process.processType"]], ["Z04", "A55"]);
  assert.equal(document.PermissionList[0]?.MktActivityRecordList[0]?.status, "SENT_TO_PERMISSION_ADMINISTRATOR");
});

test("every state of the contract has its name, with the time at which it ended", () => {
  const names = ["accepted", "rejected", "revoked", "terminated", "unfulfillable", "timed-out", "fulfilled"].map(
    (state) => {
      const [activity] = documentOf(state, { ended_s: 1_788_480_060 }).PermissionList[0]!.MktActivityRecordList;
      assert.equal(activity?.createdDateTime, "2026-09-04T00:01:00Z");
      return activity?.status;
    },
  );
  assert.deepEqual(names, ["ACCEPTED", "REJECTED", "REVOKED", "TERMINATED", "UNFULFILLABLE", "TIMED_OUT", "FULFILLED"]);
  assert.throws(() => documentOf("odd"), RangeError);
});
