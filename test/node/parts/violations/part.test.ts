// Who is told what a sealed block says against somebody: whoever subscribes to the topic of the subject, once for each violation.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeCbor } from "../../../../src/wire/cbor.js";
import { parseTopic } from "../../../../src/wire/topics.js";
import { encodeValue } from "../../../../src/wire/value.js";
import type { Violation } from "../../../../tools/ledger/violations.js";
import type { SealedBlock } from "../../../../tools/node/chain/ports.js";
import { listViolations } from "../../../../tools/node/chain/tables/violations.js";
import { parseFilter } from "../../../../tools/node/ingest/ingest.js";
import { violationsPart } from "../../../../tools/node/parts/violations/part.js";
import type { NodeServices } from "../../../../tools/node/services.js";
import { openStore } from "../../../../tools/node/store/open-store.js";

const [heard, unheard] = ["00112233aabbccdd", "ffffffffffffffff"] as const;
const bytesOf = (id: string) => new Uint8Array(Buffer.from(id, "hex"));

test("each violation is told on the topic of its subject where somebody listens there", async (t) => {
  const told: [topic: string, payload: unknown][] = [];
  const filter = parseFilter("grid", `gs1/grid/-/violation/${heard}`)!;
  assert.equal(filter.meter, heard);
  const services = {
    chains: new Map(),
    identity: { genesis: { network: "grid" } },
    ingest: {
      to: {
        hasSubscriber: (topic: string) => filter.matches(parseTopic(topic)!),
        publish: (topic: string, payload: Uint8Array) => void told.push([topic, decodeCbor(payload)]),
      },
    },
  } as unknown as NodeServices;
  const violations: Violation[] = [
    { kind: "gap", meter: bytesOf(heard), seq: 7, detail: 9 },
    { kind: "gap", meter: bytesOf(unheard), seq: 7, detail: 9 },
    {
      ...{ kind: "contract", subject: bytesOf(heard), entry: { kind: "operation", leaf: 3 } },
      ...{ contract: "metering", name: "silent", body: encodeValue(null) },
    },
  ];
  const folder = mkdtempSync(join(tmpdir(), "gridseal-violations-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const owner = { node: bytesOf(unheard), genesisHash: new Uint8Array(32) };
  const store = await openStore(join(folder, "data"), owner, false);
  t.after(() => store.close());
  await store.write((writer) => {
    listViolations(writer, { chain: 1, height: 42, time_ms: 5, violations });
    listViolations(writer, { chain: 1, height: 43, time_ms: 6, violations });
  });
  const block = { chain: 1, height: 42 };
  violationsPart.create({ ...services, store }).onSealed!({ block } as unknown as SealedBlock, []);
  const topic = `gs1/grid/-/violation/${heard}`;
  assert.deepEqual(told, [
    [topic, [1, 1, 42, 0, 1, 7, null]],
    [topic, [1, 1, 42, 2, 6, null, "metering/silent"]],
  ]);
});
