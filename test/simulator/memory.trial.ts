// What the agent takes of a chip's memory: an hour of five services in the pool and with the stack that manifest.json states, 16 bytes
// a slot, by the allocator that the chip has.

import assert from "node:assert/strict";
import { test } from "node:test";
import { runHour } from "../../tools/firmware/hour.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { assertStack, firmware, temporaryFolder, withoutSdk } from "./harness.js";

const MINUTES = 60;
const SPEED = 20;

test("an hour of five services fits into the chip's pool, through a broker that goes and comes, every receipt verified", {
  skip: withoutSdk || withoutMosquitto,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const folder = await temporaryFolder(t);
  const interrupt = async (): Promise<void> => {
    await broker.kill();
    await broker.restart();
  };
  const options = { folder, broker: broker.url, interrupt, minutes: MINUTES, speed: SPEED };
  const { appended, sealed, counters, use, errors } = await runHour(await firmware(), options);
  t.diagnostic(`${JSON.stringify(use)}; ${JSON.stringify(counters)}`);
  assert.deepEqual(errors, []);
  assert(appended > 0);
  assert.equal(sealed, appended);
  assert.equal(counters.wrongReceipts, 0);
  assert.equal(counters.outboxFull, 0);
  assertStack(use);
});
